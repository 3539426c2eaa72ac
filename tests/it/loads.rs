//! Latency under load, with real tools over an emulated link.

use std::fs;

use serde_json::Value;

use crate::support::{Netplan, installed, local_cluster, needs};

const PLAN: &str = "
version: 1
name: loads
workers: { w1: {}, w2: { other_node_than: w1 }, w3: { same_node_as: w1 } }
paths:
  - { name: far, from: w1, to: w2, via: pod_ip }
  - { name: other, from: w3, to: w2, via: cluster_ip }
local: { links: { rate: 20 Mbit/s, queue: 50ms } }
defaults: { duration: 1s, repeat: 2, retries: 2 }
tests:
  - netperf: { test: TCP_RR }
    name: idle
    paths: [far]
  - netperf: { test: TCP_RR }
    name: loaded
    paths: [far]
    load:
      - { iperf3: { protocol: udp, streams: 4, rate: 6 Mbit/s }, paths: [other] }
      - { iperf3: { rate: 1 Mbit/s, direction: reverse }, paths: [far] }
";

#[test]
fn a_load_flows_around_each_sample_and_is_a_sample_of_its_own() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let netplan = |arguments: &[&str]| Netplan::in_folder(folder.path()).args(arguments).run();
    let run = netplan(&["run", "plan.yaml", "--on", "local", "--output", "out"]).expect(0);
    assert!(run.stdout.contains("under load"), "{}", run.stdout);
    assert!(run.stdout.contains("RPM"), "{}", run.stdout);

    let journal = fs::read_to_string(folder.path().join("out/events.jsonl")).unwrap();
    let events: Vec<Value> = journal
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| {
        events
            .iter()
            .filter(|event| event["event"] == kind)
            .collect::<Vec<_>>()
    };
    let loads = of("load_sample");
    assert!(loads.len() >= 4, "{journal}");
    for load in &loads {
        let path = if load["load"] == 1 { "other" } else { "far" };
        assert_eq!(load["path"], path, "{load}");
        assert!(
            load["metrics"]["throughput_bps"].as_f64().unwrap() > 1e5,
            "{load}"
        );
        let port = if load["load"] == 1 { "5301" } else { "5302" };
        assert!(load["command"].to_string().contains(port), "{load}");
        assert!(
            folder
                .path()
                .join("out/raw")
                .join(load["raw"].as_str().unwrap())
                .is_file(),
            "{load}"
        );
    }
    for sample in of("sample")
        .iter()
        .filter(|sample| sample["cell"] == "loaded/far")
    {
        // The queue is full: a request waits for most of it.
        let p50 = sample["metrics"]["latency_us.p50"].as_f64().unwrap();
        assert!(p50 > 20_000.0, "{sample}");
        let started = |event: &Value| {
            event["started"]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
        };
        let around = loads.iter().filter(|load| {
            load["sample"] == sample["sample"] && load["attempt"] == sample["attempt"]
        });
        let begun = around.map(|load| {
            let lasted = load["wall_s"].as_f64().unwrap();
            let start = started(load);
            assert!(start < started(sample), "{load}");
            let measured = sample["wall_s"].as_f64().unwrap();
            let end = start + std::time::Duration::from_secs_f64(lasted);
            assert!(
                end > started(sample) + std::time::Duration::from_secs_f64(measured),
                "{load}"
            );
        });
        assert_eq!(begun.count(), 2);
    }
    let replay = netplan(&["report", "out"]).expect(0);
    assert_eq!(replay.stdout, run.stdout);
    let json = netplan(&["report", "out", "--format", "json"])
        .expect(0)
        .stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let row = &json["under_load"][0];
    assert_eq!(
        (&row["cell"], &row["idle_cell"]),
        (&"loaded/far".into(), &"idle/far".into())
    );
    assert!(row["figures"][0]["interval"].is_object(), "{row}");
    assert!(
        row["idle_round_trips_per_min"].as_f64() > row["round_trips_per_min"].as_f64(),
        "{row}"
    );
}
