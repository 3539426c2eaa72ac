//! Address families of paths, by real runs on the local cluster.

use std::fs;
use std::net::IpAddr;

use netplan::plan::Family;
use netplan::results::{Event, EventKind, journal};
use tempfile::TempDir;

use crate::support::{Ended, Netplan, installed, local_cluster, needs};

const WORKERS: &str = "workers: { w1: {}, w2: { same_node_as: w1 }, w3: { other_node_than: w1 } }";

fn run(plan: &str, code: i32) -> (TempDir, Ended) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    let output = Netplan::in_folder(&folder).args(run).run().expect(code);
    (folder, output)
}

/// Of each sample the cell, the family of the address that the client dialed, and the effective MSS.
fn samples(folder: &TempDir) -> Vec<(String, Family, Option<u32>)> {
    let events: Vec<Event> = journal::read(&folder.path().join("out")).unwrap().events;
    let samples = events.into_iter().filter_map(|event| match event.kind {
        EventKind::Sample(sample) => {
            let mut addresses = sample.command.iter().filter_map(|word| word.parse().ok());
            let address: IpAddr = addresses.next().unwrap();
            let mss = sample.metrics.get("effective_mss");
            let mss = mss.map(|mss| format!("{mss:.0}").parse().unwrap());
            Some((sample.cell.0, Family::from_address(address), mss))
        }
        _ => None,
    });
    samples.collect()
}

#[test]
fn one_plan_measures_both_families() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let plan = format!(
        "version: 1
name: both
{WORKERS}
paths:
  - {{ name: pod, from: w3, to: w2, via: pod_ip }}
  - {{ name: pod-6, from: w3, to: w2, via: pod_ip, family: ipv6, expect: {{ throughput: '>= 1% of pod' }} }}
  - {{ name: service, from: w3, to: w2, via: cluster_ip, family: ipv4 }}
  - {{ name: service-6, from: w1, to: w2, via: cluster_ip, family: ipv6 }}
  - {{ name: hairpin-6, from: w2, to: w2, via: cluster_ip, family: ipv6 }}
defaults: {{ duration: 1s }}
tests:
  - iperf3: {{ mss: 1460 }}
  - {{ netperf: {{ test: TCP_CRR }}, paths: [pod-6, service-6] }}
  - {{ netperf: {{ test: UDP_STREAM }}, paths: [pod-6] }}
"
    );
    let (folder, output) = run(&plan, 0);
    output.says("kept");
    // The MTU of 1500 less the headers of IP, and TCP's with its timestamps.
    let (v4, v6) = (Some(1500 - 20 - 32), Some(1500 - 40 - 32));
    let found = samples(&folder);
    let tcp: Vec<_> = found.iter().take(5).cloned().collect();
    let cell = |name: &str, family, mss| (format!("iperf3-tcp/{name}"), family, mss);
    assert_eq!(
        tcp,
        [
            cell("pod", Family::Ipv4, v4),
            cell("pod-6", Family::Ipv6, v6),
            cell("service", Family::Ipv4, v4),
            cell("service-6", Family::Ipv6, v6),
            cell("hairpin-6", Family::Ipv6, v6),
        ]
    );
    assert_eq!(found.len(), 8, "{found:?}");
    let rest = found.iter().skip(5);
    assert!(rest.clone().all(|(_, family, _)| *family == Family::Ipv6));
}

/// What a plan without a word about families measures on a cluster of this first family.
fn without_a_word(families: &str) -> Vec<Family> {
    let plan = format!(
        "version: 1
name: silent
{WORKERS}
local: {{ ip_families: {families} }}
paths:
  - {{ name: pod, from: w3, to: w2, via: pod_ip }}
  - {{ name: service, from: w3, to: w2, via: cluster_ip }}
  - {{ name: hairpin, from: w1, to: w1, via: cluster_ip }}
defaults: {{ duration: 1s }}
tests: [{{ iperf3: {{}} }}]
"
    );
    let (folder, _) = run(&plan, 0);
    let found = samples(&folder);
    assert_eq!(found.len(), 3);
    found.into_iter().map(|(_, family, _)| family).collect()
}

#[test]
fn a_cluster_of_one_family_needs_no_word_in_the_plan() {
    needs!(local_cluster(), installed(&["iperf3"]));
    assert_eq!(without_a_word("[ipv6]"), [Family::Ipv6; 3]);
    assert_eq!(without_a_word("[ipv4]"), [Family::Ipv4; 3]);
}

#[test]
fn the_first_family_of_the_cluster_is_the_default() {
    needs!(local_cluster(), installed(&["iperf3"]));
    assert_eq!(without_a_word("[ipv6, ipv4]"), [Family::Ipv6; 3]);
}

#[test]
fn a_cluster_without_the_family_refuses_at_the_key() {
    needs!(local_cluster(), installed(&["iperf3"]));
    for (local, via, why) in [
        (
            "ip_families: [ipv4]",
            "pod_ip",
            "`local.ip_families` does not list it",
        ),
        (
            "links: { mtu: 1000 }",
            "cluster_ip",
            "`mtu` in `local:` is less than the 1280 bytes",
        ),
    ] {
        let plan = format!(
            "version: 1
name: refused
{WORKERS}
local: {{ {local} }}
paths: [{{ name: v6, from: w3, to: w2, via: {via}, family: ipv6 }}]
tests: [{{ iperf3: {{}} }}]
"
        );
        let (_folder, output) = run(&plan, 1);
        output.says(&format!("`family` of path `v6` needs IPv6: {why}"));
    }
}
