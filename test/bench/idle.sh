#!/bin/bash
# What SESSIONS (500) IMAP sessions that idle take of memory, in clear and over TLS. A fresh instance.
set -eu
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$HERE/../../node_modules/.bin:$PATH
eval "$(NUSERS=1 "$HERE/pennypost.sh" up)"
trap '"$HERE/pennypost.sh" down' EXIT
node "$HERE/idle.ts" "$IMAP" "$IMAPS" "$PIDS" "user0@$DOMAIN" "$PASSWORD" "${SESSIONS:-500}"
