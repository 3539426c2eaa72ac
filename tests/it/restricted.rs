//! Rendered objects as an API server would take them: every field known to Kubernetes, every pod
//! within the Pod Security Standard `restricted`.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    ConfigMap, Namespace, Pod, PodSpec, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use netplan::diag::Source;
use netplan::plan::{self, PlanFile};
use netplan::render::{
    Identities, Manifest, RunContext, Templates, WorkerFamilies, WorkerPorts, manifests, patch_pods,
};
use netplan::tools;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::support::snapshots;

/// Everything that `kubernetes:` and placement can say.
pub const FULL: &str = r#"
version: 1
name: full
workers:
  w1: { node: node-a }
  w2: { same_node_as: w1 }
  w3: { other_node_than: w1, same_zone_as: w1, node_selector: { disk: ssd, example.com/nic: "" } }
  w-4: { other_zone_than: w1 }
paths:
  - { name: near, from: w1, to: w2, via: pod_ip }
  - { name: far, from: w3, to: w-4, via: cluster_ip }
tests:
  - iperf3: {}
  - netperf: {}
kubernetes:
  image: registry.example.com:5000/team/netplan:1.0
  image_pull_policy: Always
  pull_secrets: [one, two]
  namespace: team-a
  node_selector: { kubernetes.io/arch: amd64 }
  tolerations:
    - { key: dedicated, value: bench, effect: NoSchedule }
    - { operator: Exists, effect: NoExecute, toleration_seconds: 600 }
  resources:
    workers: { requests: { cpu: 2, memory: 64Mi }, limits: { cpu: 4, memory: 1Gi, example.com/nic: 1 } }
  priority_class: high
  annotations: { sidecar.istio.io/inject: "false", note: "{{ braces }} and \"quotes\"" }
  labels: { team: network, answer: "yes" }
  runtime_class: kata
  ip_family: IPv6
"#;

const PLAIN: &str = "
version: 1
name: plain
workers: { w1: {}, w2: { same_node_as: w1 }, w3: { other_node_than: w1 } }
paths:
  - { name: near, from: w1, to: w2, via: pod_ip }
  - { name: far, from: w3, to: w2, via: cluster_ip }
tests: [{ netperf: {} }]
";

const HOST: &str = "
version: 1
name: host
workers: { w1: {}, w2: { other_node_than: w1 }, w3: {} }
paths:
  - { name: host, from: w1, to: w2, via: host }
  - { name: hairpin, from: w3, to: w3, via: cluster_ip }
tests: [{ iperf3: {} }]
";

const RBAC: &str = "rbac.authorization.k8s.io/v1";

