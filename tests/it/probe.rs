//! `netplan doctor --probe`, and names of namespaces on the command line.

use crate::support::{Netplan, installed, local_cluster, needs};

#[test]
fn doctor_probes_the_emulated_network_from_each_node() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = tempfile::tempdir().unwrap();
    let plan = "
version: 1
name: three
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
tests: [{ iperf3: {} }]
local: { nodes: 3 }
";
    std::fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    let doctor = Netplan::in_folder(&folder)
        .args(["doctor", "plan.yaml", "--probe", "--on", "local"])
        .run()
        .expect(0);
    let said = &doctor.stdout;
    assert!(
        said.contains("✓ network: all nodes reach each other"),
        "{said}"
    );
    for (from, to) in [
        ("node-1", "node-2"),
        ("node-3", "node-1"),
        ("node-2", "node-3"),
    ] {
        let row = said.lines().find(|line| {
            let mut words = line.split_whitespace();
            (words.next(), words.next()) == (Some(from), Some(to))
        });
        let row = row.unwrap_or_else(|| panic!("{from} {to}: {said}"));
        assert_eq!(row.matches('✓').count(), 4, "{row}");
    }
}

#[test]
fn one_node_leaves_nothing_to_probe() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = tempfile::tempdir().unwrap();
    let plan = "
version: 1
name: one
workers: { w1: {} }
paths: [{ name: a, from: w1, to: w1, via: cluster_ip }]
tests: [{ iperf3: {} }]
local: { nodes: 1 }
";
    std::fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    let doctor = Netplan::in_folder(&folder)
        .args(["doctor", "plan.yaml", "--probe", "--on", "local"])
        .run()
        .expect(0);
    let said = doctor.said();
    assert!(said.contains("one node: nothing to probe"), "{said}");
    assert!(!said.contains("✓ network"), "{said}");
}

#[test]
fn a_name_that_no_namespace_can_have_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["status", "clean", "doctor"] {
        for name in ["Bad_Name", "", "a.b", "-a"] {
            let argument = format!("--namespace={name}");
            let ended = Netplan::in_folder(&folder).args([command, &argument]).run();
            ended.expect(2).says("63 characters at most");
        }
    }
}
