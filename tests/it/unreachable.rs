//! A worker that cannot reach the orchestrator: `run` says which layer of the network is broken. The local
//! cluster runs with real faults, which the worker's own pod makes before the worker starts.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;

use crate::support::{
    Netplan, RUN_WITH_TEMPLATES, add_templates, installed, local_cluster, needs, wait_until,
};

const PLAN: &str = "
version: 1
name: unreachable
workers:
  w1: {}
  w2: { same_node_as: w1 }
  w3: { other_node_than: w1 }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }, { name: b, from: w1, to: w3, via: pod_ip }]
tests: [{ iperf3: {}, duration: 1s }]
";

/// What a pod drops from now on.
fn drop_input(rules: &str) -> String {
    let chain = "add table inet f; add chain inet f i { type filter hook input priority 0; }";
    format!("nft '{chain}; {rules}'")
}

/// What `run` says of a worker whose pod runs `script` before the worker starts. It waits for `sentence`, and
/// stops the run then.
fn says(worker: &str, script: &str, sentence: &str) {
    let folder = tempfile::tempdir().unwrap();
    add_templates(folder.path(), worker, script);
    fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let running = Netplan::in_folder(&folder).args(RUN_WITH_TEMPLATES).start();
    let missing = format!("worker `{worker}` has not joined the orchestrator after");
    wait_until(&format!("`{sentence}`"), || {
        let stderr = running.stderr();
        assert!(!running.has_ended(), "{stderr}");
        stderr.contains(&missing) && stderr.contains(sentence)
    });
    running.interrupt();
    let ended = running.finish().expect(130);
    assert_eq!(
        ended.said().matches(sentence).count(),
        1,
        "{}",
        ended.said()
    );
}

#[test]
fn a_pod_network_that_drops_packets_between_nodes() {
    needs!(local_cluster(), installed(&["nft", "iperf3"]));
    says(
        "w3",
        &drop_input("add rule inet f i iif != lo drop"),
        "times out: the pod network between `node-1` and `node-2` drops packets, or a network policy does",
    );
}

#[test]
fn a_policy_that_drops_packets_on_one_node() {
    needs!(local_cluster(), installed(&["nft", "iperf3"]));
    says(
        "w2",
        &drop_input("add rule inet f i iif != lo drop"),
        "times out, on the same node `node-1`: a network policy drops packets",
    );
}

#[test]
fn a_cluster_ip_that_is_not_translated() {
    needs!(local_cluster(), installed(&["nft", "iperf3", "getent"]));
    says(
        "w3",
        &format!(
            "ip=`getent hosts {{{{ run.prefix }}}}-orchestrator`; ip=${{ip%% *}}; {}",
            drop_input("add rule inet f i ip saddr '$ip' drop").replace("'$ip'", "'\"$ip\"'")
        ),
        "kube-proxy on `node-2` does not translate the cluster IP",
    );
}

#[test]
fn a_name_that_does_not_resolve() {
    needs!(local_cluster(), installed(&["iperf3", "sed"]));
    says(
        "w3",
        "sed /orchestrator/d /etc/hosts > /tmp/hosts; cat /tmp/hosts > /etc/hosts",
        "does not resolve",
    );
}

#[test]
fn full_packets_that_get_lost() {
    needs!(local_cluster(), installed(&["nft", "iperf3"]));
    let chain = "add table inet f; add chain inet f o { type filter hook output priority 0; }";
    says(
        "w3",
        &format!("nft '{chain}; add rule inet f o oif != lo meta length > 500 drop'"),
        "gets no answer: the MTU of the path between `node-1` and `node-2` is smaller",
    );
}