pub fn load(text: &str) -> PlanFile {
    plan::load_file(&plan::Alone, Source::new("plan.yaml", text), &[])
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn rendered(text: &str) -> (RunContext, Vec<Manifest>) {
    let file = load(text);
    let plan = file.expand();
    let run = RunContext {
        version: "0.0.0",
        ..RunContext::from_plan(&plan, "0badcafe", None)
    };
    let workers: Vec<WorkerPorts<'_>> = plan
        .workers
        .iter()
        .map(|(name, placement)| WorkerPorts {
            name,
            placement,
            host_network: plan.on_host_network(name),
            ports: tools::Ports::for_plan(&plan).worker(name),
            families: WorkerFamilies::new(&plan, name),
        })
        .collect();
    let identity = |role: &str| json!({"role": role, "ca_pem": "CA\n", "cert_pem": "LEAF\n", "key_pem": "KEY\n"});
    let identities = Identities {
        in_pods: std::iter::once("orchestrator")
            .chain(plan.workers.keys().map(String::as_str))
            .map(identity)
            .collect(),
        client: identity("client"),
    };
    let text = file.to_yaml().unwrap();
    let all = manifests(
        &run,
        &plan.name,
        &text,
        &plan.kubernetes,
        &workers,
        &identities,
        &Templates::embedded(),
    );
    (run, all.unwrap())
}

fn all_plans() -> [(&'static str, Vec<Manifest>); 3] {
    [("plain", PLAIN), ("full", FULL), ("host", HOST)].map(|(name, text)| (name, rendered(text).1))
}

/// What an API server with strict field validation makes of an object. A lost key is an error.
pub fn typed(object: &Value) -> Result<(), String> {
    fn through<T: DeserializeOwned + Serialize>(object: &Value) -> Result<Value, String> {
        let typed: T = serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
        serde_json::to_value(typed).map_err(|error| error.to_string())
    }
    let api = object["apiVersion"].as_str().unwrap_or_default();
    let kind = object["kind"].as_str().unwrap_or_default();
    let back = match (api, kind) {
        ("v1", "Namespace") => through::<Namespace>(object),
        ("v1", "ConfigMap") => through::<ConfigMap>(object),
        ("v1", "Secret") => through::<Secret>(object),
        ("v1", "Service") => through::<Service>(object),
        ("v1", "Pod") => through::<Pod>(object),
        ("v1", "ServiceAccount") => through::<ServiceAccount>(object),
        ("batch/v1", "Job") => through::<Job>(object),
        ("batch/v1", "CronJob") => through::<CronJob>(object),
        (RBAC, "Role") => through::<Role>(object),
        (RBAC, "RoleBinding") => through::<RoleBinding>(object),
        (RBAC, "ClusterRole") => through::<ClusterRole>(object),
        (RBAC, "ClusterRoleBinding") => through::<ClusterRoleBinding>(object),
        ("networking.k8s.io/v1", "NetworkPolicy") => through::<NetworkPolicy>(object),
        _ => Err(format!("unknown kind {kind} of {api}")),
    }?;
    let (before, after) = (pruned(object), pruned(&back));
    if before == after {
        return Ok(());
    }
    Err(format!("{kind}: fields were lost\n{before:#}\n{after:#}"))
}

/// Without what is empty: to Kubernetes the same as not there. An empty text stays, as it may be a
/// label's value.
fn pruned(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| (key.clone(), pruned(value)));
            let kept: BTreeMap<_, _> = fields
                .filter(|(_, value)| !value.is_null() && *value != json!({}) && *value != json!([]))
                .collect();
            json!(kept)
        }
        Value::Array(items) => items.iter().map(pruned).collect(),
        other => other.clone(),
    }
}

/// The pod of a Pod or Job.
pub fn pod_spec(object: &Value) -> Option<PodSpec> {
    match object["kind"].as_str()? {
        "Pod" => serde_json::from_value::<Pod>(object.clone()).ok()?.spec,
        "Job" => {
            serde_json::from_value::<Job>(object.clone())
                .ok()?
                .spec?
                .template
                .spec
        }
        _ => None,
    }
}

