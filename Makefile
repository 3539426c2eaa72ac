# make run     build, and run a plan on the local cluster (PLAN=plans/quick.yaml picks another)
# make test    everything that CI checks
# make e2e     all of it on the current kubeconfig's cluster, which needs two nodes with the image (IMAGE=name:tag)
# make bench   the figures that the README quotes, in an hour or two (FIGURES='commands cluster': some of them)
# make image   the container image, by docker, podman or buildah (IMAGE=name:tag; see below for more)
# make deny    licences, advisories and duplicates of the dependencies (needs cargo-deny)

# The image's name is that which plans take by default. PLATFORMS=linux/amd64,linux/arm64 builds for
# several architectures, into the archive target/netplan-image.tar.
IMAGE ?= netplan:$(VERSION)
PLATFORMS ?=
IMAGE_ARGS ?=
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
BUILDER ?= $(firstword $(foreach program,docker podman buildah,$(shell command -v $(program) 2>/dev/null)))
PLAN ?= plans/default.yaml
ARGS ?=
NETPLAN = target/release/netplan
SKIPPED = $(CURDIR)/target/skipped-tests

.PHONY: run build test e2e packages bench image deny schema

run: build
	$(NETPLAN) run $(PLAN) $(ARGS)

build: packages
	cargo build --release --locked

test: packages
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	@rm -f $(SKIPPED)
	CI=true NETPLAN_SKIPPED_TESTS=$(SKIPPED) cargo test --locked; code=$$?; .ci/skipped-tests $(SKIPPED); exit $$code

# It says first which cluster it is going to use.
e2e:
	cargo build --locked
	@target/debug/netplan doctor plans/quick.yaml --on kubernetes || { echo "e2e needs a cluster with two nodes; kind makes one, see 'On Kubernetes' in README.md" >&2; exit 1; }
	NETPLAN_E2E_IMAGE=$(IMAGE) cargo test --locked --test it e2e:: -- --ignored --test-threads 1

packages:
	@.ci/packages

bench: packages
	cargo bench --locked $(if $(FIGURES),-- $(FIGURES))

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
	cargo deny --locked check

schema: build
	$(NETPLAN) schema > plans/plan.schema.json
