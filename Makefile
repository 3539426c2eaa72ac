# `make help` lists the targets and their variables.

# The plan that `make run` runs, and where: on this machine, or with ON=kubernetes on the cluster of the
# current kubeconfig.
PLAN ?= plans/quick.yaml
ON ?= local
ARGS ?=

# Where `make install` installs. DESTDIR is for packagers. NAMES are the commands that are installed.
# SHADOW=yes installs `netplan` although netplan.io's program of the same name is installed.
PREFIX ?= /usr/local
DESTDIR ?=
NAMES ?= netplan kubectl-netplan
SHADOW ?= no

# The default name of the image is the one that plans use by default. PLATFORMS=linux/amd64,linux/arm64 builds for
# several architectures, into the archive target/netplan-image.tar.
IMAGE ?= netplan:$(VERSION)
PLATFORMS ?=
IMAGE_ARGS ?=
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
BUILDER ?= $(firstword $(foreach program,docker podman buildah,$(shell command -v $(program) 2>/dev/null)))

MUSL_TARGET ?= $(shell uname -m)-unknown-linux-musl
NETPLAN = target/release/netplan
SKIPPED = $(CURDIR)/target/skipped-tests
# CPU time of a first build, measured.
FAST_CPU_MINUTES = 5
RELEASE_CPU_MINUTES = 15

.PHONY: help run build check test test-bare test-bare-packages e2e packages bench figures install uninstall deb musl krew image deny schema

help:
	@echo "make run                 build with a profile that compiles fast, and run a plan on this machine"
	@echo "                         (PLAN=plans/default.yaml: the full matrix; ON=kubernetes; ARGS='--only ...')"
	@echo "make check               formatting, clippy, unit tests: the fast checks, for use while you work"
	@echo "make test                everything that CI checks but the dependencies"
	@echo "make deny                licences, sources and bans of the dependencies (installs cargo-deny if it is missing)"
	@echo "make test-bare           the installation, the build and a run on minimal Debian systems (root; an hour)"
	@echo "make test-bare-packages  only the installation of packages on them (root; minutes)"
	@echo "make e2e                 whole runs on the current kubeconfig's cluster, which needs two nodes with the image"
	@echo "make bench               the figures of docs/figures.md, in an hour or two (FIGURES='commands cluster')"
	@echo "make figures             the README's chart, docs/throughput.svg, from a run on this machine (7 min; let it run alone)"
	@echo "make build               the optimized program, target/release/netplan"
	@echo "make install             build optimized, and install the program, manual pages and completions"
	@echo "                         (PREFIX=/usr/local; NAMES='netplan kubectl-netplan'; SHADOW=yes; DESTDIR=)"
	@echo "make uninstall           remove what make install installed (PREFIX=, NAMES=)"
	@echo "make packages            install the Debian or Ubuntu packages that run and test need"
	@echo "make image               the container image, by docker, podman or buildah (IMAGE=name:tag; PLATFORMS=)"
	@echo "make deb                 a Debian package, target/debian/ (needs cargo-deb)"
	@echo "make musl                a static program (needs musl-tools and rustup's musl target)"
	@echo "make krew                archive and manifest for kubectl's plugin manager (RELEASE_URL=, BINARY=)"
	@echo "make schema              plans/plan.schema.json"

run:
	@test -e "$(PLAN)" || { echo "the plan $(PLAN) does not exist; PLAN= names another one, e.g. one of plans/" >&2; exit 1; }
	@.ci/toolchain
	@.ci/packages
	@.ci/forecast fast $(FAST_CPU_MINUTES)
	@echo "then running $(PLAN): $$(sed -n 's/^description: //p' $(PLAN))" >&2
	cargo build --profile fast --locked --bin netplan
	@echo "$(PLAN): $$(target/fast/netplan schedule $(PLAN) | tail -n 1)" >&2
	target/fast/netplan run $(PLAN) --on $(ON) $(ARGS)

build:
	@.ci/toolchain
	@.ci/packages build
	@.ci/forecast release $(RELEASE_CPU_MINUTES)
	cargo build --release --locked --bin netplan