/// What a pod does that the Pod Security Standard `restricted` forbids.
/// <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
pub fn violations(pod: &PodSpec) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut rule = |broken: bool, name| {
        if broken {
            found.push(name);
        }
    };
    let yes = Some(true);
    rule(
        pod.host_network == yes || pod.host_pid == yes || pod.host_ipc == yes,
        "host namespaces",
    );
    let security = pod.security_context.clone().unwrap_or_default();
    rule(
        security.sysctls.is_some_and(|all| !all.is_empty()),
        "sysctls",
    );
    rule(security.se_linux_options.is_some(), "SELinux options");
    let profile = |profile: Option<&str>| matches!(profile, Some("RuntimeDefault" | "Localhost"));
    let pod_seccomp = security.seccomp_profile.as_ref().map(|p| p.type_.as_str());
    let volumes = serde_json::to_value(&pod.volumes).unwrap_or_default();
    let allowed = [
        "name",
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    for volume in volumes.as_array().into_iter().flatten() {
        let keys = volume
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::keys);
        rule(
            keys.into_iter().any(|key| !allowed.contains(&key.as_str())),
            "volume types",
        );
    }
    let extra = pod.init_containers.iter().flatten();
    rule(
        pod.ephemeral_containers.is_some(),
        "ephemeral containers are not checked here",
    );
    for container in pod.containers.iter().chain(extra) {
        let own = container.security_context.clone().unwrap_or_default();
        rule(own.privileged == yes, "privileged");
        rule(
            own.allow_privilege_escalation != Some(false),
            "privilege escalation",
        );
        rule(
            own.run_as_non_root.or(security.run_as_non_root) != yes,
            "running as root",
        );
        rule(
            own.run_as_user.or(security.run_as_user) == Some(0),
            "user 0",
        );
        let seccomp = own.seccomp_profile.as_ref().map(|p| p.type_.as_str());
        rule(!profile(seccomp.or(pod_seccomp)), "seccomp");
        rule(own.se_linux_options.is_some(), "SELinux options");
        rule(
            own.proc_mount.is_some_and(|mount| mount != "Default"),
            "/proc mount",
        );
        let capabilities = own.capabilities.unwrap_or_default();
        rule(
            !capabilities
                .drop
                .unwrap_or_default()
                .contains(&"ALL".to_owned()),
            "capabilities",
        );
        let added = capabilities.add.unwrap_or_default();
        rule(
            added.iter().any(|name| name != "NET_BIND_SERVICE"),
            "added capabilities",
        );
        let ports = container.ports.iter().flatten();
        rule(
            ports
                .into_iter()
                .any(|port| port.host_port.is_some_and(|port| port != 0)),
            "host ports",
        );
    }
    found
}

#[test]
fn every_object_is_one_that_kubernetes_knows() {
    for (plan, all) in all_plans() {
        for manifest in all {
            typed(&manifest.object).unwrap_or_else(|error| panic!("{plan}: {error}"));
        }
    }
    let misspelt = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [], "hostNetwrk": true}});
    assert!(typed(&misspelt).is_err());
}

#[test]
fn every_pod_is_restricted_but_for_the_host_network_that_was_asked_for() {
    for (plan, all) in all_plans() {
        let mut pods = 0;
        for manifest in &all {
            let Some(pod) = pod_spec(&manifest.object) else {
                continue;
            };
            pods += 1;
            let name = manifest.name();
            let on_host = plan == "host" && (name.ends_with("-w1") || name.ends_with("-w2"));
            let expected: &[&str] = if on_host { &["host namespaces"] } else { &[] };
            assert_eq!(violations(&pod), expected, "{plan}: {name}");
            // Beyond the standard.
            assert_eq!(pod.automount_service_account_token, Some(false), "{name}");
            for container in &pod.containers {
                let security = container.security_context.clone().unwrap_or_default();
                assert_eq!(security.read_only_root_filesystem, Some(true), "{name}");
                let resources = container.resources.clone().unwrap_or_default();
                assert!(
                    resources.requests.is_some() && resources.limits.is_some(),
                    "{name}"
                );
            }
        }
        assert!(pods >= 4, "{plan}: {pods}");
    }
}

#[test]
fn the_checker_sees_what_is_not_restricted() {
    let bad: PodSpec = serde_json::from_value(json!({
        "hostPID": true,
        "volumes": [{"name": "x", "hostPath": {"path": "/"}}],
        "containers": [{
            "name": "c",
            "ports": [{"containerPort": 1, "hostPort": 1}],
            "securityContext": {"privileged": true, "runAsUser": 0, "capabilities": {"add": ["NET_ADMIN"]}},
        }],
    }))
    .unwrap();
    assert_eq!(
        violations(&bad),
        [
            "host namespaces",
            "volume types",
            "privileged",
            "privilege escalation",
            "running as root",
            "user 0",
            "seccomp",
            "capabilities",
            "added capabilities",
            "host ports",
        ]
    );
}

