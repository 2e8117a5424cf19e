#!/usr/bin/env bash
# Prints the path of the Lua that Argo CD runs its health checks in, as a program: gopher-lua.
#
#   tests/setup/lua.sh          look; build one when there is none, which takes seconds
#   tests/setup/lua.sh --find   only look; fail with advice when there is none
#
# CIOSYNC_TEST_LUA   use this program and no other
#
# Only the path goes to stdout; everything else goes to stderr.
set -euo pipefail

# The version in the go.mod of Argo CD 3.
readonly VERSION=v1.1.1

say() { printf '%s\n' "$*" >&2; }

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/ciosync"
readonly program="$cache/glua-$VERSION/glua"

# True when the program starts and speaks Lua.
usable() { [[ "$("$1" -e 'print(6 * 7)' 2>/dev/null)" == 42* ]]; }

# It lands in the cache in one move, so a broken build leaves nothing.
build() {
  local go unpacked
  go="$("$here/go.sh")" || return 1
  mkdir -p "$cache" || return 1
  unpacked="$(mktemp -d "$cache/unpack.XXXXXX")" || return 1
  trap 'rm -rf "$unpacked"' RETURN
  say "Argo CD's Lua is missing: building gopher-lua $VERSION"
  (cd "$unpacked" && GOTOOLCHAIN=local GOFLAGS= GOBIN="$unpacked" CGO_ENABLED=0 \
    "$go" install -trimpath "github.com/yuin/gopher-lua/cmd/glua@$VERSION") >&2 || return 1
  rm -rf "$(dirname "$program")"
  mv "$unpacked" "$(dirname "$program")"
}

if [[ -n "${CIOSYNC_TEST_LUA:-}" ]]; then
  if usable "$CIOSYNC_TEST_LUA"; then
    printf '%s\n' "$CIOSYNC_TEST_LUA"
    exit 0
  fi
  say "error: CIOSYNC_TEST_LUA names $CIOSYNC_TEST_LUA, which is no Lua"
  exit 1
fi
if ! usable "$program" && [[ "${1:-}" != --find ]]; then build || true; fi
if usable "$program"; then
  printf '%s\n' "$program"
  exit 0
fi
say "error: Argo CD's Lua was not found; 'make test' or tests/setup/lua.sh builds it"
exit 1
