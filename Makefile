# Everything that CI does, it does through these targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules

CARGO ?= cargo
HOSTS ?= envoy
RUNS ?= 5
TIME ?= 5m
PWSPEC := target/debug/pwspec
RELEASE := target/release/pwspec

.PHONY: help conformance test check bless guests hosts matrix reports bench fuzz clean

help: ## Say what there is to do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1|\2/' | column -t -s '|'

conformance: ## Build, run the suite on the reference host, write the HTML report, print its path
	$(CARGO) build --locked
	$(PWSPEC) run --report html

test: ## Run the tests
	$(CARGO) test --locked

check: ## Formatting, lints, documentation, licences
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps
	if $(CARGO) deny --version > /dev/null 2>&1; then $(CARGO) deny --config .config/deny.toml check licenses bans sources; else echo 'cargo-deny is not here: licences not checked (cargo install cargo-deny)'; fi

bless: ## Take the reference host's traces as its snapshots, for a person to read and commit
	$(CARGO) build --locked
	$(PWSPEC) run --snapshots new --repeat 3 || true
	$(PWSPEC) accept
	$(PWSPEC) schema --write specs/schema
	$(PWSPEC) run --snapshots check --format terse

guests: ## Build the guests again and write their manifest
	guest-fixtures/build.sh

hosts: ## Get real hosts into target/hosts: all of them, or HOSTS='envoy mosn@1.3.0 …'
	harness/adapters/get-hosts.sh $(if $(filter file,$(origin HOSTS)),all,$(HOSTS))

matrix: ## Run the suite on every host found (or on HOSTS='…' by name) and write reports/<column>/
	$(CARGO) build --locked --release
	PWSPEC=$(RELEASE) harness/adapters/matrix.sh reports $(if $(filter file,$(origin HOSTS)),,$(HOSTS))

reports: ## Render reports/index.html and reports/matrix.md from the records there; the same bytes each time
	$(CARGO) build --locked --release
	$(RELEASE) report reports/*/record.jsonl --format html -o reports/index.html $(patsubst reports/prove-%.json,--prove %=reports/prove-%.json,$(wildcard reports/prove-*.json))
	$(RELEASE) report reports/*/record.jsonl --format matrix -o reports/matrix.md

bench: ## Benches, and whole-process timings of the release build
	$(CARGO) bench --locked
	$(CARGO) build --locked --release
	.ci/timing $(RUNS)

fuzz: ## Random programs on the reference host and on HOSTS until they differ (TIME=5m)
	$(CARGO) build --locked
	$(PWSPEC) fuzz --hosts reference,$(HOSTS) --max-time $(TIME)

clean: ## Remove what was built; hosts in target/hosts too
	$(CARGO) clean
