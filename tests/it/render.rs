//! Manifests: what people apply and read.

use std::collections::BTreeSet;
use std::fs;

use netplan::plan::{Kubernetes, Placement};
use netplan::render::{
    Identities, Manifest, RenderError, RunContext, Templates, WorkerFamilies, WorkerPorts,
    manifests,
};
use netplan::tools::{Port, Transport};
use serde_json::json;

use crate::support::snapshots;

const PLAN: &str = "version: 1\nname: small\n";

fn run() -> RunContext {
    RunContext {
        version: "0.0.0",
        image: "netplan:0.0.0".into(),
        ..RunContext::new("0badcafe", None)
    }
}

fn rendered(run: &RunContext, templates: &Templates) -> Result<Vec<Manifest>, RenderError> {
    let near = Placement {
        same_node_as: Some("w1".into()),
        ..Placement::default()
    };
    let far = Placement {
        other_node_than: Some("w1".into()),
        ..Placement::default()
    };
    let workers = [
        WorkerPorts {
            name: "w1",
            placement: &Placement::default(),
            host_network: false,
            ports: vec![],
            families: WorkerFamilies::default(),
        },
        WorkerPorts {
            name: "w2",
            placement: &near,
            host_network: false,
            ports: iperf3_ports(),
            families: WorkerFamilies::default(),
        },
        WorkerPorts {
            name: "w3",
            placement: &far,
            host_network: false,
            ports: vec![],
            families: WorkerFamilies::default(),
        },
    ];
    rendered_for(run, &workers, templates)
}

fn iperf3_ports() -> Vec<Port> {
    let port = |transport| Port {
        number: 5201,
        transport,
    };
    vec![port(Transport::Tcp), port(Transport::Udp)]
}

fn rendered_for(
    run: &RunContext,
    workers: &[WorkerPorts<'_>],
    templates: &Templates,
) -> Result<Vec<Manifest>, RenderError> {
    let roles = workers.iter().map(|worker| worker.name);
    let identity = |role: &str| {
        json!({
            "role": role,
            "ca_pem": "-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n",
            "cert_pem": "-----BEGIN CERTIFICATE-----\nLEAF\n-----END CERTIFICATE-----\n",
            "key_pem": "-----BEGIN PRIVATE KEY-----\nKEY\n-----END PRIVATE KEY-----\n",
        })
    };
    manifests(
        run,
        "small",
        PLAN,
        &Kubernetes::default(),
        workers,
        &Identities {
            in_pods: std::iter::once("orchestrator")
                .chain(roles)
                .map(identity)
                .collect(),
            client: identity("client"),
        },
        templates,
    )
}

/// The manifests of run `0badcafe` with three workers, by the shipped templates.
pub fn shipped() -> Vec<Manifest> {
    rendered(&run(), &Templates::embedded()).unwrap()
}

#[test]
fn the_manifests_of_a_run() {
    let all = shipped();
    let text: Vec<String> = all.iter().map(|one| format!("---\n{}", one.text)).collect();
    snapshots().bind(|| insta::assert_snapshot!("manifests", text.concat()));
}

/// With `hostNetwork` the API server makes each port a `hostPort`: two such pods fit on no node. And a policy
/// matches no address of a node.
#[test]
fn workers_on_the_host_network_take_no_ports_and_are_reached_by_all_pods() {
    let beside = Placement {
        same_node_as: Some("h1".into()),
        ..Placement::default()
    };
    let anywhere = Placement::default();
    let worker = |name, placement, host_network| WorkerPorts {
        name,
        placement,
        host_network,
        ports: iperf3_ports(),
        families: WorkerFamilies::default(),
    };
    let workers = [
        worker("h1", &anywhere, true),
        worker("h2", &beside, true),
        worker("pod", &anywhere, false),
    ];
    let manifests = rendered_for(&run(), &workers, &Templates::embedded()).unwrap();
    let object = |kind: &str, worker: &str| {
        let name = format!("netplan-0badcafe-{worker}");
        let found = manifests
            .iter()
            .find(|one| one.kind() == kind && one.name() == name);
        &found.unwrap().object
    };
    let ports =
        |worker| &object("Job", worker)["spec"]["template"]["spec"]["containers"][0]["ports"];
    assert_eq!(ports("h1"), &json!(null));
    assert_eq!(ports("h2"), &json!(null));
    assert_eq!(ports("pod").as_array().unwrap().len(), 2);

    let open = json!({"ports": [
        {"port": 5201, "protocol": "TCP"},
        {"port": 5201, "protocol": "UDP"},
    ]});
    let policy = &object("NetworkPolicy", "pod")["spec"];
    assert_eq!(policy["ingress"], json!([open]));
    assert!(policy["egress"].as_array().unwrap().contains(&open));
}

#[test]
fn what_reads_as_text_arrives_as_it_was() {
    let all = shipped();
    let map = all.iter().find(|one| one.kind() == "ConfigMap").unwrap();
    assert_eq!(map.object["data"]["plan.yaml"], PLAN);
    let orchestrator = all.iter().find(|one| one.kind() == "Job").unwrap();
    let command = "/spec/template/spec/containers/0/command";
    assert!(
        !orchestrator
            .object
            .pointer(command)
            .unwrap()
            .to_string()
            .contains("--only")
    );
}

#[test]
fn a_hostile_value_stays_one_value() {
    let hostile = "tool=iperf3\n- evil: \"{{ 1 }}\" # '";
    let run = RunContext {
        only: Some(hostile.into()),
        ..run()
    };
    let all = rendered(&run, &Templates::embedded()).unwrap();
    let job = all.iter().find(|one| one.kind() == "Job").unwrap();
    let command = job
        .object
        .pointer("/spec/template/spec/containers/0/command")
        .unwrap();
    let only = command
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|argument| argument.as_str());
    assert!(
        only.clone()
            .any(|argument| argument == format!("--only={hostile}")),
        "{command}"
    );
}

