# The image of netplan's pods: the binary, the tools that measure, and nothing that asks the network
# for anything at run time. `make image` builds it; docker, podman and buildah all can.
#
#   --build-arg DEBIAN=…, RUST=…   base images from a mirror
#   --build-arg PROFILE=dev        a quick, unoptimised build

ARG DEBIAN=docker.io/library/debian:bookworm-slim
ARG RUST=docker.io/library/rust:1.95-slim-bookworm

# Always on the building machine's own architecture: for another one it cross-compiles, which takes
# minutes where emulation takes an hour.
FROM --platform=$BUILDPLATFORM ${RUST} AS build
ARG TARGETARCH
ARG PROFILE=release
WORKDIR /src
COPY . .
RUN set -eu; \
    here=$(dpkg --print-architecture); \
    case "${TARGETARCH:=$here}" in \
        amd64) cpu=x86_64; cross=gcc-x86-64-linux-gnu ;; \
        arm64) cpu=aarch64; cross=gcc-aarch64-linux-gnu ;; \
        *) echo "no image for $TARGETARCH: amd64 or arm64" >&2; exit 1 ;; \
    esac; \
    target=$cpu-unknown-linux-gnu; \
    if [ "$TARGETARCH" != "$here" ]; then \
        apt-get update; \
        apt-get install -y --no-install-recommends "$cross" "libc6-dev-$TARGETARCH-cross"; \
        rustup target add "$target"; \
        name=$(echo "$target" | tr a-z- A-Z_); \
        export "CARGO_TARGET_${name}_LINKER=$cpu-linux-gnu-gcc"; \
        export "CC_$(echo "$target" | tr - _)=$cpu-linux-gnu-gcc"; \
    fi; \
    cargo build --locked --profile "$PROFILE" --target "$target" --bin netplan; \
    folder=$PROFILE; [ "$PROFILE" != dev ] || folder=debug; \
    install -D -m 0755 "target/$target/$folder/netplan" /out/netplan

FROM ${DEBIAN}
# netperf's licence puts it into Debian's non-free. netbase has /etc/protocols, without which netperf crashes
# when it sets an MSS.
RUN set -eu; \
    sed -i 's/^Components: main$/Components: main non-free/' /etc/apt/sources.list.d/debian.sources; \
    apt-get update; \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ethtool iperf3 netbase netperf; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/cache/ldconfig/* \
        /var/log/* /usr/share/doc /usr/share/man /usr/share/locale /usr/share/info; \
    groupadd --gid 65532 netplan; \
    useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin netplan
COPY --from=build /out/netplan /usr/bin/netplan

ARG VERSION
LABEL org.opencontainers.image.title="netplan" \
      org.opencontainers.image.description="Network benchmarks for Kubernetes: orchestrator and workers" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
# By number: kubelets cannot tell whether a name is root.
USER 65532:65532
ENTRYPOINT ["/usr/bin/netplan"]