# Needs no system packages: unit tests start no tool that measures.
check:
	@.ci/toolchain test
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --no-default-features -- -D warnings
	cargo test --locked --lib

test:
	@.ci/toolchain test
	@.ci/packages
	@.ci/axe-core $(CURDIR)/target/axe-core/axe.min.js
	@.ci/helm $(CURDIR)/target/helm
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --no-default-features -- -D warnings
	@rm -f $(SKIPPED)
	CI=true NETPLAN_SKIPPED_TESTS=$(SKIPPED) cargo test --locked; code=$$?; .ci/skipped-tests $(SKIPPED); exit $$code

test-bare:
	tests/bare/run

test-bare-packages:
	tests/bare/run --packages

# Prints first which cluster it uses.
e2e:
	cargo build --locked
	@target/debug/netplan doctor plans/quick.yaml --on kubernetes || { echo "e2e needs a cluster with two nodes; kind makes one, see docs/kubernetes.md" >&2; exit 1; }
	NETPLAN_E2E_IMAGE=$(IMAGE) cargo test --locked --test it e2e:: -- --ignored --test-threads 1

packages:
	@.ci/packages

bench: packages
	cargo bench --locked $(if $(FIGURES),-- $(FIGURES))

figures:
	@.ci/toolchain
	@.ci/packages
	cargo build --profile fast --locked --bin netplan
	rm -rf target/figures
	mkdir -p target/figures
	target/fast/netplan run plans/quick.yaml --on local --set defaults.repeat=5 --set defaults.warmup=1s \
	    --output target/figures/run --format svg > target/figures/throughput.svg
	mv target/figures/throughput.svg docs/throughput.svg

install: build
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" NAMES="$(NAMES)" SHADOW="$(SHADOW)" packaging/install $(NETPLAN)

uninstall:
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" NAMES="$(NAMES)" packaging/install --remove

# Its files have other names than those of netplan.io, so both packages can be installed; see [package.metadata.deb].
deb: build
	@cargo deb --version >/dev/null 2>&1 || { echo "make deb needs cargo-deb: cargo install cargo-deb" >&2; exit 1; }
	@rm -rf target/packaging
	@PREFIX=/usr DESTDIR=target/packaging NAMES=kubectl-netplan packaging/install $(NETPLAN)
	cargo deb --no-build

musl:
	@.ci/toolchain
	@command -v musl-gcc >/dev/null 2>&1 || { echo "make musl needs musl-gcc: apt-get install musl-tools" >&2; exit 1; }
	@test -e "$$(rustc --print sysroot)/lib/rustlib/$(MUSL_TARGET)" || { echo "make musl needs the standard library for musl: rustup target add $(MUSL_TARGET)" >&2; exit 1; }
	CC_$(subst -,_,$(MUSL_TARGET))=musl-gcc cargo build --release --locked --bin netplan --target $(MUSL_TARGET)

# The static program by default, so that it runs on every distribution.
BINARY ?= target/$(MUSL_TARGET)/release/netplan
krew:
	@VERSION="$(VERSION)" RELEASE_URL="$(RELEASE_URL)" packaging/krew/release $(BINARY) target/krew

image:
	@test -n "$(BUILDER)" || { echo "an image needs docker (with buildx), podman or buildah: apt-get install buildah" >&2; exit 1; }
ifeq ($(PLATFORMS),)
	$(BUILDER) build $(IMAGE_ARGS) --build-arg VERSION=$(VERSION) --tag $(IMAGE) .
else ifeq ($(notdir $(BUILDER)),docker)
	mkdir -p target
	docker buildx build $(IMAGE_ARGS) --platform $(PLATFORMS) --build-arg VERSION=$(VERSION) \
	    --tag $(IMAGE) --output type=oci,dest=target/netplan-image.tar .
else
	mkdir -p target
	$(BUILDER) build $(IMAGE_ARGS) --platform $(PLATFORMS) --build-arg VERSION=$(VERSION) --manifest $(IMAGE) .
	$(BUILDER) manifest push --all $(IMAGE) oci-archive:target/netplan-image.tar:$(IMAGE)
endif

deny:
	@.ci/deny

schema: build
	$(NETPLAN) schema > plans/plan.schema.json