#[test]
fn objects_have_the_runs_labels_and_namespace_and_come_in_order() {
    for (plan, all) in all_plans() {
        assert_eq!(all[0].kind(), "Namespace", "{plan}");
        for manifest in &all {
            let metadata = &manifest.object["metadata"];
            let name = manifest.name();
            assert_eq!(
                metadata["labels"]["netplan/run"], "0badcafe",
                "{plan}: {name}"
            );
            if manifest.kind() != "Namespace" {
                assert_eq!(metadata["namespace"], all[0].name(), "{plan}: {name}");
            }
        }
        let kinds: Vec<&str> = all.iter().map(Manifest::kind).collect();
        let first = |kind| kinds.iter().position(|one| *one == kind).unwrap();
        let last = kinds.iter().rposition(|kind| *kind != "Job").unwrap();
        assert!(last < first("Job"), "{plan}: {kinds:?}");
    }
}

#[test]
fn a_namespace_that_always_exists_is_not_rendered() {
    let plan = format!("{PLAIN}kubernetes: {{ namespace: default }}\n");
    let all = rendered(&plan).1;
    assert!(all.iter().all(|one| one.kind() != "Namespace"));
    assert!(
        all.iter()
            .all(|one| one.object["metadata"]["namespace"] == "default")
    );
}

#[test]
fn every_service_names_its_protocols_and_selects_one_pod() {
    for (plan, all) in all_plans() {
        let pods: Vec<&Value> = all
            .iter()
            .filter_map(|one| match one.kind() {
                "Pod" => Some(&one.object["metadata"]["labels"]),
                "Job" => Some(&one.object["spec"]["template"]["metadata"]["labels"]),
                _ => None,
            })
            .collect();
        for service in all.iter().filter(|one| one.kind() == "Service") {
            let spec = &service.object["spec"];
            for port in spec["ports"].as_array().unwrap() {
                assert!(port["protocol"].is_string(), "{plan}: {port}");
            }
            let selector = spec["selector"].as_object().unwrap();
            let selected = pods
                .iter()
                .filter(|labels| selector.iter().all(|(key, value)| labels[key] == *value));
            assert_eq!(selected.count(), 1, "{plan}: {}", service.name());
        }
    }
}

#[test]
fn the_manifests_of_a_plan_that_says_everything() {
    for (name, all) in all_plans() {
        if name == "plain" {
            continue;
        }
        let shown = all.iter().filter(|one| one.kind() != "Secret");
        let text: Vec<String> = shown.map(|one| format!("---\n{}", one.text)).collect();
        snapshots().bind(|| insta::assert_snapshot!(format!("manifests_{name}"), text.concat()));
    }
}

/// A plan for `OpenShift`, with fields that the language does not name.
const PATCHED: &str = "
version: 1
name: patched
workers: { w1: {} }
paths: [{ name: hairpin, from: w1, to: w1, via: cluster_ip }]
tests: [{ iperf3: {} }]
kubernetes:
  user: platform
  architecture: arm64
  active_deadline_seconds: 3600
  ttl_seconds_after_finished: 0
  results_claim: journals
  pod:
    metadata: { annotations: { example.com/team: a } }
    spec:
      schedulerName: mine
      securityContext: { seccompProfile: null }
      containers:
        - { name: worker, env: [{ name: EXTRA, value: 'yes' }] }
        - { name: sidecar, image: 'sidecar:1' }
";

#[test]
fn the_manifests_of_a_plan_that_changes_pods_in_the_words_of_kubernetes() {
    let (_, mut all) = rendered(PATCHED);
    let pod = load(PATCHED).kubernetes.pod;
    patch_pods(&mut all, pod.as_ref().unwrap()).unwrap();
    let jobs = all.iter().filter(|one| one.kind() == "Job");
    let text: Vec<String> = jobs.map(|one| format!("---\n{}", one.text)).collect();
    snapshots().bind(|| insta::assert_snapshot!("manifests_patched", text.concat()));
    // The resolved plan says the same.
    let resolved = load(PATCHED).to_yaml().unwrap();
    assert_eq!(load(&resolved), load(PATCHED));
}
