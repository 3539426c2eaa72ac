//! `ports` and `security_context`, of all workers, of one, and of one in a variant.

use std::collections::BTreeMap;

use netplan::plan::document;
use serde_json::{Value, json};

use crate::support::{Ended, Netplan};

const PLAN: &str = "version: 1
name: p
kubernetes:
  ports: [{ port: 8080 }]
  security_context: { capabilities: { add: [NET_RAW] }, runAsUser: 1000 }
workers:
  w1: { ports: [{ port: 9000, protocol: both }], security_context: { runAsUser: 2000, readOnlyRootFilesystem: null } }
  w2: {}
variants:
  plain: {}
  other: { workers: { all: { ports: [{ port: 7000, protocol: udp }] }, w2: { security_context: { procMount: Default } } } }
paths: [{ name: pod, from: w2, to: w1, via: pod_ip }]
tests: [iperf3: {}]
";

fn netplan(plan: &str, args: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.yaml"), plan).unwrap();
    Netplan::in_folder(folder.path()).args(args).run()
}

fn documents(text: &str) -> Vec<Value> {
    let all = text.split("\n---\n");
    all.map(|text| document(text).unwrap()).collect()
}

/// The objects of a kind by the names of their workers.
fn objects(kind: &str) -> BTreeMap<String, Value> {
    let rendered = netplan(PLAN, &["render", "p.yaml"]).expect(0);
    let all = rendered
        .stdout
        .split("\n---\n")
        .map(|text| document(text).unwrap());
    let of_kind = all.filter(|object| object["kind"] == kind);
    let named = of_kind.filter_map(|object| {
        let worker = object["metadata"]["labels"]["netplan/worker"]
            .as_str()?
            .to_owned();
        Some((worker, object))
    });
    named.collect()
}

fn container(job: &Value) -> &Value {
    &job["spec"]["template"]["spec"]["containers"][0]
}

#[test]
fn the_narrower_ports_and_contexts_win() {
    let jobs = objects("Job");
    let context = |worker: &str| container(&jobs[worker])["securityContext"].clone();
    let own = json!({"allowPrivilegeEscalation": false, "capabilities": {"add": ["NET_RAW"], "drop": ["ALL"]}, "runAsUser": 2000});
    assert_eq!(context("w1"), own);
    assert_eq!(context("w1-other"), own);
    assert_eq!(context("w2")["runAsUser"], 1000);
    assert_eq!(context("w2")["procMount"], Value::Null);
    assert_eq!(context("w2-other")["procMount"], "Default");
    assert_eq!(context("w2-other")["readOnlyRootFilesystem"], true);

    let ports = |worker: &str| -> Vec<(u64, String)> {
        let ports = container(&jobs[worker])["ports"].as_array().cloned();
        let port = |port: &Value| {
            (
                port["containerPort"].as_u64().unwrap(),
                port["protocol"].as_str().unwrap().to_owned(),
            )
        };
        ports.unwrap_or_default().iter().map(port).collect()
    };
    let [tcp, udp] = ["TCP", "UDP"].map(str::to_owned);
    assert_eq!(ports("w2"), [(8080, tcp.clone())]);
    assert_eq!(ports("w2-other"), [(7000, udp.clone())]);
    for wanted in [
        (9000, tcp.clone()),
        (9000, udp.clone()),
        (5201, tcp.clone()),
    ] {
        assert!(ports("w1").contains(&wanted), "{wanted:?}");
    }
    assert!(!ports("w1").contains(&(8080, tcp)));
    assert!(ports("w1-other").contains(&(7000, udp)));
}

#[test]
fn services_and_policies_have_the_ports_too() {
    let rendered = netplan(PLAN, &["render", "p.yaml"]).expect(0).stdout;
    for name in ["tcp-8080", "tcp-9000", "udp-9000", "udp-7000"] {
        assert!(rendered.contains(name), "{name}: {rendered}");
    }
    let policy = documents(&rendered)
        .into_iter()
        .find(|object| {
            let selected = &object["spec"]["podSelector"]["matchLabels"];
            object["kind"] == "NetworkPolicy" && selected["netplan/worker"] == "w2-other"
        })
        .unwrap();
    let ports = &policy["spec"]["ingress"][0]["ports"];
    assert_eq!(*ports, json!([{"port": 7000, "protocol": "UDP"}]));
}

#[test]
fn the_local_cluster_refuses_security_contexts() {
    netplan(PLAN, &["check", "p.yaml", "--on", "local"])
        .expect(2)
        .says("`workers.w1.security_context` has no effect on the local cluster")
        .says("`variants.other.workers.w2.security_context` has no effect on the local cluster");
    let ports = "workers: { w1: { ports: [{ port: 9000 }] }, w2: {} }\n";
    let start = PLAN.find("kubernetes:").unwrap();
    let end = PLAN.find("paths:").unwrap();
    let plan = format!("{}{ports}{}", &PLAN[..start], &PLAN[end..]);
    netplan(&plan, &["check", "p.yaml", "--on", "local"]).expect(0);
}

#[test]
fn what_no_worker_can_have_is_refused() {
    let refused = |from: &str, to: &str, what: &str| {
        let plan = PLAN.replace(from, to);
        assert_ne!(plan, PLAN);
        netplan(&plan, &["check", "p.yaml"]).expect(2).says(what);
    };
    refused(
        "{ port: 8080 }",
        "{ port: 8080 }, { port: 8080 }",
        "port 8080 is listed twice",
    );
    refused("{ port: 8080 }", "{ port: 70000 }", "70000");
    refused(
        "runAsUser: 1000",
        "runAsUsr: 1000",
        "Kubernetes has no field `runAsUsr` here",
    );
    refused(
        "runAsUser: 1000",
        "runAsUser: root",
        "Kubernetes does not accept this",
    );
    refused(
        "security_context: { cap",
        "securityContext: { cap",
        "it is called `security_context` here",
    );
}
