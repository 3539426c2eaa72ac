# make run     build, and run a plan on the local cluster (PLAN=plans/quick.yaml picks another)
# make test    everything that CI checks
# make bench   the figures that the README quotes, in 12 minutes (FIGURES='commands cluster': some of them)
# make deny    licences, advisories and duplicates of the dependencies (needs cargo-deny)

PLAN ?= plans/default.yaml
ARGS ?=
NETPLAN = target/release/netplan

.PHONY: run build test packages bench deny schema

run: build
	$(NETPLAN) run $(PLAN) $(ARGS)

build: packages
	cargo build --release --locked

test: packages
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	CI=true cargo test --locked

packages:
	@.ci/packages

bench: packages
	cargo bench --locked $(if $(FIGURES),-- $(FIGURES))

deny:
	cargo deny --locked check

schema: build
	$(NETPLAN) schema > plans/plan.schema.json
