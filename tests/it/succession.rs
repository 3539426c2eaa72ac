//! An orchestrator that loses its process and its journal, on this machine, with real workers and tools.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{
    Netplan, Running, installed, local_cluster, needs, processes_naming, wait_until,
};

const PLAN: &str = "\
version: 1
name: small
workers: { w1: {}, w2: { other_node_than: w1 } }
paths:
  - { name: there, from: w1, to: w2, via: pod_ip }
  - { name: back, from: w2, to: w1, via: pod_ip }
defaults: { duration: 1s, warmup: 0s }
tests:
  - iperf3: { mss: [536, 900, 1200, 1460] }
";
const CELLS: usize = 8;

fn journal(folder: &Path) -> String {
    fs::read_to_string(folder.join("out/events.jsonl")).unwrap_or_default()
}

/// The orchestrator's process, and its folder of the journal as this process sees it.
fn orchestrator(run: &str) -> Option<(Pid, PathBuf)> {
    let processes = processes_naming("netplan orchestrator");
    let one = processes.iter().find(|line| line.contains(run))?;
    let (pid, _) = one.split_once(' ')?;
    let folder = PathBuf::from(format!("/proc/{pid}/root/run/netplan/journal"));
    Some((Pid::from_raw(pid.parse().ok()?), folder))
}

/// Kills the orchestrator, and removes its journal before: the next one is as in another pod.
fn lose_orchestrator(run: &str) {
    let (pid, folder) = orchestrator(run).expect("the orchestrator runs");
    fs::remove_file(folder.join("events.jsonl")).unwrap();
    kill(pid, Signal::SIGKILL).unwrap();
    wait_until("the next orchestrator", || {
        orchestrator(run).is_some_and(|(next, _)| next != pid)
    });
}

fn wait_for_events(running: &Running, folder: &Path, count: usize) {
    wait_until("events", || {
        assert!(!running.has_ended(), "{}", running.stderr());
        journal(folder).lines().count() >= count
    });
}

#[test]
fn no_acknowledged_event_is_lost_with_the_orchestrator_and_its_journal() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("plan.yaml"), PLAN).unwrap();
    let arguments = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    let running = Netplan::in_folder(folder).args(arguments).start();
    let run = running.run_id();
    let mut acknowledged = String::new();
    // While a sample runs, right after one, and near the end.
    for count in [5, 13, 24] {
        wait_for_events(&running, folder, count);
        let before = journal(folder);
        assert!(before.starts_with(&acknowledged));
        let whole = before.rfind('\n').map_or(0, |end| end + 1);
        acknowledged = before[..whole].to_owned();
        lose_orchestrator(&run);
    }
    running.finish().expect(0).says("8 cells: 8 measured");
    let journal = journal(folder);
    assert!(journal.starts_with(&acknowledged), "events are lost");
    let events: Vec<Value> = journal
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let numbers = events.iter().map(|event| event["seq"].as_u64());
    assert!(numbers.eq((0..events.len() as u64).map(Some)));
    let samples = events.iter().filter(|event| event["event"] == "sample");
    assert_eq!(samples.count(), CELLS, "each cell is measured once");
    let raw = fs::read_dir(folder.join("out/raw")).unwrap().count();
    assert_eq!(raw, CELLS, "the tools' outputs are collected as well");
}
