# The commands a contributor needs. `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo

.PHONY: help demo test fuzz dev-cluster soak fair scale check check-tls check-licences check-generated bench generate

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run the quickstart: a sync from a local database into an emulated workspace
	@$(CARGO) build --bin ciosync --example sqlite
	@target_dir="$$($(CARGO) metadata --format-version 1 --no-deps | sed -E 's/.*"target_directory":"([^"]+)".*/\1/')"; \
	  CIOSYNC_BIN="$$target_dir/debug" examples/quickstart/demo.sh

test: ## Run all tests; first finds, fetches or builds PostgreSQL, a Kubernetes API server, helm, clients
	@postgres="$$(tests/setup/postgres.sh)"; \
	  apiserver="$$(tests/setup/apiserver.sh)"; \
	  helm="$$(tests/setup/helm.sh)"; \
	  clients="$$(tests/setup/clients.sh)"; \
	  printf 'tests use %s\n' "$$postgres" "$$apiserver" "$$helm" "$$clients"; \
	  CIOSYNC_TEST_POSTGRES_BIN="$$postgres" CIOSYNC_TEST_APISERVER="$$apiserver" \
	  CIOSYNC_TEST_HELM="$$helm" CIOSYNC_TEST_CLIENTS="$$clients" \
	  $(CARGO) test --quiet --no-fail-fast

dev-cluster: ## Run a Kubernetes API server with our CRDs until Ctrl-C
	@tests/setup/dev-cluster.sh

soak: ## Kill runs at random for as long as one likes: make soak KILLS=500 SEED=7
	@bin="$$(tests/setup/postgres.sh)"; \
	  CIOSYNC_TEST_POSTGRES_BIN="$$bin" SOAK_KILLS="$(or $(KILLS),500)" SOAK_SEED="$(SEED)" \
	  SOAK_EVENTS="$(EVENTS)" \
	  $(CARGO) test --quiet --test it faults::kills -- --nocapture

scale: ## Run 500 Syncs in one operator until each has met its slot, some five minutes: make scale
	@apiserver="$$(tests/setup/apiserver.sh)"; \
	  CIOSYNC_TEST_APISERVER="$$apiserver" SCALE_SECONDS=600 \
	  $(CARGO) test --quiet --test it cluster::scale -- --nocapture

fair: ## Run a small Sync beside a backfill of two million people: make fair PEOPLE=2000000
	@FAIR_PEOPLE="$(or $(PEOPLE),2000000)" $(CARGO) test --quiet --test it capability::fair -- --nocapture

# A nightly toolchain, because the fuzzer's instrumentation is no part of a stable one.
fuzz: ## Look for bytes that break a law of tests/it/laws: make fuzz SECONDS=60
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) +nightly install --quiet --locked cargo-fuzz
	@for law in answer json manifest read_back segment words; do \
	  mkdir -p "fuzz/corpus/$$law"; cp tests/cases/$$law/* "fuzz/corpus/$$law/"; \
	  echo "fuzz: $$law for $(or $(SECONDS),60) seconds"; \
	  $(CARGO) +nightly fuzz run --release "$$law" -- -max_total_time=$(or $(SECONDS),60) -print_final_stats=1 -verbosity=0; \
	done

check: check-tls check-licences ## Format, lints, licences, and whether generated files are fresh
	@echo "check: format"; $(CARGO) fmt --check
	@echo "check: lints"; $(CARGO) clippy --quiet --all-targets -- -D warnings
	@$(MAKE) --no-print-directory check-generated
	@echo "check: all good"

# A second TLS provider in the tree would make rustls refuse to choose one at run time.
# The lock file names every crate of every feature and platform in use, once it is current.
check-tls:
	@echo "check: one TLS provider"
	@$(CARGO) tree --quiet --locked --depth 0 >/dev/null
	@for crate in aws-lc-rs openssl native-tls; do \
	  if grep -qx "name = \"$$crate\"" Cargo.lock; then \
	    $(CARGO) tree --quiet --target all --invert $$crate || true; \
	    echo "error: $$crate is in the dependency tree; TLS is rustls with ring only" >&2; exit 1; \
	  fi; \
	done

# The advisory database comes over the network; without it the rest is still checked.
check-licences:
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	  echo "check: licences, bans, sources"; \
	  $(CARGO) deny --log-level error check --hide-inclusion-graph licenses bans sources; \
	  if $(CARGO) deny --log-level off fetch db >/dev/null 2>&1; then \
	    echo "check: advisories"; $(CARGO) deny --log-level error check --disable-fetch advisories; \
	  else echo "note: advisories were not checked: their database cannot be fetched from here"; fi; \
	else echo "note: licences and advisories were not checked: cargo-deny is not installed"; fi

check-generated:
	@echo "check: generated files"
	@fresh="$$(mktemp -d)"; trap 'rm -rf "$$fresh"' EXIT; \
	  $(CARGO) run --quiet -- crds --output "$$fresh"; \
	  for folder in crds charts/ciosync/files/crds; do \
	    diff -ru "$$folder" "$$fresh" || { echo "error: $$folder is stale: run 'make generate' and commit the result" >&2; exit 1; }; \
	  done

# The official Python client stands beside ours; without Python that one row is left out.
BENCH_VENV ?= $(HOME)/.cache/ciosync/bench-venv

bench: ## Measure throughput and memory against plain reading and the Python client; takes minutes
	@bin="$$(tests/setup/postgres.sh)"; \
	  if [ ! -x "$(BENCH_VENV)/bin/python" ]; then python3 -m venv "$(BENCH_VENV)" || true; fi; \
	  "$(BENCH_VENV)/bin/python" -m pip install --quiet --disable-pip-version-check customerio==3.2.0 || true; \
	  CIOSYNC_TEST_POSTGRES_BIN="$$bin" CIOSYNC_BENCH_PYTHON="$(BENCH_VENV)/bin/python" \
	  $(CARGO) bench --bench throughput

generate: ## Write the generated files: crds/ and the chart's copies of them
	$(CARGO) run --quiet -- crds --output crds
	$(CARGO) run --quiet -- crds --output charts/ciosync/files/crds
