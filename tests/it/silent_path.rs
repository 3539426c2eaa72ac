//! A path on which nothing answers, though its workers have joined: the run says which layer is broken before its first sample. The
//! local cluster runs with real faults, which a worker's own pod makes.

use std::collections::BTreeMap;

use netplan::results::{EventKind, journal};

use crate::support::{Netplan, RUN_WITH_TEMPLATES, add_templates, installed, local_cluster, needs};

const PLAN: &str = "
version: 1
name: silent-path
workers: { w1: {}, w2: { same_node_as: w1 }, w3: { other_node_than: w1 } }
paths:
  - { name: works, from: w1, to: w2, via: cluster_ip }
  - { name: pod, from: w1, to: w3, via: pod_ip }
  - { name: service, from: w1, to: w3, via: cluster_ip }
defaults: { duration: 1s, retries: 0 }
tests: [{ name: rr, netperf: { test: TCP_RR }, timeout: 3s }]
";

/// What the run of a plan says of its paths when the pod of `worker` runs `script` before the worker starts, its words of
/// failures, and all that it prints.
fn run(worker: &str, script: &str) -> (BTreeMap<String, String>, BTreeMap<String, String>, String) {
    let folder = tempfile::tempdir().unwrap();
    add_templates(folder.path(), worker, script);
    std::fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let run = Netplan::in_folder(&folder).args(RUN_WITH_TEMPLATES);
    let ended = run.args(["--output", "out"]).run();
    let (mut found, mut failed) = (BTreeMap::new(), BTreeMap::new());
    for event in journal::read(&folder.path().join("out")).unwrap().events {
        match event.kind {
            EventKind::PathUnreachable { path, found: words } => {
                assert_eq!(found.insert(path, words), None);
            }
            EventKind::AttemptFailed { cell, failure, .. } => {
                failed.insert(cell.0, failure.note);
            }
            _ => {}
        }
    }
    for (path, words) in &found {
        let warning = format!("path `{path}` does not work: {words}");
        assert_eq!(
            ended.said().matches(&warning).count(),
            1,
            "{}",
            ended.said()
        );
    }
    (found, failed, ended.said())
}

/// Drops packets for the port of netperf; the connection to the orchestrator works.
fn drop_for_tools(hook: &str, matches: &str) -> String {
    format!(
        "nft 'add table inet f; add chain inet f c {{ type filter hook {hook} priority 0; }}; add rule inet f c {matches} \
         tcp dport 12865 drop'"
    )
}

#[test]
fn a_pod_that_drops_what_tools_send_is_told_by_all_its_paths() {
    needs!(local_cluster(), installed(&["nft", "netperf"]));
    let (found, failed, said) = run("w3", &drop_for_tools("input", ""));
    let paths: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(paths, ["pod", "service"], "{said}");
    let between =
        ": the pod network between `node-2` and `node-1` drops packets, or a network policy does";
    for (path, words) in &found {
        assert!(words.ends_with(between), "{path}: {words}");
        let words = format!("before the first sample, {words}");
        assert!(
            failed[&format!("rr/{path}")].ends_with(&words),
            "{failed:?}"
        );
    }
    assert_eq!(failed.len(), 2, "{failed:?}");
}

#[test]
fn a_service_that_leads_nowhere_is_told_apart_from_its_pod() {
    needs!(local_cluster(), installed(&["nft", "netperf"]));
    let (found, failed, said) = run("w1", &drop_for_tools("output", "ip daddr 10.96.0.0/16"));
    let paths: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(paths, ["service", "works"], "{said}");
    for (path, words) in &found {
        assert!(
            words.contains(" answers, cluster IP ")
                && words.ends_with(": kube-proxy on `node-1` does not translate the cluster IP"),
            "{path}: {words}"
        );
    }
    assert_eq!(failed.len(), 2, "{failed:?}");
}
