//! A run that was cut off continues on this machine with real tools.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Netplan, installed, local_cluster, needs, snapshots, wait_until};

const PLAN: &str = "\
version: 1
name: small
workers: { w1: {}, w2: { other_node_than: w1 } }
paths:
  - { name: pod, label: Pod, from: w1, to: w2, via: pod_ip }
  - { name: service, label: Service, from: w1, to: w2, via: cluster_ip }
defaults: { duration: 1s, warmup: 0s }
tests:
  - iperf3: { mss: [536, 1460] }
";

fn netplan_run(folder: &Path, arguments: &[&str]) -> Netplan {
    Netplan::in_folder(folder).args(["run"]).args(arguments)
}

fn journal(folder: &Path) -> String {
    fs::read_to_string(folder.join("out/events.jsonl")).unwrap_or_default()
}

fn count(folder: &Path, event: &str) -> usize {
    journal(folder)
        .matches(&format!("\"event\":\"{event}\""))
        .count()
}

/// Waits until this many cells have ended, and the next one runs.
fn within_a_cell(folder: &Path, cells: usize) {
    wait_until("a cell to run", || {
        let journal = journal(folder);
        let last = journal.lines().last().unwrap_or_default();
        count(folder, "cell_ended") == cells && last.contains("sample_started")
    });
}

#[test]
fn a_run_that_was_killed_and_then_interrupted_continues_as_one_run() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("plan.yaml"), PLAN).unwrap();
    let start = ["plan.yaml", "--on", "local", "--output", "out"];
    let run = netplan_run(folder, &start).start();
    within_a_cell(folder, 1);
    run.kill();
    let killed = journal(folder);

    // Not with another plan.
    let mut all = String::new();
    for arguments in [
        &[
            "plan.yaml",
            "--resume",
            "out",
            "--set",
            "defaults.duration=2s",
        ][..],
        &["--resume", "out", "--set", "name=other"],
        &["--resume", "out", "--only", "path=pod"],
        &["--resume", "plan.yaml"],
        &["--resume", "out", "--output", "elsewhere"],
    ] {
        let err = netplan_run(folder, arguments).run().expect(2).stderr;
        all.extend(["# netplan run ", &arguments.join(" "), "\n", &err, "\n"]);
    }
    snapshots().bind(|| insta::assert_snapshot!("resume_mistakes", all));
    assert_eq!(journal(folder), killed);

    let run = netplan_run(folder, &["--resume", "out"]).start();
    within_a_cell(folder, 2);
    run.signal(Signal::SIGINT);
    let out = run.finish().expect(130).stdout;
    assert!(out.contains("iperf3-tcp"), "{out}");
    assert!(journal(folder).starts_with(&killed));
    assert_eq!(count(folder, "run_ended"), 1);

    // The latest run of the usual place is the default.
    fs::create_dir(folder.join("netplan-results")).unwrap();
    fs::rename(folder.join("out"), folder.join("netplan-results/out")).unwrap();
    let dry = netplan_run(folder, &["--resume", "--dry-run"]).run();
    dry.expect(0)
        .says("the latest run that was cut off: netplan-results/out");
    let latest = Netplan::in_folder(folder).args(["report"]).run();
    latest.expect(3).says("the latest run: netplan-results/out");
    fs::rename(folder.join("netplan-results/out"), folder.join("out")).unwrap();

    let again = ["plan.yaml", "--resume", "out", "--format", "csv"];
    let csv = netplan_run(folder, &again).run().expect(0).stdout;
    assert_eq!(
        csv,
        fs::read_to_string(folder.join("out/result.csv")).unwrap()
    );
    let read = netplan::results::journal::read(&folder.join("out")).unwrap();
    assert!(read.complete && read.torn.is_none());
    assert_eq!(count(folder, "cell_ended"), 4);
    assert_eq!(count(folder, "run_ended"), 1);
    assert_eq!(count(folder, "run_started"), 1);

    // Three parts, and no time between them: the journal's first event is made to be of a day before.
    let whole = journal(folder);
    let day = |text: &str| {
        let mut first: serde_json::Value = serde_json::from_str(text).unwrap();
        let at: jiff::Timestamp = first["at"].as_str().unwrap().parse().unwrap();
        first["at"] = (at - jiff::SignedDuration::from_hours(24))
            .to_string()
            .into();
        first.to_string()
    };
    let earlier: Vec<String> = killed.lines().map(day).collect();
    fs::create_dir(folder.join("late")).unwrap();
    let late = whole.replace(&killed, &(earlier.join("\n") + "\n"));
    fs::write(folder.join("late/events.jsonl"), late).unwrap();
    let report = Netplan::in_folder(folder).args(["report", "late"]);
    let report = report.run().stdout;
    let took = report
        .lines()
        .find(|line| line.contains("4 measured"))
        .unwrap();
    assert!(
        took.contains(" s in 3 parts") && !took.contains(" h "),
        "{took}"
    );

    let same = netplan_run(folder, &again).run().expect(0);
    assert_eq!(same.stdout, csv);
    same.says("nothing left to measure");
    assert_eq!(journal(folder), whole);
}

/// The processes that this one has started.
fn children(parent: u32) -> Vec<i32> {
    let parent = parent.to_string();
    let all = fs::read_dir("/proc").unwrap();
    all.filter_map(|entry| {
        let entry = entry.ok()?;
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name, in parentheses, may hold anything; the state and the parent follow it.
        let (_, rest) = stat.rsplit_once(')')?;
        (rest.split_whitespace().nth(1) == Some(&parent)).then_some(pid)
    })
    .collect()
}

#[test]
fn an_error_in_a_run_that_has_begun_names_the_way_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("plan.yaml"), PLAN).unwrap();
    let start = [
        "plan.yaml",
        "--on",
        "local",
        "--output",
        "out",
        "--format",
        "csv",
    ];
    let run = netplan_run(folder, &start).start();
    within_a_cell(folder, 1);
    // The local cluster ends while its run measures.
    for pid in children(run.pid()) {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }
    let says = "what was measured is in `out`; `netplan run --resume out` measures the rest";
    let out = run.finish().expect(1).says(says).stdout;
    assert!(out.starts_with("MSS"), "{out}");
    assert_eq!(
        out,
        fs::read_to_string(folder.join("out/result.csv")).unwrap()
    );
    let err = netplan_run(folder, &["--resume", "out"])
        .run()
        .expect(0)
        .stderr;
    assert!(!err.contains("--resume"), "{err}");
    assert_eq!(count(folder, "cell_ended"), 4);
}

#[test]
fn a_run_that_ended_before_its_first_event_is_started_again_with_the_same_output() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("plan.yaml"), PLAN).unwrap();
    fs::create_dir_all(folder.join("out/raw")).unwrap();
    fs::write(folder.join("out/events.jsonl"), "").unwrap();
    let refused = netplan_run(folder, &["--resume", "out"]).run().expect(2);
    refused.says("start it again with `netplan run PLAN --output out`");
    let again = [
        "plan.yaml",
        "--on",
        "local",
        "--output",
        "out",
        "--only",
        "path=pod",
    ];
    netplan_run(folder, &again).run().expect(0);
    assert_eq!(count(folder, "run_ended"), 1);
}
