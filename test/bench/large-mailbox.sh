#!/bin/bash
# One mailbox of MESSAGES (200000) messages: what SELECT, resynchronization, flags, SORT and THREAD cost, what ten sessions
# in it take of memory, and how long another session's NOOP waits while large commands run. A fresh instance each time.
set -eu
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$HERE/../../node_modules/.bin:$PATH
eval "$(NUSERS=1 "$HERE/pennypost.sh" up)"
trap '"$HERE/pennypost.sh" down' EXIT
node "$HERE/large-mailbox.ts" "$IMAP" "$PIDS" "user0@$DOMAIN" "$PASSWORD" "${MESSAGES:-200000}"
