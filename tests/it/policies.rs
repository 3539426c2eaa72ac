//! Objects of variants: what a file may hold, policies on emulated nodes, and a cluster that does not enforce them.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use netplan::cluster::local::{Blueprint, Local};
use netplan::cluster::{Cluster, Exit};
use netplan::render::Manifest;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::fake_cluster::FakeCluster;
use crate::local::{manifest, outcome, pod, rule, settings};
use crate::support::{NETPLAN, Netplan, installed, local_cluster, needs, snapshots};

const PLAN: &str = "version: 1
name: policies
workers: { w1: {}, w2: {} }
variants:
  plain: {}
  policy: { objects: [OBJECTS] }
paths: [{ name: pod, from: w2, to: w1, via: pod_ip }]
kubernetes: { network_policies: false }
defaults: { duration: 1s, repeat: 2 }
tests: [{ iperf3: { protocol: tcp, mss: 1000 } }]
";

/// Lets the workers of the variant reach the ports of its tools.
const POLICY: &str = "{% for worker in workers if worker.ports %}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: {{ worker.name }} }
spec:
  podSelector: { matchLabels: { netplan/worker: {{ worker.name }} } }
  ingress:
    - from: [{ podSelector: { matchLabels: { netplan/variant: {{ variant.name }} } } }]
      ports: [{% for port in worker.ports %}{ port: {{ port.number }} }, {% endfor %}]
{% endfor %}
";

/// A folder with a plan whose variant has these files.
fn folder(objects: &str, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let plan = PLAN.replace("OBJECTS", objects);
    fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn what_a_variant_may_not_have_is_refused_by_name() {
    let object = |version: &str, kind: &str, more: &str| {
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{ name: x{more} }}\n")
    };
    let policy = "networking.k8s.io/v1";
    let istio = object("security.istio.io/v1", "PeerAuthentication", "");
    let files: [(&str, &str, String); 13] = [
        ("missing", "polices.yaml", String::new()),
        ("folder", "{ file: . }", String::new()),
        ("no name", "{ trust: true }", String::new()),
        (
            "syntax of YAML",
            "a.yaml",
            "apiVersion: v1\nkind: {{ run.id }}: [\n".to_owned(),
        ),
        (
            "syntax of a template",
            "a.yaml",
            "kind: {% for x %}\n".to_owned(),
        ),
        (
            "unknown value",
            "a.yaml",
            "kind: {{ worker.name }}\n".to_owned(),
        ),
        (
            "without a name",
            "a.yaml",
            format!("apiVersion: {policy}\nkind: NetworkPolicy\n"),
        ),
        (
            "of the cluster",
            "{ file: a.yaml, trust: true }",
            object("rbac.authorization.k8s.io/v1", "ClusterRole", ""),
        ),
        (
            "another namespace",
            "a.yaml",
            object(policy, "NetworkPolicy", ", namespace: other"),
        ),
        ("another kind", "a.yaml", istio.clone()),
        ("somebody else's", "{ file: a.yaml, trust: true }", istio),
        (
            "twice",
            "a.yaml, a.yaml",
            object(policy, "NetworkPolicy", ""),
        ),
        (
            "nothing forbidden",
            "a.yaml",
            object(policy, "NetworkPolicy", "") + "spec: { ingress: [{}] }\n",
        ),
    ];
    let ids = regex::Regex::new("netplan-[0-9a-f]{8}").unwrap();
    let mut said = String::new();
    for (what, objects, text) in files {
        let folder = folder(objects, &[("a.yaml", &text), ("policies.yaml", "")]);
        let check = Netplan::in_folder(&folder).args(["check", "plan.yaml"]);
        let refused = check.run().expect(2);
        let words = ids.replace_all(&refused.stderr, "netplan-ID");
        said.extend(["== ", what, "\n", &words, "\n"]);
    }
    snapshots().bind(|| insta::assert_snapshot!("variant_objects_refused", said));
}

