#!/usr/bin/env bash
# Plays the quickstart from nothing: a warehouse in SQLite, a workspace in memory, two runs.
# Everything happens in a temporary folder and on the loopback interface; nothing is left behind.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=${CIOSYNC_BIN:-$here/../../target/debug}
work=$(mktemp -d)
emulator=
trap 'status=$?; [ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true; rm -rf "$work"; exit $status' EXIT INT TERM

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
# Shows a command as it would be typed, then runs it. Exit 3 says that some rows were not accepted,
# and some are wrong on purpose.
run() {
    printf '\033[2m$ ciosync %s\033[0m\n' "$*"
    "$bin/ciosync" "$@" || [ $? -eq 3 ]
}
changes() { "$bin/examples/sqlite" "$work/warehouse.db" "$here/$1"; }

say "A warehouse: 5,000 customers in SQLite, five of them wrong on purpose"
changes warehouse.sql
cp "$here/sync.yaml" "$work/"

say "A Customer.io workspace in memory, behind the real HTTP endpoints"
"$bin/ciosync" emulator --listen 127.0.0.1:0 >"$work/emulator.log" 2>&1 &
emulator=$!
url=
for _ in $(seq 100); do
    url=$(sed -n 's/^listening on //p' "$work/emulator.log")
    [ -z "$url" ] || break
    sleep 0.1
done
[ -n "$url" ] || { cat "$work/emulator.log"; exit 1; }
echo "$url"

# Its address and its credentials; a real workspace needs the credentials alone.
sed "s|^  apiKey:|  endpoint: $url\n  apiKey:|" "$here/sync.yaml" >"$work/sync.yaml"
mkdir -p "$work/secrets/customerio"
printf 'emulator-site-id' >"$work/secrets/customerio/site-id"
printf 'emulator-api-key' >"$work/secrets/customerio/api-key"
cd "$work"

say "What would a run deliver?"
run plan -f sync.yaml --secrets secrets

say "Deliver it"
run run -f sync.yaml --secrets secrets

say "One person, as the workspace sees them"
# The emulator's JSON door, asked without any HTTP client.
address=${url#http://}
exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
printf 'GET /_emulator/people/7 HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$address" >&3
sed -n '/^{/,$p' <&3
exec 3>&-
echo

say "A day later: some upgrade, one corrects an address, three are new, two are gone"
cat "$here/changes.sql"
changes changes.sql

say "The second run sends those and nothing else"
run run -f sync.yaml --secrets secrets

say "Which rows were not accepted, and why?"
run get rejections customers --show-keys

say "A third run finds nothing to send"
run run -f sync.yaml --secrets secrets
