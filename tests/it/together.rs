//! Tests that measure all of their paths at once, and what is done meanwhile, by real runs on the local cluster.

use std::collections::BTreeMap;
use std::fs;

use netplan::results::mark::{Edge, Mark};
use netplan::results::{EventKind, Sample, journal};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Netplan, installed, local_cluster, needs};

const PLAN: &str = "version: 1
name: together
workers: { w1: {}, w2: { other_node_than: w1 } }
paths:
  - { name: there, from: w1, to: w2, via: pod_ip }
  - { name: back, from: w2, to: w1, via: cluster_ip }
defaults: { duration: 2s, repeat: 2 }
";

/// What the journal has of a run with these tests.
fn run(tests: &str) -> (Vec<Sample>, Vec<Mark>) {
    let (samples, marks, _) = run_in(&tempfile::tempdir().unwrap(), tests);
    (samples, marks)
}

/// The same and the printed report, with the plan and the run in this folder.
fn run_in(folder: &TempDir, tests: &str) -> (Vec<Sample>, Vec<Mark>, String) {
    fs::write(folder.path().join("plan.yaml"), format!("{PLAN}{tests}")).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    let told = Netplan::in_folder(folder).args(run).run().expect(0).stdout;
    let (mut samples, mut marks) = (Vec::new(), Vec::new());
    for event in journal::read(&folder.path().join("out")).unwrap().events {
        match event.kind {
            EventKind::Sample(sample) => samples.push(sample),
            EventKind::Mark(mark) => marks.push(mark),
            _ => {}
        }
    }
    let told: Vec<&str> = told.split_whitespace().collect();
    (samples, marks, told.join(" "))
}

#[test]
fn the_clients_of_all_paths_start_on_one_go() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let (samples, _) = run("tests: [{ name: t, together: true, iperf3: {} }]\n");
    assert_eq!(samples.len(), 4);
    let mut goes: BTreeMap<u32, Vec<&Sample>> = BTreeMap::new();
    for sample in &samples {
        goes.entry(sample.sample).or_default().push(sample);
    }
    for (number, go) in goes {
        let [one, other] = go[..] else {
            panic!("{} samples {number}", go.len())
        };
        assert_ne!(one.path, other.path);
        assert_eq!(one.started, other.started, "sample {number}");
    }
}

#[test]
fn a_command_is_started_in_each_repetition_and_marked() {
    needs!(local_cluster());
    let folder = tempfile::tempdir().unwrap();
    let (samples, marks, told) = run_in(
        &folder,
        "tests:
  - name: t
    # It leaves the command line CPU time, which netperf on two CPUs does not.
    probe: { mode: udp, interval: 10ms }
    during:
      - { at: 500ms, run: [sh, -c, 'echo no >&2; exit 3'] }
",
    );
    assert_eq!(samples.len(), 4);
    let seen: Vec<_> = marks
        .iter()
        .map(|mark| (mark.sample, mark.edge, mark.exit_code))
        .collect();
    let each = |sample| [(sample, Edge::Begin, None), (sample, Edge::End, Some(3))];
    // A busy machine may leave the command line no CPU until the last sample has ended. Then the report says so.
    let all = [each(1), each(2)].concat();
    assert!(seen.len() >= 2 && all.starts_with(&seen), "{marks:?}");
    let late = ["", "", "began in 1 of 2", "ended in 1 of 2"].get(seen.len());
    assert!(
        late.is_none_or(|late| told.contains(late)),
        "{seen:?}: {told}"
    );
    assert_eq!(told.contains("of 2 repetitions"), seen.len() < 4, "{told}");
    for mark in &marks {
        assert!(mark.offset_s > 0.4 && mark.uncertainty_s > 0.0, "{mark:?}");
        assert_eq!(mark.test, "t");
    }
    assert!(marks[1].text.ends_with(": no"), "{:?}", marks[1]);
}

#[test]
fn a_run_that_detaches_refuses_what_the_command_line_has_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let tests = "tests:
  - name: t
    netperf: {}
    during:
      - { at: 1s, run: [touch, x] }
      - by: hand
