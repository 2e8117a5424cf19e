#!/usr/bin/env bash
# Prints the path of the Kubernetes API server for tests (tests/apiserver); `kubectl` lies beside it.
#
#   tests/setup/apiserver.sh          look; build it when there is none, which takes minutes once
#   tests/setup/apiserver.sh --find   only look; fail with advice when there is none
#
# CIOSYNC_TEST_APISERVER   use this program and no other
# KUBEBUILDER_ASSETS       folder of etcd and kube-apiserver (and, if there, kube-controller-manager
#                          and kubectl) to use; then only the little program that starts them is built
#
# Only the path goes to stdout; everything else goes to stderr.
set -euo pipefail

readonly KUBERNETES_VERSION=v1.36.3
# One set of flags: others would compile all of Kubernetes anew. Without the version, kubectl complains.
readonly -a FLAGS=(-ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$KUBERNETES_VERSION")

say() { printf '%s\n' "$*" >&2; }

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly source="$here/../apiserver"
readonly cache="${XDG_CACHE_HOME:-$HOME/.cache}/ciosync"
readonly assets="${KUBEBUILDER_ASSETS:-}"

# Changes with everything that goes into the build.
key() {
  local hash=(sha256sum)
  command -v sha256sum >/dev/null || hash=(shasum -a 256)
  {
    uname -sm
    printf '%s\n' "${FLAGS[@]}" "$assets"
    cd "$source" && find . -name '*.go' -o -name 'go.*' | LC_ALL=C sort | xargs "${hash[@]}"
  } | "${hash[@]}" | cut -c 1-16
}

# Builds into the cache. It lands there in one move, so a broken build leaves nothing.
build() {
  local go unpacked package=.
  go="$("$here/go.sh")" || return 1
  unpacked="$(mktemp -d "$cache/unpack.XXXXXX")" || return 1
  trap 'rm -rf "$unpacked"' RETURN
  if [[ -n "$assets" ]]; then
    package=./assets
    say "building what starts the API server of $assets"
  else
    say "building Kubernetes' API server $KUBERNETES_VERSION for the tests; once, about five minutes"
  fi
  (cd "$source" && GOTOOLCHAIN=local GOFLAGS=-buildvcs=false CGO_ENABLED=0 \
    "$go" build -mod=readonly "${FLAGS[@]}" -o "$unpacked/apiserver" "$package") >&2 || return 1
  local kubectl="$assets/kubectl"
  if [[ -z "$assets" ]]; then
    kubectl=apiserver
  elif [[ ! -x "$kubectl" ]]; then
    kubectl="$(command -v kubectl)" || { say "error: no kubectl in $assets and none installed"; return 1; }
  fi
  ln -s "$kubectl" "$unpacked/kubectl"
  chmod 755 "$unpacked"
  mv "$unpacked" "$folder"
}

if [[ -n "${CIOSYNC_TEST_APISERVER:-}" ]]; then
  if [[ -x "$CIOSYNC_TEST_APISERVER" ]]; then
    printf '%s\n' "$CIOSYNC_TEST_APISERVER"
    exit 0
  fi
  say "error: CIOSYNC_TEST_APISERVER names $CIOSYNC_TEST_APISERVER, which is no program"
  exit 1
fi

if [[ -n "$assets" && ! ( -x "$assets/etcd" && -x "$assets/kube-apiserver" ) ]]; then
  say "error: KUBEBUILDER_ASSETS names $assets, which has no etcd and kube-apiserver"
  exit 1
fi

folder="$cache/apiserver-$(key)"
readonly folder
if [[ ! -x "$folder/apiserver" ]]; then
  if [[ "${1:-}" == --find ]]; then
    say "error: the API server for tests is not built; 'make test' or tests/setup/apiserver.sh builds it"
    exit 1
  fi
  mkdir -p "$cache"
  # Two callers at once would build it twice, on the same processors.
  exec 9>"$cache/apiserver.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [[ ! -x "$folder/apiserver" ]]; then build || exit 1; fi
fi
printf '%s\n' "$folder/apiserver"
