//! The environment of a run: server version, nodes, network plugin and proxy mode, as far as visible. Nothing here needs a permission: what netplan may not
//! view is omitted or `unknown`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::connection::Connection;

const UNKNOWN: &str = "unknown";
const SYSTEM: &str = "kube-system";

/// A part of a name or key, and the network plugin that leaves it.
const PLUGINS: &[(&str, &str)] = &[
    ("antrea", "antrea"),
    ("aws-node", "aws-vpc-cni"),
    ("azure-cni", "azure-cni"),
    ("calico", "calico"),
    ("canal", "canal"),
    ("cilium", "cilium"),
    ("flannel", "flannel"),
    ("kindnet", "kindnet"),
    ("kube-router", "kube-router"),
    ("multus", "multus"),
    ("ovn", "ovn-kubernetes"),
    ("weave", "weave"),
];

impl Connection {
    /// Server version, nodes, network plugin and proxy mode.
    pub async fn describe(&self) -> Value {
        let list = ListParams::default();
        let all_nodes: Api<Node> = Api::all(self.client.clone());
        let daemons: Api<DaemonSet> = Api::namespaced(self.client.clone(), SYSTEM);
        let configs: Api<ConfigMap> = Api::namespaced(self.client.clone(), SYSTEM);
        let (version, nodes, daemons, proxy, cilium) = tokio::join!(
            self.ask(self.client.apiserver_version()),
            self.ask(all_nodes.list(&list)),
            self.ask(daemons.list_metadata(&list)),
            self.ask(configs.get_opt("kube-proxy")),
            self.ask(configs.get_opt("cilium-config")),
        );
        let nodes = nodes.map(|list| list.items).unwrap_or_default();
        let daemons: Vec<String> = daemons
            .map(|list| list.items.iter().map(ResourceExt::name_any).collect())
            .unwrap_or_default();
        let data = |found: kube::Result<Option<ConfigMap>>| {
            let found = found.ok().flatten();
            found.and_then(|map| map.data).unwrap_or_default()
        };
        json!({
            "kind": "kubernetes",
            "server_version": version.map_or(UNKNOWN.to_owned(), |version| version.git_version),
            "place": self.place(),
            "cni": cni(&nodes, &daemons),
            "kube_proxy": proxy_mode(&data(proxy), &data(cilium)),
            "nodes": nodes.iter().map(node).collect::<Vec<_>>(),
        })
    }
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

/// Network plugins leave annotations on nodes and run as daemons.
fn cni(nodes: &[Node], daemons: &[String]) -> String {
    let keys = nodes.iter().flat_map(|node| node.annotations().keys());
    let signs: Vec<&String> = keys.chain(daemons).collect();
    let found: BTreeSet<&str> = PLUGINS
        .iter()
        .filter(|(part, _)| signs.iter().any(|sign| sign.contains(part)))
        .map(|(_, plugin)| *plugin)
        .collect();
    if found.is_empty() {
        UNKNOWN.to_owned()
    } else {
        found.into_iter().collect::<Vec<_>>().join("+")
    }
}

/// What translates virtual IPs.
fn proxy_mode(proxy: &BTreeMap<String, String>, cilium: &BTreeMap<String, String>) -> String {
    let replaced = cilium.get("kube-proxy-replacement").map(String::as_str);
    if matches!(replaced, Some("true" | "strict")) {
        return "cilium".to_owned();
    }
    let Some(config) = proxy.get("config.conf") else {
        return UNKNOWN.to_owned();
    };
    let mode = config
        .lines()
        .find_map(|line| line.strip_prefix("mode:"))
        .map(|mode| mode.trim().trim_matches('"'));
    match mode {
        // The default on Linux.
        None | Some("") => "iptables".to_owned(),
        Some(mode) => mode.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_mode_is_the_default() {
        let config = |text: &str| BTreeMap::from([("config.conf".to_owned(), text.to_owned())]);
        let none = BTreeMap::new();
        assert_eq!(
            proxy_mode(&config("metricsBindAddress: \"\"\nmode: \"\"\n"), &none),
            "iptables"
        );
        assert_eq!(proxy_mode(&config("mode: ipvs\n"), &none), "ipvs");
        assert_eq!(proxy_mode(&none, &none), "unknown");
    }

    #[test]
    fn daemons_and_annotations_betray_the_plugin() {
        assert_eq!(
            cni(&[], &["kindnet".to_owned(), "kube-proxy".to_owned()]),
            "kindnet"
        );
        assert_eq!(cni(&[], &[]), "unknown");
    }
}
