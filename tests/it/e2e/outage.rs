//! What is done while samples run: its marks, and what the probe sees of it.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::case::Case;
use crate::support::wait_until;

/// The first test ends when the Services work. The command of the second one lasts until the test has done its part.
const PLAN: &str = "\
version: 1
name: outage
workers:
  w1: {}
  w2: { other_node_than: w1 }
paths:
  - { name: pod, from: w1, to: w2, via: pod_ip }
  - { name: service, from: w1, to: w2, via: cluster_ip }
tests:
  - { name: ready, probe: { mode: connect }, duration: 1s }
  - name: outage
    probe: {}
    duration: 20s
    during:
      - { at: 1s, run: [sh, -c, 'touch begun; until [ -e mended ]; do sleep 0.05; done; exit 3'] }
      - { at: 2s, run: [no-such-program] }
";
/// How long the Service leads nowhere, at least.
const BROKEN: Duration = Duration::from_secs(4);
/// The probe begins so long after the go, at most; kube-proxy needs so long to see a change, at most.
const LATE_S: f64 = 3.0;

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_service_without_endpoints_is_a_gap_for_new_connections_between_the_marks() {
    let case = Case::new(PLAN);
    let running = case.start_run(&[]);
    let run = running.run_id();
    wait_until("the command", || {
        assert!(!running.has_ended(), "{}", running.stderr());
        case.path("begun").exists()
    });
    let service = format!(
        "/api/v1/namespaces/{}/services/netplan-{run}-w2",
        case.namespace
    );
    let select = |worker: &str| json!({ "spec": { "selector": { "netplan/worker": worker } } });
    case.api.patch(&service, &select("nobody"));
    sleep(BROKEN);
    case.api.patch(&service, &select("w2"));
    fs::write(case.path("mended"), "").unwrap();
    let ended = running.finish().expect(0);
    ended
        .says("failed once")
        .says("cannot start `no-such-program`");
    case.expect_measured(4);

    let marks = case.events_of("mark");
    let of_entry = |entry: u32, key: &str| {
        let own = marks.iter().filter(|mark| mark["entry"] == entry);
        own.map(|mark| mark[key].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of_entry(0, "edge"), ["begin", "end"], "{marks:?}");
    assert_eq!(of_entry(0, "exit_code"), [Value::Null, json!(3)]);
    assert_eq!(of_entry(1, "edge"), ["moment"]);
    let offsets: Vec<f64> = of_entry(0, "offset_s")
        .iter()
        .map(|offset| offset.as_f64().unwrap())
        .collect();

    let longest = |path: &str, kind: &str| {
        let mut samples = case.events_of("sample").into_iter();
        let sample = samples.find(|sample| sample["cell"] == format!("outage/{path}"));
        let raw = sample.unwrap()["raw"].as_str().unwrap().to_owned();
        let raw: Value = serde_json::from_str(&case.read(&format!("out/raw/{raw}"))).unwrap();
        let gaps = raw[kind]["gaps"]["listed"].as_array().unwrap().clone();
        let seconds = |gap: &Value, key: &str| gap[key].as_f64().unwrap() / 1e6;
        let gaps = gaps
            .iter()
            .map(|gap| (seconds(gap, "at_us"), seconds(gap, "length_us")));
        gaps.max_by(|one, other| one.1.total_cmp(&other.1))
            .unwrap_or_default()
    };
    let (at, length) = longest("service", "connect");
    let seen =
        format!("the gap begins at {at} s and lasts {length} s, the marks are at {offsets:?}");
    assert!(length > BROKEN.as_secs_f64() - LATE_S, "{seen}");
    assert!(at > offsets[0] - LATE_S && at < offsets[1], "{seen}");
    assert!(at + length < offsets[1] + LATE_S, "{seen}");
    for (path, kind) in [("pod", "connect"), ("pod", "udp"), ("service", "tcp")] {
        assert!(longest(path, kind).1 < length, "{path}, {kind}: {seen}");
    }
    case.expect_no_namespace();
}
