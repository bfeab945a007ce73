#!/usr/bin/env bash
# Starts the DNS server and both mail servers, fills them, and sends a letter from one to the other. Ctrl-C ends it all.
# Needs a checkout that is ready (`npm start` or `node scripts/ready.js` once) and curl.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
PATH=$PWD/node_modules/.bin:$PATH

started=()
trap 'kill "${started[@]}" 2>/dev/null || true; wait' EXIT
pennypost() { node apps/pennypost/bin/pennypost.js "$@"; }

# start NAME COMMAND…: runs it in the background until it says `ready`.
start() {
  local output=$here/data/$1.out
  "${@:2}" >"$output" 2>&1 &
  started+=($!)
  for _ in $(seq 300); do
    grep -q '^ready' "$output" && return
    kill -0 $! 2>/dev/null || break
    sleep 0.1
  done
  cat "$output" >&2
  exit 1
}

# fill DOMAIN LOGIN: a domain with one account, unless they are there. The password is the word `secret`.
fill() {
  local config=$here/${1%.test}.toml
  pennypost domain show "$1" --config "$config" >/dev/null 2>&1 && return
  pennypost domain add "$1" --config "$config"
  echo secret | pennypost account add "$2@$1" --password-stdin --config "$config"
}

mkdir -p "$here/data"
start dns node "$here/dns.ts"
start one node apps/pennypost/bin/pennypost.js serve --config "$here/one.toml"
start two node apps/pennypost/bin/pennypost.js serve --config "$here/two.toml"
two=${started[2]}
fill one.test alice
fill two.test bob

curl --silent --show-error --verbose --url smtp://127.0.0.2:2587 --user alice@one.test:secret \
  --mail-from alice@one.test --mail-rcpt bob@two.test --upload-file - 2>&1 <<'MAIL' | grep -o 'queued as .*'
From: Alice <alice@one.test>
To: Bob <bob@two.test>
Subject: hello from the other side

A letter went all the way.
MAIL
for _ in $(seq 100); do
  curl --silent --user bob@two.test:secret 'imap://127.0.0.3:2143/INBOX;MAILINDEX=1' && break
  sleep 0.1
done

cat <<TRY

Both servers run. In another terminal, from the root of the checkout:

  pennypost() { npm run -s pennypost -- "\$@"; }
  pennypost trace ID --config $here/one.toml      # the way of the letter, by the id after "queued as"

  kill $two                                       # two.test goes away
  printf 'From: alice@one.test\nSubject: and again\n\nAre you there?\n' | curl -T - --url smtp://127.0.0.2:2587 \\
    -u alice@one.test:secret --mail-from alice@one.test --mail-rcpt bob@two.test
  pennypost queue list --config $here/one.toml    # what waits for it, until a minute is over

After 20 seconds alice has a notice that the letter waits, after a minute she has it back:

  curl -u alice@one.test:secret 'imap://127.0.0.2:2143/INBOX;MAILINDEX=1'

Ctrl-C here ends it all. The mail stays in $here/data.
TRY
wait