";
    fs::write(folder.path().join("plan.yaml"), format!("{PLAN}{tests}")).unwrap();
    for chart in [&[][..], &["--helm", "chart"]] {
        let render = Netplan::in_folder(&folder).args(["render", "plan.yaml"]);
        let refused = render.args(chart.iter().copied()).run().expect(2);
        let told = "error: render does not go with `during:` of the test `t`: the command line does what its `run` says";
        refused
            .says(told)
            .says("- { at: 1s, run: [touch, x] }\n   |         ^^^")
            .says("what its `by` says")
            .says("- by: hand\n   |         ^^^");
    }
}

#[test]
fn a_check_for_kubernetes_refuses_faults() {
    let folder = tempfile::tempdir().unwrap();
    let tests = "tests:
  - name: t
    netperf: {}
    during:
      - { at: 1s, run: [touch, x] }
      - { at: 1s, for: 100ms, freeze: w2 }
";
    fs::write(folder.path().join("plan.yaml"), format!("{PLAN}{tests}")).unwrap();
    let check = |on| Netplan::in_folder(&folder).args(["check", "plan.yaml", "--on", on]);
    let refused = check("kubernetes").run().expect(2);
    let told = refused.said();
    assert_eq!(told.matches("error:").count(), 1, "{told}");
    refused
        .says("`freeze` in `during:` of the test `t` is for the local cluster")
        .says("- { at: 1s, for: 100ms, freeze: w2 }\n   |         ^^^");
    check("local").run().expect(0);
}

/// What a busy machine adds or hides, in seconds.
const TOLERANCE_S: f64 = 0.15;

/// All on one machine, and so by one clock: the longest gap of each path is where the marks of the cut are.
#[test]
fn the_gaps_of_the_probe_are_where_the_marks_of_a_cut_are() {
    needs!(local_cluster());
    let folder = tempfile::tempdir().unwrap();
    let (samples, marks, _) = run_in(
        &folder,
        "tests:
  - name: t
    probe: { mode: udp }
    during: [{ at: 700ms, for: 400ms, cut: [node-1, node-2] }]
",
    );
    assert_eq!((samples.len(), marks.len()), (4, 4), "{marks:?}");
    for sample in &samples {
        let of = |edge| {
            let is_it = |mark: &&Mark| mark.sample == sample.sample && mark.edge == edge;
            let mark = marks.iter().find(is_it).unwrap();
            mark.happened.as_microsecond() as f64 / 1e6
        };
        let raw = folder
            .path()
            .join("out/raw")
            .join(sample.raw.as_ref().unwrap());
        let document: Value = serde_json::from_slice(&fs::read(raw).unwrap()).unwrap();
        let gaps = document["udp"]["gaps"]["listed"].as_array().unwrap();
        let longest = gaps.iter().max_by_key(|gap| gap["length_us"].as_u64());
        let longest = longest.unwrap();
        let seconds = |value: &Value| value.as_u64().unwrap() as f64 / 1e6;
        let begin = seconds(&document["began_at_us"]) + seconds(&longest["at_us"]);
        let end = begin + seconds(&longest["length_us"]);
        let (begin, end) = (begin - of(Edge::Begin), end - of(Edge::End));
        let seen = format!(
            "{}: the gap begins {begin:.4} s and ends {end:.4} s after the mark",
            sample.path
        );
        println!("{seen}");
        assert!(
            begin.abs() < TOLERANCE_S && end.abs() < TOLERANCE_S,
            "{seen}; {marks:?}"
        );
    }
    let shown = Netplan::in_folder(&folder)
        .args(["report", "out"])
        .run()
        .expect(0);
    let shown = shown.says("begin of cut: [node-1, node-2]").stdout;
    // The gap's marks are on its timeline, which the page has, too.
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    for text in [shown, page] {
        let timelines = text.lines().filter(|line| line.contains("··"));
        let timelines: Vec<&str> = timelines.collect();
        assert_eq!(timelines.len(), 2, "{text}");
        for line in timelines {
            assert!(line.contains(['│', '▓']), "{text}");
        }
        assert!(text.contains("█ no answer, │ a mark, ▓ both"), "{text}");
    }
}
