//! A run finds black holes before its first sample. The local cluster runs with real ones, which a worker's own pod makes.

use std::collections::BTreeMap;

use netplan::catalog::Direction;
use netplan::results::warnings::{MtuEvidence, Warning};
use netplan::results::{EventKind, journal};

use crate::support::{Netplan, RUN_WITH_TEMPLATES, add_templates, installed, local_cluster, needs};

const PLAN: &str = "
version: 1
name: black-hole
workers: { w1: {}, w2: { other_node_than: w1 }, w3: { other_node_than: w1 } }
paths:
  - { name: healthy, from: w2, to: w3, via: pod_ip }
  - { name: into, from: w2, to: w1, via: cluster_ip }
  - { name: out, from: w1, to: w3, via: pod_ip }
defaults: { duration: 1s, retries: 0 }
tests:
  - { name: small, probe: { mode: udp } }
  - { name: largest, probe: { mode: mtu }, paths: [into] }
  - { name: bulk, iperf3: {}, paths: [healthy, into], timeout: 3s }
";

/// Drops large packets that arrive: those for the tools of this pod, and those of tools elsewhere that answer over TCP.
const SCRIPT: &str = "nft 'add table inet f; add chain inet f i { type filter hook input priority 0; }; \
    add rule inet f i meta l4proto { tcp, udp } th dport 5200-5500 meta length > 1000 drop; \
    add rule inet f i tcp sport 5200-5500 meta length > 1000 drop'";

fn vanished(direction: Direction) -> Warning {
    Warning::MtuBlackHole {
        direction,
        evidence: MtuEvidence::VanishedPayloadBytes(1448),
    }
}

#[test]
fn samples_and_failures_of_a_path_with_a_black_hole_say_so() {
    needs!(local_cluster(), installed(&["nft", "iperf3"]));
    let folder = tempfile::tempdir().unwrap();
    add_templates(folder.path(), "w1", SCRIPT);
    std::fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let run = Netplan::in_folder(&folder).args(RUN_WITH_TEMPLATES);
    let ended = run.args(["--output", "out"]).run();
    let said = ended.said();
    let mut warnings: BTreeMap<String, Vec<Warning>> = BTreeMap::new();
    let mut failures: BTreeMap<String, String> = BTreeMap::new();
    for event in journal::read(&folder.path().join("out")).unwrap().events {
        match event.kind {
            EventKind::Sample(sample) => {
                let is_it = |one: &Warning| matches!(one, Warning::MtuBlackHole { .. });
                let found = sample.warnings.into_iter().filter(is_it).collect();
                warnings.insert(sample.cell.0, found);
            }
            EventKind::AttemptFailed { cell, failure, .. } => {
                failures.insert(cell.0, failure.note);
            }
            _ => {}
        }
    }
    let largest = Warning::MtuBlackHole {
        direction: Direction::Forward,
        evidence: MtuEvidence::LargestBytes(1000),
    };
    let expected = [
        ("bulk/healthy", vec![]),
        ("largest/into", vec![largest]),
        ("small/healthy", vec![]),
        ("small/into", vec![vanished(Direction::Forward)]),
        ("small/out", vec![vanished(Direction::Reverse)]),
    ];
    let expected = expected.map(|(cell, found)| (cell.to_owned(), found));
    assert_eq!(warnings, BTreeMap::from(expected), "{said}");
    assert_eq!(failures.keys().collect::<Vec<_>>(), ["bulk/into"], "{said}");
    for text in [
        "large packets vanish on the path",
        "at worst forward, packets larger than 1000 bytes",
        "before the first sample, large packets vanished on this path: forward, TCP segments with 1448 bytes",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
}