#[test]
fn objects_are_of_the_run_and_the_variant() {
    let mesh = "apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: {{ run.prefix ~ '-strict' }}, labels: { team: mesh } }
spec: { mtls: { mode: STRICT } }
";
    let files = [("policy.yaml.j2", POLICY), ("mesh.yaml", mesh)];
    let folder = folder("policy.yaml.j2, { file: mesh.yaml, trust: true }", &files);
    let run = |arguments: &[&str]| Netplan::in_folder(&folder).args(arguments).run();
    let rendered = run(&["render", "plan.yaml"]).expect(0).stdout;
    let rendered: Vec<Value> = serde_yaml::Deserializer::from_str(&rendered)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .collect();
    let of_variant = |object: &&Value| !object["metadata"]["labels"]["netplan/variant"].is_null();
    let mut objects: Vec<&Value> = rendered.iter().filter(of_variant).collect();
    let mesh = objects.pop().unwrap();
    let policy = objects.pop().unwrap();
    assert!(objects.is_empty());
    let id = &policy["metadata"]["labels"]["netplan/run"];
    let name = format!("netplan-{}-policy-w1-policy", id.as_str().unwrap());
    assert_eq!(policy["metadata"]["name"], name);
    assert_eq!(policy["metadata"]["namespace"], "netplan");
    assert_eq!(
        policy["spec"]["podSelector"]["matchLabels"],
        json!({"netplan/worker": "w1-policy", "netplan/run": id, "netplan/variant": "policy"})
    );
    assert_eq!(mesh["metadata"]["labels"]["team"], "mesh");
    let variants: Vec<&Value> = rendered
        .iter()
        .filter(|object| object["kind"] == "Job")
        .map(|job| &job["spec"]["template"]["metadata"]["labels"]["netplan/variant"])
        .collect();
    assert_eq!(
        variants,
        [
            &Value::Null,
            &json!("plain"),
            &json!("plain"),
            &json!("policy"),
            &json!("policy")
        ]
    );
    let orchestrator = rendered.iter().find(|one| one["kind"] == "Job").unwrap();
    let command = orchestrator["spec"]["template"]["spec"]["containers"][0]["command"].to_string();
    assert!(
        command.contains("--forbidden=policy,w2-policy,w1-policy,65535,w2,w1,65534"),
        "{command}"
    );
    // The plan as it was resolved needs no file.
    let resolved = run(&["check", "plan.yaml", "--resolved"]).expect(0).stdout;
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("plan.yaml"), resolved).unwrap();
    let again = Netplan::in_folder(&elsewhere).args(["render", "plan.yaml"]);
    assert!(again.run().expect(0).stdout.contains("PeerAuthentication"));
    if cfg!(feature = "local") {
        let check = run(&["check", "plan.yaml", "--on", "local"]).expect(2);
        check.says("the PeerAuthentication of `mesh.yaml` in `variants.policy.objects` has no effect on the local cluster");
    }
}

/// A policy of a variant.
fn policy(name: &str, spec: &Value) -> Manifest {
    manifest(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "np", "labels": {"netplan/variant": "v"}},
        "spec": spec,
    }))
}

#[tokio::test]
async fn emulated_nodes_let_through_what_policies_allow() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let pods = |workers: Value| json!({"podSelector": {"matchExpressions": [{"key": "worker", "operator": "In", "values": workers}]}});
    let w1 = json!({"matchLabels": {"worker": "w1"}});
    let manifests = [
        policy(
            "in",
            &json!({"podSelector": w1, "ingress": [
                {"from": [pods(json!(["w2"]))], "ports": [{"port": 5201}]},
                {"from": [{"ipBlock": {"cidr": "10.244.2.0/24", "except": ["10.244.2.99/32"]}}], "ports": [{"port": 5202, "endPort": 5203}]},
            ]}),
        ),
        policy(
            "out",
            &json!({"podSelector": {"matchLabels": {"worker": "w3"}}, "policyTypes": ["Egress"], "egress": [
                {"to": [pods(json!(["w1"]))], "ports": [{"port": 5202}, {"port": 5201}]},
            ]}),
        ),
        pod(
            "w1",
            // A server may end with a client that says nothing.
            "serve() { while :; do iperf3 -s -1 -p $1 >/dev/null 2>&1; done; }; serve 5202 & serve 5201 & wait",
            &Value::Null,
        ),
        pod(
            "w2",
            &tries(&[
                "+10.244.1.11 5201",
                "+fd00:10:244:1::b 5201",
                "10.244.1.11 5202",
            ]),
            &rule("podAffinity", "w1"),
        ),
        pod(
            "w3",
            &tries(&["+10.244.1.11 5202", "10.244.1.11 5201", "10.244.1.12 5201"]),
            &rule("podAntiAffinity", "w1"),
        ),
    ];
    let cluster = Local::start(Path::new(NETPLAN), &settings(2))
        .await
        .unwrap();
    cluster.apply(&manifests).await.unwrap();
    let ended = outcome(&cluster, &["w2", "w3"]).await;
    cluster.down().await.unwrap();
    let well = |text: &str| (Exit::Code(0), text.to_owned());
    assert_eq!(
        ended[0],
        well("10.244.1.11 5201: 0\nfd00:10:244:1::b 5201: 0\n10.244.1.11 5202: 124\n")
    );
    // The second is kept out at w1, the third does not leave w3.
    assert_eq!(
        ended[1],
        well("10.244.1.11 5202: 0\n10.244.1.11 5201: 124\n10.244.1.12 5201: 124\n")
    );
}

