//! Directions of traffic, measured with the real tools on the local cluster.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::{Netplan, installed, local_cluster, needs};

const PLAN: &str = "
version: 1
name: directions
workers: { w1: {}, w2: { same_node_as: w1 }, w3: { other_node_than: w1 } }
paths:
  - { name: near, from: w1, to: w2, via: pod_ip }
  - { name: far, from: w3, to: w2, via: cluster_ip }
  - { name: hairpin, from: w2, to: w2, via: cluster_ip }
local: { links: { rate: 50 Mbit/s } }
defaults: { duration: 1s }
tests:
  - iperf3: { direction: [forward, reverse, both], mss: 600, rate: 20 Mbit/s }
  - iperf3: { protocol: udp, direction: [reverse, both], rate: 5 Mbit/s }
  - iperf3: { direction: both, rate: 20 Mbit/s }
    name: gate
    paths: [far]
    expect: { throughput.forward: '>= 1 kbit/s', throughput.reverse: '>= 1 kbit/s' }
  - netperf: { direction: [forward, reverse], mss: 600 }
    paths: [near, far]
";

#[test]
fn each_direction_is_measured_where_it_arrives() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let netplan = |arguments: &[&str]| Netplan::in_folder(folder.path()).args(arguments).run();
    let run = netplan(&["run", "plan.yaml", "--on", "local", "--output", "out"]).expect(0);
    assert!(run.stdout.contains("reverse"), "{}", run.stdout);

    let journal = fs::read_to_string(folder.path().join("out/events.jsonl")).unwrap();
    let samples: BTreeMap<String, Value> = journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "sample")
        .map(|sample| (sample["cell"].as_str().unwrap().to_owned(), sample))
        .collect();
    assert_eq!(samples.len(), 9 + 6 + 1 + 4);
    for (cell, sample) in &samples {
        let figure = |name: &str| sample["metrics"][name].as_f64();
        let both = cell.contains("both") || cell.starts_with("gate");
        let parts = figure("throughput_bps.forward").zip(figure("throughput_bps.reverse"));
        assert_eq!(parts.is_some(), both, "{cell}: {}", sample["metrics"]);
        if let Some((forward, reverse)) = parts {
            let sum = figure("throughput_bps").unwrap();
            assert!(
                (forward + reverse - sum).abs() <= 1.0,
                "{cell}: {forward} + {reverse} = {sum}"
            );
            assert!(forward > 0.0 && reverse > 0.0, "{cell}");
        }
        // The segments of TCP are as large as asked, whoever sends them.
        if !cell.starts_with("iperf3-udp") && !cell.starts_with("gate") {
            let mss = figure("effective_mss");
            assert_eq!(mss, Some(588.0), "{cell}: {}", sample["metrics"]);
        }
    }
    let cells = netplan(&["report", "out", "--format", "json"])
        .expect(0)
        .stdout;
    let cells: Value = serde_json::from_str(&cells).unwrap();
    let params = &cells["cells"][1]["params"];
    assert_eq!(params["direction"], "reverse", "{params}");
    let csv = fs::read_to_string(folder.path().join("out/samples.csv")).unwrap();
    assert!(csv.contains("direction=both"), "{csv}");
    assert!(journal.contains(r#"["direction","reverse"]"#));
}
