#!/usr/bin/env bash
# Prints the path of a `helm` that the tests can use.
#
#   tests/setup/helm.sh          look; build one when there is none, which takes minutes once
#   tests/setup/helm.sh --find   only look; fail with advice when there is none
#
# CIOSYNC_TEST_HELM                 use this program and no other
# CIOSYNC_TEST_HELM_IGNORE_SYSTEM=1 leave out what the system has
#
# Only the path goes to stdout; everything else goes to stderr.
set -euo pipefail

readonly VERSION=v4.3.1

say() { printf '%s\n' "$*" >&2; }

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/ciosync"
readonly folder="$cache/helm-$VERSION"

# True when the program starts and is 3.14 or newer.
usable() {
  local version
  version="$("$1" version --template '{{.Version}}' 2>/dev/null)" || return 1
  [[ "$version" =~ ^v([0-9]+)\.([0-9]+) ]] || return 1
  ((BASH_REMATCH[1] > 3 || (BASH_REMATCH[1] == 3 && BASH_REMATCH[2] >= 14)))
}

find_usable() {
  local system=""
  if [[ "${CIOSYNC_TEST_HELM_IGNORE_SYSTEM:-}" != 1 ]]; then system="$(command -v helm || true)"; fi
  local program
  for program in "$system" "$folder/helm"; do
    if [[ -x "$program" ]] && usable "$program"; then
      printf '%s\n' "$program"
      return 0
    fi
  done
  return 1
}

# It lands in the cache in one move, so a broken build leaves nothing.
build() {
  local go unpacked
  go="$("$here/go.sh")" || return 1
  mkdir -p "$cache" || return 1
  unpacked="$(mktemp -d "$cache/unpack.XXXXXX")" || return 1
  trap 'rm -rf "$unpacked"' RETURN
  say "helm is missing: building $VERSION; once, about two minutes"
  (cd "$unpacked" && GOTOOLCHAIN=local GOFLAGS= GOBIN="$unpacked" CGO_ENABLED=0 \
    "$go" install -trimpath -ldflags "-s -w" "helm.sh/helm/v4/cmd/helm@$VERSION") >&2 || return 1
  rm -rf "$folder"
  mv "$unpacked" "$folder"
}

if [[ -n "${CIOSYNC_TEST_HELM:-}" ]]; then
  if usable "$CIOSYNC_TEST_HELM"; then
    printf '%s\n' "$CIOSYNC_TEST_HELM"
    exit 0
  fi
  say "error: CIOSYNC_TEST_HELM names $CIOSYNC_TEST_HELM, which is no helm of 3.14 or newer"
  exit 1
fi

find_usable && exit 0
if [[ "${1:-}" != --find ]]; then
  mkdir -p "$cache"
  # Two callers at once would build it twice, on the same processors.
  exec 9>"$cache/helm.lock"
  if command -v flock >/dev/null; then flock 9; fi
  find_usable && exit 0
  build && find_usable && exit 0
fi
say "error: no helm 3.14 or newer was found; 'make test' or tests/setup/helm.sh builds one"
exit 1
