//! The environment of a run: server version, nodes, and what [`super::detect`] tells of the rest, as far as visible.
//! Nothing here needs a permission: what netplan may not view is omitted or `unknown`.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::connection::Connection;
use super::detect::{Detected, Part, Signs, detect, names};
use super::mesh_injection::injection;
use super::objects::apply::pod_spec;
use crate::cluster::Finding;
use crate::render::Manifest;

const UNKNOWN: &str = "unknown";
const SYSTEM: &str = "kube-system";
const ARCHITECTURE: &str = "kubernetes.io/arch";

impl Connection {
    /// Server version, nodes, network plugin, proxy mode, and what else changes pods or their traffic.
    pub async fn describe(&self) -> Value {
        let signs = Box::pin(self.signs()).await;
        let detected = detect(&signs);
        let joined = |part| match names(&detected, part) {
            none if none.is_empty() => UNKNOWN.to_owned(),
            names => names.join("+"),
        };
        let version = match signs.version.as_str() {
            "" => UNKNOWN,
            version => version,
        };
        let mut description = json!({
            "kind": "kubernetes",
            "server_version": version,
            "place": self.place(),
            "cni": joined(Part::Cni),
            "kube_proxy": joined(Part::ProxyMode),
            "nodes": signs.nodes.iter().map(node).collect::<Vec<_>>(),
        });
        for (key, part) in [
            ("platform", Part::Platform),
            ("policy_engine", Part::PolicyEngine),
            ("service_mesh", Part::ServiceMesh),
        ] {
            if !names(&detected, part).is_empty() {
                description[key] = json!(joined(part));
            }
        }
        if let Some(changes) = self.pod_changes.get().filter(|found| !found.is_empty()) {
            description["pod_changes"] = json!(changes.join(", "));
        }
        description
    }

    /// What was detected, with the evidence, for people; and what follows from it for the run.
    pub async fn platform(&self, namespace: &str, manifests: &[Manifest]) -> Vec<Finding> {
        let signs = Box::pin(self.signs()).await;
        let detected = detect(&signs);
        let mut findings: Vec<Finding> = [
            ("platform", Part::Platform),
            ("network plugin", Part::Cni),
            ("proxy mode", Part::ProxyMode),
            ("policy engine", Part::PolicyEngine),
            ("service mesh", Part::ServiceMesh),
        ]
        .map(|(subject, part)| {
            let of_part = detected.iter().filter(|one| one.part == part);
            let found: Vec<String> = of_part
                .map(|one| format!("{} ({})", one.name, one.evidence))
                .collect();
            let state = if found.is_empty() {
                "none was detected".to_owned()
            } else {
                found.join(", ")
            };
            Finding::new(subject, state, Vec::new())
        })
        .into();
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let found = self.ask(namespaces.get_opt(namespace)).await.ok().flatten();
        let found = serde_json::to_value(found).unwrap_or_default();
        let advice = advice(&detected, &signs.nodes, &found, manifests);
        findings.extend(advice.map(|advice| Finding::new("advice", advice, Vec::new())));
        findings
    }

    /// Everything that may be viewed.
    async fn signs(&self) -> Signs {
        let list = ListParams::default();
        let all_nodes: Api<Node> = Api::all(self.client.clone());
        let daemons: Api<DaemonSet> = Api::namespaced(self.client.clone(), SYSTEM);
        let configs: Api<ConfigMap> = Api::namespaced(self.client.clone(), SYSTEM);
        let (version, groups, nodes, daemons, proxy, cilium) = tokio::join!(
            self.ask(self.client.apiserver_version()),
            self.ask(self.client.list_api_groups()),
            self.ask(all_nodes.list(&list)),
            self.ask(daemons.list_metadata(&list)),
            self.ask(configs.get_opt("kube-proxy")),
            self.ask(configs.get_opt("cilium-config")),
        );
        let data = |found: kube::Result<Option<ConfigMap>>| {
            let found = found.ok().flatten();
            found.and_then(|map| map.data).unwrap_or_default()
        };
        let daemons = daemons.map(|list| list.items).unwrap_or_default();
        let groups = groups.map(|list| list.groups).unwrap_or_default();
        Signs {
            version: version
                .map(|version| version.git_version)
                .unwrap_or_default(),
            nodes: nodes.map(|list| list.items).unwrap_or_default(),
            daemons: daemons.iter().map(ResourceExt::name_any).collect(),
            groups: groups.into_iter().map(|group| group.name).collect(),
            proxy: data(proxy),
            cilium: data(cilium),
        }
    }
}

/// What a person may want to change in the plan, given what was detected: a line.
fn advice(
    detected: &[Detected],
    nodes: &[Node],
    namespace: &Value,
    manifests: &[Manifest],
) -> Option<String> {
    let platform = names(detected, Part::Platform);
    let specs: Vec<&Value> = manifests
        .iter()
        .filter_map(|manifest| pod_spec(&manifest.object))
        .collect();
    let mut advice = Vec::new();
    let names_user = |spec: &&Value| !spec["securityContext"]["runAsUser"].is_null();
    if platform.contains(&"OpenShift") && specs.iter().any(names_user) {
        advice.push(
            "`restricted-v2` refuses pods that name a user id: write `kubernetes: { user: platform }`"
                .to_owned(),
        );
    }
    if platform.contains(&"GKE Autopilot") {
        advice.push(
            "Autopilot raises small requests to its minimum and may set limits, which throttle: ask for what the \
             pods need in `kubernetes: { resources: … }`"
                .to_owned(),
        );
    }
    let architecture = |node: &Node| {
        let info = node.status.as_ref()?.node_info.as_ref()?;
        Some(info.architecture.clone())
    };
    let architectures: BTreeSet<String> = nodes.iter().filter_map(architecture).collect();
    let is_selected = |spec: &&Value| !spec["nodeSelector"][ARCHITECTURE].is_null();
    if architectures.len() > 1 && !specs.iter().any(is_selected) {
        let all: Vec<String> = architectures.into_iter().collect();
        advice.push(format!(
            "nodes are {}: if the image has one of them only, write `kubernetes: {{ architecture: … }}`",
            all.join(" and ")
        ));
    }
    if let Some(sign) = injection(namespace) {
        advice.push(format!(
            "the namespace has {sign}: a mesh's sidecars would be measured; use another namespace, or measure the \
             mesh on purpose"
        ));
    }
    (!advice.is_empty()).then(|| advice.join("; "))
}

fn node(node: &Node) -> Value {
    let status = node.status.clone().unwrap_or_default();
    let info = status.node_info.unwrap_or_default();
    let label = |key: &str| node.labels().get(key).cloned();
    let capacity = |key: &str| {
        let capacity = status.capacity.as_ref();
        capacity
            .and_then(|all| all.get(key))
            .map(|amount| amount.0.clone())
    };
    json!({
        "name": node.name_any(),
        "kernel": info.kernel_version,
        "os": info.os_image,
        "runtime": info.container_runtime_version,
        "kubelet": info.kubelet_version,
        "architecture": info.architecture,
        "zone": label("topology.kubernetes.io/zone"),
        "instance_type": label("node.kubernetes.io/instance-type"),
        "cpu": capacity("cpu"),
        "memory": capacity("memory"),
    })
}
