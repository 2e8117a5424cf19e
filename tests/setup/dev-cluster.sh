#!/usr/bin/env bash
# Runs a Kubernetes API server with our CRDs until Ctrl-C, for trying things by hand (`make dev-cluster`).
#
# It is the one of the tests: real, without nodes, so Pods never run. Nothing of it is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

apiserver="$(tests/setup/apiserver.sh)"
kubectl="$(dirname "$apiserver")/kubectl"

dir="$(mktemp -d)"
server=""
# The end of its input ends the servers and removes their folder.
stop() {
  trap '' INT TERM
  exec 3>&-
  if [[ -n "$server" ]]; then wait "$server" || true; fi
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkfifo "$dir/commands"
"$apiserver" serve <"$dir/commands" >"$dir/place" &
server=$!
exec 3>"$dir/commands"
until [[ -s "$dir/place" ]]; do
  kill -0 "$server" 2>/dev/null || { echo "error: the API server did not start" >&2; exit 1; }
  sleep 0.1
done
kubeconfig="$(sed -E 's/.*"kubeconfig":"([^"]+)".*/\1/' "$dir/place")"
"$kubectl" --kubeconfig "$kubeconfig" apply --server-side -f crds >&2
"$kubectl" --kubeconfig "$kubeconfig" wait --for=condition=Established crd --all >/dev/null

cat <<TEXT

The API server is ready. In another terminal:

    export KUBECONFIG=$kubeconfig
TEXT
if ! command -v kubectl >/dev/null; then printf '    alias kubectl=%s\n' "$kubectl"; fi
cat <<TEXT
    kubectl apply -f examples/postgres && kubectl get ciosync

Ctrl-C here ends it and forgets everything.
TEXT
wait "$server"
