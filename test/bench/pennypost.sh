#!/bin/bash
# Pennypost as one server of the benchmark: `pennypost.sh up` starts a fresh instance with 200 accounts on a throw-away
# data directory and prints what the load generator needs; `pennypost.sh down` ends it.
# Everything is durable: 250 and OK come after the sync. BUNDLE=1 runs the bundle in dist/ instead of the sources;
# CHECKS=1 switches on all that can be asked of mail, of which mail from loopback provokes nothing.
set -eu
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
STATE=${BENCH_ROOT:-${TMPDIR:-/tmp}/mailbench}/pennypost
NUSERS=${NUSERS:-200} DOMAIN=${DOMAIN:-example.test} PASSWORD=${PASSWORD:-secret} B=${PORT_BASE:-30000}
PATH=$ROOT/node_modules/.bin:$PATH

pennypost() { node "$ROOT/apps/pennypost/bin/pennypost.js" "$@" --config "$STATE/pennypost.toml"; }

checks() {
  cat <<C
dnsbl = ["bl.example.test"]
dnswl = ["wl.example.test"]
reverse_dns = "quarantine"
spf = "quarantine"
dmarc_unsettled = "defer"
greylist = true
pregreet = "3s"
bare_newline_command = "reject"
sender_rate = 1000000
recipient_rate = 1000000
network_rate = 1000000
[[policy.filter]]
kind = "rspamd"
at = "127.0.0.1:$((B + 333))"
[[policy.filter]]
kind = "clamav"
at = "127.0.0.1:$((B + 310))"
[[policy.filter]]
kind = "http"
at = "127.0.0.1:$((B + 380))"
[submission]
messages_per_hour = 1000000
recipients_per_day = 1000000
C
}

configure() {
  rm -rf "$STATE"
  mkdir -p "$STATE"
  cat >"$STATE/pennypost.toml" <<C
hostname = "mail.$DOMAIN"
data_dir = "data"
[policy]
require_tls_for_auth = false
$([ "${CHECKS:-}" = 1 ] && checks)
[limits]
connections = 0
connections_per_address = 0
connections_per_account = 0
auth_failures_per_minute = 0
[log]
file = "pennypost.log"
C
  local service port
  for service in smtp:25 lmtp:24 imap:143 pop3:110 imaps:993 pop3s:995; do
    port=$((B + ${service#*:}))
    printf '[[listener]]\nservice = "%s"\naddress = "127.0.0.1"\nport = %s\n' "${service%:*}" "$port" >>"$STATE/pennypost.toml"
  done
}

# The peer compares plain passwords; ours are bcrypt verifiers of the least cost, and the measured row is the warm cache.
fill() {
  pennypost domain add "$DOMAIN" >&2
  local hash i
  hash=$(cd "$ROOT/packages/sasl" && node -e 'console.log(require("bcrypt").hashSync(process.argv[1], 4))' "$PASSWORD")
  { echo 'login,password'; for i in $(seq 0 $((NUSERS - 1))); do echo "user$i@$DOMAIN,$hash"; done; } >"$STATE/accounts.csv"
  pennypost account import "$STATE/accounts.csv" >&2
  # What the load generator relays, as Postfix relays it for loopback.
  pennypost domain add elsewhere.test --relay-to "127.0.0.1:${RELAYPORT:-29025}" >&2
}

# Its own cgroup, where there is one, counts the CPU of all threads and children exactly.
enter_cgroup() {
  CGROUP=
  local c
  for c in /sys/fs/cgroup/cpuacct /sys/fs/cgroup; do
    if mkdir -p "$c/mailbench-pennypost" 2>/dev/null && echo $BASHPID >"$c/mailbench-pennypost/cgroup.procs" 2>/dev/null &&
      { [ -e "$c/mailbench-pennypost/cpuacct.usage" ] || [ -e "$c/mailbench-pennypost/cpu.stat" ]; }; then
      CGROUP=$c/mailbench-pennypost
      return
    fi
  done
}

wait_port() {
  local _
  for _ in $(seq 1 1000); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.02
  done
  echo "port $1 never opened" >&2
  return 1
}

case ${1:-up} in
up)
  configure
  fill
  entry=$ROOT/apps/pennypost/bin/pennypost.js
  [ "${BUNDLE:-}" = 1 ] && entry=$ROOT/dist/bin/pennypost.js
  enter_cgroup
  start=$(date +%s%N)
  node ${NODE_FLAGS:-} "$entry" serve --config "$STATE/pennypost.toml" >"$STATE/out" 2>&1 &
  echo $! >"$STATE/pid"
  wait_port $((B + 25))
  wait_port $((B + 143))
  cat <<R
NAME=pennypost${CHECKS:+-checks}
STARTUP_MS=$((($(date +%s%N) - start) / 1000000))
SMTP=$((B + 25))
LMTP=$((B + 24))
IMAP=$((B + 143))
IMAPS=$((B + 993))
POP=$((B + 110))
PIDS=$(cat "$STATE/pid")
CGROUP=$CGROUP
DOMAIN=$DOMAIN
PASSWORD=$PASSWORD
NUSERS=$NUSERS
R
  ;;
down)
  pid=$(cat "$STATE/pid")
  kill -TERM "$pid" 2>/dev/null || true
  for _ in $(seq 1 300); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -rf "$STATE"
  ;;
esac
