//! `netplan watch` on the local cluster.

use std::fs;

use crate::support::{Netplan, installed, local_cluster, needs, wait_until};

const PLAN: &str = "version: 1
name: watched
workers: { w1: {}, w2: {} }
paths:
  - { name: there, from: w1, to: w2, via: pod_ip }
  - { name: back, from: w2, to: w1, via: pod_ip }
defaults: { duration: 30s, warmup: 30s }
tests: [{ name: rr, netperf: { test: TCP_RR }, expect: { transactions_per_s: '>= 1' } }]
";

#[test]
fn samples_are_shown_until_an_interrupt_and_nothing_is_stored() {
    needs!(local_cluster(), installed(&["netperf"]));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let watch = Netplan::in_folder(&folder)
        .args(["watch", "plan.yaml", "--on", "local"])
        .start();
    wait_until("two rounds", || {
        watch.stdout().matches("rr/back").count() >= 2
    });
    watch.interrupt();
    let ended = watch.finish().expect(0);
    let last: Vec<&str> = ended.stdout.lines().rev().take(2).collect();
    assert!(last[0].starts_with("rr/back "), "{}", ended.stdout);
    assert!(last[1].starts_with("rr/there "), "{}", ended.stdout);
    for line in last {
        assert!(
            line.contains("transactions/s") && line.contains("lowest"),
            "{line}"
        );
    }
    let files: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn a_failure_is_a_line_too_and_stops_nothing() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = tempfile::tempdir().unwrap();
    let plan = PLAN.replace(
        "netperf: { test: TCP_RR }, expect: { transactions_per_s: '>= 1' }",
        "iperf3: { congestion: nosuch }",
    );
    fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    let watch = Netplan::in_folder(&folder)
        .args(["watch", "plan.yaml", "--on", "local"])
        .start();
    wait_until("a second failure", || watch.stdout().contains("2 failed"));
    watch.interrupt();
    watch.finish().expect(0);
}

#[test]
fn a_sample_has_whole_seconds() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let arguments = ["watch", "plan.yaml", "--sample", "500ms"];
    let ended = Netplan::in_folder(&folder).args(arguments).run().expect(2);
    assert!(ended.stderr.contains("whole seconds"), "{}", ended.stderr);
}
