//! The interfaces of pods on the local cluster, for each variant, in real namespaces.

use std::fs;
use std::path::Path;

use netplan::cluster::Cluster;
use netplan::cluster::local::{Blueprint, Local};
use netplan::diag::Source;
use netplan::plan::{self, Plan};
use netplan::render::Manifest;
use serde_json::{Value, json};

use crate::local::{outcome, pod};
use crate::support::{NETPLAN, Netplan, installed, local_cluster, needs};

const PLAN: &str = "version: 1
name: p
workers: { w1: {}, w2: { other_node_than: w1 } }
variants:
  plain: { local: { pods: { mtu: 1400 } } }
  big: { local: { pods: { mtu: 9000, offloads: kernel, qdisc: pfifo, congestion: reno } } }
  none: {}
paths: [{ name: pod, from: w2, to: w1, via: pod_ip }]
tests: [netperf: { test: TCP_RR }]
local: { nodes: 3 }
";

fn plan() -> Plan {
    plan::load(Source::new("p.yaml", PLAN.to_owned()), &[]).unwrap()
}

/// A pod of a worker that tells of its interface.
fn told(worker: &str) -> Manifest {
    let script = "cat /sys/class/net/eth0/mtu /proc/sys/net/ipv4/tcp_congestion_control
        tc qdisc show dev eth0 root; ethtool -k eth0 | grep '^tcp-segmentation'";
    let mut pod = pod(worker, script, &Value::Null);
    pod.object["metadata"]["labels"]["netplan/worker"] = json!(worker);
    Manifest {
        text: pod.object.to_string(),
        ..pod
    }
}

#[tokio::test]
async fn each_pod_has_the_interface_of_its_variant() {
    needs!(local_cluster(), installed(&["tc", "ethtool"]));
    let cluster = Local::start(Path::new(NETPLAN), &plan().local)
        .await
        .unwrap();
    let names = ["w1", "w1-big", "w1-none", "other"];
    cluster.apply(&names.map(told)).await.unwrap();
    let kernels = fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control").unwrap();
    let found = outcome(&cluster, &names).await;
    for ((name, (_, log)), (mtu, congestion, qdisc, offload)) in names.iter().zip(&found).zip([
        ("1400", kernels.trim(), "noqueue", "off"),
        ("9000", "reno", "pfifo", "on"),
        ("1500", kernels.trim(), "noqueue", "off"),
        ("1500", kernels.trim(), "noqueue", "off"),
    ]) {
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines[..2], [mtu, congestion], "{name}: {log}");
        assert!(
            lines[2].contains(&format!("qdisc {qdisc} ")),
            "{name}: {log}"
        );
        assert!(lines[3].ends_with(offload), "{name}: {log}");
    }
    let description = cluster.description();
    let interface = &description["pods"]["w1-big"]["interface"];
    assert_eq!(
        *interface,
        json!({"mtu": 9000, "offloads": "kernel", "qdisc": "pfifo", "congestion": "reno"})
    );
    cluster.down().await.unwrap();
}

#[test]
fn links_take_the_largest_mtu_of_all_variants() {
    let network = |plan: &Plan| {
        let blueprint = Blueprint::new(&["w1", "w2"].map(told), &plan.local).unwrap();
        blueprint.network().to_string()
    };
    let mut plan = plan();
    let pods = json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"worker": "w1"}},
    }]}}});
    let with_link = |plan: &Plan| {
        let mut far = told("w2");
        far.object["spec"]["affinity"] = pods["affinity"].clone();
        let blueprint = Blueprint::new(&[told("w1"), far], &plan.local).unwrap();
        blueprint.network().to_string()
    };
    assert!(network(&plan).contains("link add pod1 mtu 1400 "));
    assert!(with_link(&plan).contains("link add to2 mtu 9000 "));
    plan.local.links.mtu = Some(1500);
    assert!(with_link(&plan).contains("link add to2 mtu 1500 "));
}

#[test]
fn kubernetes_refuses_variants_of_the_local_cluster() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), PLAN).unwrap();
    for args in [
        ["check", "p.yaml", "--on", "kubernetes"].as_slice(),
        &["render", "p.yaml"],
    ] {
        Netplan::in_folder(folder.path())
            .args(args)
            .run()
            .expect(2)
            .says("`variants.big.local` has no effect on Kubernetes");
    }
    Netplan::in_folder(folder.path())
        .args(["render", "p.yaml", "--only", "variant=none"])
        .run()
        .expect(0);
}

#[test]
fn what_an_interface_cannot_be_is_refused() {
    let refused = |from: &str, to: &str| {
        let text = PLAN.replace(from, to);
        assert_ne!(text, PLAN);
        let problems = plan::load(Source::new("p.yaml", text), &[]).unwrap_err();
        problems.to_string()
    };
    let congestion = refused("congestion: reno", "congestion: 'a b'");
    assert!(
        congestion.contains("`a b` is not the name of a congestion control"),
        "{congestion}"
    );
    let qdisc = refused("qdisc: pfifo", "qdisc: fq_codle");
    assert!(qdisc.contains("did you mean `fq_codel`?"), "{qdisc}");
    let small = PLAN.replace("mtu: 1400", "mtu: 1000");
    assert!(plan::load(Source::new("p.yaml", small.clone()), &[]).is_ok());
    let both = small.replace("local: { nodes", "local: { ip_families: [ipv6], nodes");
    let mtu = plan::load(Source::new("p.yaml", both), &[])
        .unwrap_err()
        .to_string();
    assert!(
        mtu.contains("an MTU of 1000 bytes cannot carry IPv6"),
        "{mtu}"
    );
}
