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
    let samples = fs::read_to_string(folder.path().join("out/samples.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(samples.as_bytes());
    let titles = reader.headers().unwrap().clone();
    let at = |title: &str| titles.iter().position(|other| other == title).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of_loads = rows.iter().filter(|row| &row[at("outcome")] == "load");
    assert_eq!(of_loads.clone().count(), loads.len(), "{samples}");
    for row in of_loads {
        let (load, path, from) = (&row[at("load")], &row[at("path")], &row[at("from")]);
        let expected = if load == "1" {
            ("other", "w3")
        } else {
            ("far", "w1")
        };
        assert_eq!((path, from), expected, "{row:?}");
        assert_eq!((&row[at("test")], &row[at("tool")]), ("loaded", "iperf3"));
        assert!(row[at("throughput_bps")].parse::<f64>().unwrap() > 1e5);
    }
    let measured = |row: &&csv::StringRecord| &row[at("outcome")] == "measured";
    assert!(
        rows.iter()
            .filter(measured)
            .all(|row| row[at("load")].is_empty())
    );
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("Under load"));
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

#[test]
fn the_schedule_has_the_command_lines_of_loads() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let schedule = Netplan::in_folder(folder.path()).args(["schedule", "plan.yaml"]);
    let schedule = schedule.run().expect(0).stdout;
    let (idle, loaded) = schedule.split_once("loaded/far").unwrap();
    assert!(!idle.contains("load on"), "{schedule}");
    let lines: Vec<&str> = loaded.lines().map(str::trim).collect();
    let words = |line: &str| line.split(' ').take(4).collect::<Vec<_>>().join(" ");
    let begins: Vec<String> = lines
        .iter()
        .skip(1)
        .take(6)
        .map(|line| words(line))
        .collect();
    let expected = [
        "load on w2: iperf3",
        "load on w3: iperf3",
        "load on w2: iperf3",
        "load on w1: iperf3",
    ];
    assert_eq!(
        begins.get(..4),
        Some(&expected.map(str::to_owned)[..]),
        "{schedule}"
    );
    assert!(
        lines[2].contains("<w2 cluster IP>") && lines[2].contains("5301"),
        "{schedule}"
    );
}
