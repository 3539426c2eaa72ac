//! What is recorded of a run beside its machines and its cells: possible causes of a difference.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Environment, OFFLOADS};

/// Settings and versions by name, e.g. `kernel` → `6.18.44`. A setting with several values in one run
/// has them sorted, with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Configuration(pub BTreeMap<String, String>);

/// A setting that is not the same on two sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The setting's name.
    pub name: String,
    /// All values of one side.
    pub base: BTreeSet<String>,
    /// All values of the other side.
    pub new: BTreeSet<String>,
}

/// Parts of a cluster's description that are not settings: what belongs to the machine, names and
/// addresses.
const NO_SETTINGS: [&str; 5] = ["kind", "nodes", "pods", "services", "place"];
/// What a node's description says that belongs to the configuration.
const OF_NODES: [&str; 3] = ["runtime", "kubelet", "instance_type"];
/// What a cluster's description writes for what it could not find out.
const UNKNOWN: &str = "unknown";

impl Configuration {
    /// The settings that a run's environment describes.
    #[must_use]
    pub fn from_environment(environment: &Environment) -> Configuration {
        let mut found = Found::default();
        found.add("netplan", &environment.netplan);
        for worker in environment.workers.values() {
            let it = &worker.environment;
            found.add("kernel", &it.kernel);
            found.add("os", &it.os);
            found.add("congestion control", &it.congestion_control);
            if it.mtu > 0 {
                found.add("MTU", &it.mtu.to_string());
            }
            if it.memory_bytes > 0 {
                let gib = it.memory_bytes as f64 / f64::from(1 << 30);
                found.add("memory", &format!("{gib:.1} GiB"));
            }
            for (name, short) in OFFLOADS {
                if let Some(on) = it.offloads.get(name) {
                    found.add(short, if *on { "on" } else { "off" });
                }
            }
            for (tool, version) in &it.tools {
                found.add(tool, version);
            }
            for (program, file) in &it.programs {
                found.add(&format!("file of {program}"), file);
            }
        }
        if let Some(cluster) = &environment.cluster {
            found.describe(&cluster.description);
        }
        let joined = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(", ");
        let settings = found.0.into_iter();
        Configuration(
            settings
                .map(|(name, values)| (name, joined(values)))
                .collect(),
        )
    }

    /// The settings that are known on both sides and do not have the same values there. A side is one run
    /// or more.
    #[must_use]
    pub fn differences<'a>(
        base: impl IntoIterator<Item = &'a Configuration>,
        new: impl IntoIterator<Item = &'a Configuration>,
    ) -> Vec<Difference> {
        let (base, mut new) = (Found::union(base), Found::union(new));
        let both = base.0.into_iter().filter_map(|(name, base)| {
            let new = new.0.remove(&name)?;
            (base != new).then_some(Difference { name, base, new })
        });
        both.collect()
    }
}

/// All values of each setting.
#[derive(Default)]
struct Found(BTreeMap<String, BTreeSet<String>>);

impl Found {
    fn union<'a>(all: impl IntoIterator<Item = &'a Configuration>) -> Found {
        let mut found = Found::default();
        for (name, value) in all.into_iter().flat_map(|one| &one.0) {
            found.add(name, value);
        }
        found
    }

    fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() && value != UNKNOWN {
            let values = self.0.entry(name.to_owned()).or_default();
            values.insert(value.to_owned());
        }
    }

    /// Adds what a cluster's description says.
    fn describe(&mut self, description: &Value) {
        let Some(description) = description.as_object() else {
            return;
        };
        let settings = description
            .iter()
            .filter(|(key, _)| !NO_SETTINGS.contains(&key.as_str()));
        for (key, value) in settings {
            self.add(setting_name(key), &text(value));
        }
        let nodes = description.get("nodes").and_then(Value::as_array);
        for node in nodes.into_iter().flatten() {
            for key in OF_NODES {
                if let Some(value) = node.get(key) {
                    self.add(setting_name(key), &text(value));
                }
            }
        }
    }
}

/// What people call a setting of a cluster's description.
fn setting_name(key: &str) -> &str {
    match key {
        "cni" => "CNI",
        "kube_proxy" | "proxy" => "proxy mode",
        "server_version" => "Kubernetes",
        "runtime" => "container runtime",
        "policy_engine" => "policy engine",
        "service_mesh" => "service mesh",
        "pod_changes" => "what the cluster changes in pods",
        "instance_type" => "instance type",
        "offloads" => "offloads of the local cluster",
        "ip_families" => "address families",
        "pod_interfaces" => "interfaces of local pods",
        other => other,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Cluster, JoinedWorker, WorkerEnvironment};
    use serde_json::json;

    fn environment(kernels: [&str; 2], cluster: Option<Value>) -> Environment {
        let cluster = cluster.map(|description| Cluster {
            kind: "kubernetes".to_owned(),
            description,
        });
        let mut environment = Environment::from_events([], cluster);
        for (name, kernel) in ["w1", "w2"].into_iter().zip(kernels) {
            let joined = JoinedWorker {
                node: format!("node-of-{name}"),
                pod_ip: "10.0.0.1".to_owned(),
                cluster_ip: None,
                environment: WorkerEnvironment {
                    kernel: kernel.to_owned(),
                    ..WorkerEnvironment::default()
                },
            };
            environment.workers.insert(name.to_owned(), joined);
        }
        environment
    }

    #[test]
    fn settings_come_from_workers_and_the_cluster() {
        let description = json!({
            "kind": "kubernetes", "place": "a server", "cni": "Cilium", "kube_proxy": "unknown",
            "server_version": "v1.35.0",
            "nodes": [{ "name": "a", "runtime": "containerd://2" }, { "name": "b", "zone": null }],
        });
        let found =
            Configuration::from_environment(&environment(["6.1", "6.18"], Some(description)));
        let expected = [
            ("CNI", "Cilium"),
            ("Kubernetes", "v1.35.0"),
            ("container runtime", "containerd://2"),
            ("kernel", "6.1, 6.18"),
        ];
        let found: Vec<_> = found
            .0
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_difference_is_known_on_both_sides() {
        let old = Configuration::from_environment(&environment(["6.1", "6.1"], None));
        let new = Configuration::from_environment(&environment(
            ["6.18", "6.18"],
            Some(json!({ "cni": "Calico" })),
        ));
        let found = Configuration::differences([&old, &old], [&new]);
        let set = |value: &str| BTreeSet::from([value.to_owned()]);
        let kernel = Difference {
            name: "kernel".to_owned(),
            base: set("6.1"),
            new: set("6.18"),
        };
        assert_eq!(found, [kernel]);
        assert_eq!(Configuration::differences([&new], [&new]), []);
    }
}
