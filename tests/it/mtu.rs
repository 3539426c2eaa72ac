//! The largest packets that arrive, with real links, routers and black holes.

use serde_json::Value;

use crate::support::{Netplan, installed, local_cluster, needs};

/// Two hosts with a router between them, each in a network namespace of its own; the far host's link takes packets of 1400
/// bytes. `setup` runs before the search. Prints the client's documents of IPv4 and of IPv6.
const SCRIPT: &str = r#"
set -eu
setup=$1
folder=$(mktemp -d)
unshare --net sleep 100 & router=$!
unshare --net sleep 100 & far=$!
server=
trap 'kill $router $far $server 2>/dev/null; rm -rf "$folder"' EXIT
own=$(readlink /proc/self/ns/net)
for other in $router $far; do
    until [ "$(readlink /proc/$other/ns/net)" != "$own" ]; do sleep 0.02; done
done
at() { target=$1; shift; nsenter --net --target "$target" "$@"; }
ip link set lo up
ip link add near mtu 1500 type veth peer name in mtu 1500 netns "$router"
at "$far" ip link add far mtu 1400 type veth peer name out mtu 1400 netns "$router"
up() { at "$1" ip address add "$3" dev "$2"; at "$1" ip address add "$4" dev "$2" nodad; at "$1" ip link set "$2" up; }
up $$ near 10.1.0.1/24 fd01::1/64
up "$router" in 10.1.0.2/24 fd01::2/64
up "$router" out 10.2.0.2/24 fd02::2/64
up "$far" far 10.2.0.1/24 fd02::1/64
at "$router" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
ip route add default via 10.1.0.2
ip -6 route add default via fd01::2
at "$far" ip route add default via 10.2.0.2
at "$far" ip -6 route add default via fd02::2
eval "$setup"
nsenter --net --target "$far" "$0" probe server --port 5400 --for 100s 2> "$folder/server" &
server=$!
until grep -q ready "$folder/server"; do sleep 0.02; done
for to in 10.2.0.1 fd02::1; do
    "$0" probe client --mtu --port 5400 --to "$to" --for 40s
done
"#;

/// Of IPv4 and of IPv6 the largest packet and payload, and why no larger one arrives: forward, then reverse.
fn largest(setup: &str) -> [[(u64, u64, String); 2]; 2] {
    let wrapper = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        SCRIPT,
    ];
    let folder = tempfile::tempdir().unwrap();
    let ended = Netplan::in_folder(&folder)
        .started_by(&wrapper)
        .args([setup])
        .run()
        .expect(0);
    let documents: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let documents: [Value; 2] = documents.try_into().unwrap();
    documents.map(|document| {
        ["forward", "reverse"].map(|way| {
            let found = &document["mtu"][way];
            let bytes = |key: &str| found[key].as_u64().unwrap();
            let limit = found["limit"].as_str().unwrap().to_owned();
            (bytes("largest_bytes"), bytes("payload_bytes"), limit)
        })
    })
}

fn found(bytes: u64, headers: u64, limit: &str) -> (u64, u64, String) {
    (bytes, bytes - headers, limit.to_owned())
}

#[test]
fn a_smaller_link_is_found_by_what_its_router_says() {
    needs!(local_cluster(), installed(&["unshare", "nsenter", "ip"]));
    let expected = [28, 48].map(|headers| {
        [
            found(1400, headers, "icmp"),
            found(1400, headers, "interface"),
        ]
    });
    assert_eq!(largest("true"), expected);
}

#[test]
fn a_router_whose_icmp_is_dropped_is_a_black_hole() {
    needs!(
        local_cluster(),
        installed(&["unshare", "nsenter", "ip", "nft"])
    );
    let no_icmp = "at $router nft 'add table inet t; add chain inet t c { type filter hook output priority 0; };
add rule inet t c icmp type destination-unreachable drop; add rule inet t c icmpv6 type packet-too-big drop'";
    let expected = [28, 48].map(|headers| {
        [
            found(1400, headers, "silence"),
            found(1400, headers, "interface"),
        ]
    });
    assert_eq!(largest(no_icmp), expected);
}

#[test]
fn a_router_that_drops_large_packets_is_a_black_hole_in_both_directions() {
    needs!(
        local_cluster(),
        installed(&["unshare", "nsenter", "ip", "nft"])
    );
    let drops = "at $router nft 'add table inet t; add chain inet t c { type filter hook forward priority 0; };
add rule inet t c meta length > 1333 drop'";
    let expected = [28, 48].map(|headers| ["silence"; 2].map(|limit| found(1333, headers, limit)));
    assert_eq!(largest(drops), expected);
}

/// The links between the emulated nodes are smaller than the pods' interfaces, and the nodes say so.
#[test]
fn a_run_finds_the_mtu_of_emulated_links() {
    needs!(local_cluster());
    let plan = "
version: 1
name: mtu
workers: { a: {}, same: { same_node_as: a }, other: { other_node_than: a } }
paths:
  - { name: same, from: a, to: same, via: pod_ip }
  - { name: pod, from: a, to: other, via: pod_ip }
  - { name: pod-6, from: a, to: other, via: pod_ip, family: ipv6 }
  - { name: service, from: a, to: other, via: cluster_ip }
defaults: { duration: 1s }
tests: [{ probe: { mode: mtu } }]
local: { nodes: 2, links: { mtu: 1400 }, pods: { mtu: 1500 } }
";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    let ended = Netplan::in_folder(&folder)
        .args(["run", "plan.yaml", "--on", "local", "--output", "out"])
        .run()
        .expect(0);
    let events = netplan::results::journal::read(&folder.path().join("out")).unwrap();
    let samples = events
        .events
        .into_iter()
        .filter_map(|event| match event.kind {
            netplan::results::EventKind::Sample(sample) => Some(sample),
            _ => None,
        });
    let mut found: Vec<(String, [Option<f64>; 2])> = Vec::new();
    for sample in samples {
        assert!(!ended.said().contains("vanish"), "{}", ended.said());
        let bytes = ["mtu_bytes.forward", "mtu_bytes.reverse"].map(|name| sample.metrics.get(name));
        found.push((sample.path, bytes));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("pod", 1400.0),
        ("pod-6", 1400.0),
        ("same", 1500.0),
        ("service", 1400.0),
    ];
    let expected = expected.map(|(path, bytes)| (path.to_owned(), [Some(bytes); 2]));
    assert_eq!(found, expected);
}