#[test]
fn a_folder_overrides_templates_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("README.md", "not a template");
    write(
        "configmap.yaml.j2",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\ndata: {plan: {{ plan.name }}}\n",
    );
    let templates = Templates::overridden_by(folder.path()).unwrap();
    let all = rendered(&run(), &templates).unwrap();
    assert_eq!(
        (all[5].name(), all[5].object["data"]["plan"].as_str()),
        ("mine", Some("small"))
    );
    assert_eq!(all.len(), 17);
}

#[test]
fn every_mistake_in_a_template_is_named() {
    let cases = [
        (
            "configmap.yaml.j2",
            "metadata: {name: {{ run.nmae }}}",
            "unknown-value",
        ),
        ("configmap.yaml.j2", "{% if run.id %}", "unclosed"),
        ("configmap.yaml.j2", "kind: [", "no-yaml"),
        ("configmap.yaml.j2", "a: 1\n---\nb: 2\n", "two-documents"),
        (
            "configmap.yaml.j2",
            "apiVersion: v1\nkind: ConfigMap\n",
            "no-name",
        ),
        (
            "configmap.yaml.j2",
            "{% for i in range(9999999) %}{% endfor %}",
            "endless",
        ),
        ("worker-jbo.yaml.j2", "", "misnamed"),
    ];
    let mut said = String::new();
    for (name, text, case) in cases {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        let error = Templates::overridden_by(folder.path())
            .and_then(|templates| rendered(&run(), &templates))
            .unwrap_err();
        let place = folder.path().display().to_string();
        let error = error.to_string().replace(&place, "FOLDER");
        said.extend(["## ", case, "\n", &error, "\n\n"]);
    }
    snapshots().bind(|| insta::assert_snapshot!("template_errors", said));
}

#[test]
fn an_error_in_the_secrets_template_shows_no_secret() {
    for text in [
        "a: {{ identity.key_pem }}\nb: {{ identity.nmae }}\n",
        "a: {{ identity.key_pem }}\nb: {{ identity.key_pem | block }}\n",
        "kind: Secret\na: {{ identity.key_pem | block(0) }}\nb: [\n",
        "kind: Secret\nkey: {{ identity.key_pem }}\n",
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret.yaml.j2"), text).unwrap();
        let templates = Templates::overridden_by(folder.path()).unwrap();
        let said = rendered(&run(), &templates).unwrap_err();
        for said in [said.to_string(), format!("{said:?}")] {
            assert!(said.contains("secret.yaml.j2"), "{said}");
            assert!(!said.contains("\nKEY") && !said.contains("BEGIN"), "{said}");
        }
    }
}

#[test]
fn the_binary_carries_every_template_of_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        // Those of the HTML page and of the chart are in folders of their own.
        .filter(|name| name != "page" && name != "chart");
    let carried = Templates::names()
        .map(ToOwned::to_owned)
        .collect::<BTreeSet<_>>();
    assert_eq!(files.collect::<BTreeSet<_>>(), carried);
}