/// Connects to addresses and ports: after `+` until that succeeds, else once. Prints what came of it: 124 for a packet
/// that was dropped.
fn tries(targets: &[&str]) -> String {
    let script = "try() { timeout 2 bash -c \"exec 3<>/dev/tcp/$1/$2\" 2>/dev/null; }\n".to_owned();
    let tries = targets.iter().map(|target| match target.strip_prefix('+') {
        Some(target) => format!("until try {target}; do sleep 0.02; done; echo \"{target}: 0\"\n"),
        None => format!("try {target}; echo \"{target}: $?\"\n"),
    });
    tries.fold(script, |script, line| script + &line)
}

#[test]
fn what_emulated_nodes_cannot_enforce_is_refused_at_its_field() {
    let refuse = |spec: Value| {
        let made = Blueprint::new(
            &[policy("p", &spec), pod("w1", "", &Value::Null)],
            &settings(1),
        );
        made.unwrap_err().to_string() + "\n\n"
    };
    let ingress = |rule: Value| refuse(json!({"ingress": [{}, rule]}));
    let said = [
        ingress(json!({"from": [{"namespaceSelector": {}}]})),
        ingress(json!({"from": [{}]})),
        ingress(json!({"from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]})),
        ingress(json!({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["fd00::/64"]}}]})),
        ingress(json!({"ports": [{"protocol": "SCTP"}]})),
        ingress(json!({"ports": [{"port": "http"}]})),
        ingress(json!({"ports": [{"port": 9, "endPort": 8}]})),
        ingress(json!({"to": []})),
    ];
    snapshots().bind(|| insta::assert_snapshot!("local_policies_refused", said.concat()));
    // netplan's own policies alone are not enforced, so that nothing is asked of them.
    let mut own = policy(
        "p",
        &json!({"ingress": [{"from": [{"namespaceSelector": {}}]}]}),
    );
    own.object["metadata"]["labels"] = json!({});
    assert!(Blueprint::new(&[own], &settings(1)).is_ok());
}

#[test]
fn a_variant_with_policies_is_measured_on_emulated_nodes() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = folder("policy.yaml.j2", &[("policy.yaml.j2", POLICY)]);
    let run =
        Netplan::in_folder(&folder).args(["run", "plan.yaml", "--on", "local", "--format", "csv"]);
    run.run().expect(0);
    let samples = samples(folder.path());
    assert_eq!(
        samples.matches(",iperf3-tcp/pod@policy,").count(),
        2,
        "{samples}"
    );
    assert!(!samples.contains("skipped"), "{samples}");
}

fn samples(folder: &Path) -> String {
    let results = fs::read_dir(folder.join("netplan-results")).unwrap();
    let run = results.last().unwrap().unwrap().path();
    fs::read_to_string(run.join("samples.csv")).unwrap()
}

#[tokio::test]
async fn where_policies_are_not_enforced_the_cells_of_their_variant_are_skipped() {
    let cluster = FakeCluster::start().await;
    let plan = PLAN.replace("OBJECTS", "policy.yaml.j2");
    fs::write(cluster.folder.path().join("plan.yaml"), plan).unwrap();
    fs::write(cluster.folder.path().join("policy.yaml.j2"), POLICY).unwrap();
    let arguments = [
        "run",
        "plan.yaml",
        "--on",
        "kubernetes",
        "--kubeconfig",
        "kubeconfig",
        "--format",
        "csv",
    ];
    let command_line = Netplan::in_folder(&cluster.folder).args(arguments).start();
    let running = cluster.play().await;
    running.pace.add_permits(Semaphore::MAX_PERMITS / 2);
    command_line.finish_in_task().await.expect(0);
    let samples = samples(cluster.folder.path());
    let words = "policy not enforced: `w2-policy` reaches port 65535 of `w1-policy`";
    assert_eq!(samples.matches(words).count(), 1, "{samples}");
    assert_eq!(samples.matches(",iperf3-tcp/pod,").count(), 2, "{samples}");
    assert!(
        !cluster.made().iter().any(|name| name.contains("policies")),
        "{:?}",
        cluster.made()
    );
}
