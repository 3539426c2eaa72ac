//! What a cluster is made of, told by the signs that it leaves: platform, network plugin, proxy mode, policy engines,
//! service meshes. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;

use super::known_components::{
    PLATFORMS, PLUGIN_DAEMONS, PLUGIN_DOMAINS, POLICY_ENGINES, SERVICE_MESHES, Sign,
};

/// What could be viewed; empty where nothing could.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// Of the API server, e.g. `v1.36.1+k3s1`.
    pub version: String,
    pub nodes: Vec<Node>,
    /// The names of the `DaemonSet`s in `kube-system`.
    pub daemons: Vec<String>,
    /// The names of the API groups.
    pub groups: Vec<String>,
    /// The content of the `ConfigMap`s `kube-proxy` and `cilium-config`.
    pub proxy: BTreeMap<String, String>,
    pub cilium: BTreeMap<String, String>,
}

/// What a component does in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Platform,
    Cni,
    ProxyMode,
    PolicyEngine,
    ServiceMesh,
}

/// A component, and what shows that it is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Detected {
    pub part: Part,
    pub name: String,
    pub evidence: String,
}

/// Everything that the signs show, in the order of [`Part`].
pub(super) fn detect(signs: &Signs) -> Vec<Detected> {
    let platform = PLATFORMS.iter().find_map(|(name, of)| {
        let evidence = of.iter().find_map(|sign| evidence(*sign, signs))?;
        Some(Detected {
            part: Part::Platform,
            name: (*name).to_owned(),
            evidence,
        })
    });
    let by_group = |part: Part, table: &'static [(&str, &str)]| {
        table.iter().filter_map(move |(group, name)| {
            Some(Detected {
                part,
                name: (*name).to_owned(),
                evidence: evidence(Sign::Group(group), signs)?,
            })
        })
    };
    platform
        .into_iter()
        .chain(plugins(&signs.nodes, &signs.daemons))
        .chain(proxy_mode(&signs.proxy, &signs.cilium))
        .chain(by_group(Part::PolicyEngine, POLICY_ENGINES))
        .chain(by_group(Part::ServiceMesh, SERVICE_MESHES))
        .collect()
}

/// The names of one part.
pub(super) fn names(detected: &[Detected], part: Part) -> Vec<&str> {
    let of_part = detected.iter().filter(|one| one.part == part);
    of_part.map(|one| one.name.as_str()).collect()
}

fn evidence(sign: Sign, signs: &Signs) -> Option<String> {
    let mut nodes = signs.nodes.iter();
    match sign {
        Sign::Group(wanted) => {
            let mut groups = signs.groups.iter();
            let group = groups.find(|group| is_domain_below(group, wanted))?;
            Some(format!("API group {group}"))
        }
        Sign::Version(part) => {
            let is_there = signs.version.contains(part);
            is_there.then(|| format!("server version {}", signs.version))
        }
        Sign::Label(key) => {
            let node = nodes.find(|node| node.labels().contains_key(key))?;
            Some(format!("label {key} of node {}", node.name_any()))
        }
        Sign::Provider(start) => {
            let id = |node: &Node| node.spec.as_ref()?.provider_id.clone();
            let id = nodes.filter_map(id).find(|id| id.starts_with(start))?;
            Some(format!("providerID {id}"))
        }
        Sign::NodeName(start) => {
            let name = nodes.map(ResourceExt::name_any);
            let name = name.into_iter().find(|name| name.starts_with(start))?;
            Some(format!("node {name}"))
        }
    }
}

/// Network plugins leave annotations on nodes and run as daemons.
fn plugins(nodes: &[Node], daemons: &[String]) -> Vec<Detected> {
    let by_daemon = PLUGIN_DAEMONS.iter().filter_map(|(words, plugin)| {
        let daemon = daemons.iter().find(|name| has_words(name, words))?;
        Some((*plugin, format!("DaemonSet in kube-system: {daemon}")))
    });
    let by_key = PLUGIN_DOMAINS.iter().filter_map(|(domain, plugin)| {
        let mut keys = nodes.iter().flat_map(|node| node.annotations().keys());
        let key = keys.find(|key| {
            let key_domain = key.split_once('/').map(|(domain, _)| domain);
            key_domain.is_some_and(|key_domain| is_domain_below(key_domain, domain))
        })?;
        Some((*plugin, format!("annotation of nodes: {key}")))
    });
    // What a daemon shows comes last, and replaces what a key shows.
    let found: BTreeMap<&str, String> = by_key.chain(by_daemon).collect();
    let found = found.into_iter().map(|(name, evidence)| Detected {
        part: Part::Cni,
        name: name.to_owned(),
        evidence,
    });
    found.collect()
}

/// Whether a domain is `wanted`, or below it.
fn is_domain_below(domain: &str, wanted: &str) -> bool {
    let before = domain.strip_suffix(wanted);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Whether a name is made of `words` and others, with `-` between them.
fn has_words(name: &str, words: &str) -> bool {
    format!("-{name}-").contains(&format!("-{words}-"))
}

/// What translates virtual IPs.
fn proxy_mode(
    proxy: &BTreeMap<String, String>,
    cilium: &BTreeMap<String, String>,
) -> Option<Detected> {
    let detected = |name: &str, evidence: &str| Detected {
        part: Part::ProxyMode,
        name: name.to_owned(),
        evidence: evidence.to_owned(),
    };
    let replaced = cilium.get("kube-proxy-replacement").map(String::as_str);
    if matches!(replaced, Some("true" | "strict")) {
        return Some(detected(
            "cilium",
            "kube-proxy-replacement of ConfigMap cilium-config",
        ));
    }
    let config = proxy.get("config.conf")?;
    let mode = config
        .lines()
        .find_map(|line| line.strip_prefix("mode:"))
        .map(|mode| mode.trim().trim_matches('"'));
    Some(match mode {
        None | Some("") => detected(
            "iptables",
            "ConfigMap kube-proxy names no mode: Linux's default",
        ),
        Some(mode) => detected(mode, "mode of ConfigMap kube-proxy"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn nodes(nodes: &Value) -> Vec<Node> {
        serde_json::from_value(nodes.clone()).unwrap()
    }

    fn found(signs: &Signs) -> Vec<(Part, String)> {
        let detected = detect(signs).into_iter();
        detected.map(|one| (one.part, one.name)).collect()
    }

    #[test]
    fn an_empty_mode_is_the_default() {
        let config = |text: &str| BTreeMap::from([("config.conf".to_owned(), text.to_owned())]);
        let none = BTreeMap::new();
        let mode = |proxy: &_, cilium: &_| proxy_mode(proxy, cilium).map(|one| one.name);
        let text = "metricsBindAddress: \"\"\nmode: \"\"\n";
        assert_eq!(mode(&config(text), &none).as_deref(), Some("iptables"));
        assert_eq!(
            mode(&config("mode: ipvs\n"), &none).as_deref(),
            Some("ipvs")
        );
        assert_eq!(mode(&none, &none), None);
        let strict = BTreeMap::from([("kube-proxy-replacement".to_owned(), "true".to_owned())]);
        assert_eq!(mode(&none, &strict).as_deref(), Some("cilium"));
    }

    #[test]
    fn platforms_are_known_by_their_signs() {
        let labelled = |key: &str| json!([{"metadata": {"name": "n1", "labels": {key: "x"}}}]);
        for (name, version, of, groups) in [
            (
                "OpenShift",
                "v1.33.2",
                json!([]),
                vec!["security.openshift.io"],
            ),
            (
                "GKE Autopilot",
                "v1.35.1-gke.4",
                json!([{"metadata": {"name": "gk3-a"}}]),
                vec![],
            ),
            (
                "GKE",
                "v1.35.1-gke.4",
                json!([{"metadata": {"name": "gke-a"}}]),
                vec![],
            ),
            ("GKE", "", labelled("cloud.google.com/gke-nodepool"), vec![]),
            ("EKS", "v1.33.1-eks-5d4a308", json!([]), vec![]),
            ("AKS", "", labelled("kubernetes.azure.com/cluster"), vec![]),
            ("k3s", "v1.36.1+k3s1", json!([]), vec![]),
            (
                "kind",
                "",
                json!([{"metadata": {"name": "n"}, "spec": {"providerID": "kind://docker/a/b"}}]),
                vec![],
            ),
        ] {
            let signs = Signs {
                version: version.to_owned(),
                nodes: nodes(&of),
                groups: groups.into_iter().map(str::to_owned).collect(),
                ..Signs::default()
            };
            assert_eq!(found(&signs), [(Part::Platform, name.to_owned())]);
        }
        assert_eq!(found(&Signs::default()), []);
    }

    #[test]
    fn plugins_engines_and_meshes_are_named_with_their_evidence() {
        let signs = Signs {
            nodes: nodes(&json!([{"metadata": {
                "name": "n", "annotations": {"projectcalico.org/IPv4Address": "10.0.0.1/24"},
            }}])),
            daemons: vec!["calico-node".to_owned(), "kube-proxy".to_owned()],
            groups: ["apps", "kyverno.io", "networking.istio.io", "mykyverno.io"]
                .map(str::to_owned)
                .to_vec(),
            ..Signs::default()
        };
        let text: Vec<String> = detect(&signs)
            .into_iter()
            .map(|one| format!("{}: {}", one.name, one.evidence))
            .collect();
        let expected = [
            "calico: DaemonSet in kube-system: calico-node",
            "Kyverno: API group kyverno.io",
            "Istio: API group networking.istio.io",
        ];
        assert_eq!(text, expected);
    }

    #[test]
    fn plugins_are_known_by_whole_words() {
        let plugins = |daemons: &[&str], keys: &[&str]| {
            let keys: BTreeMap<&str, &str> = keys.iter().map(|key| (*key, "x")).collect();
            let signs = Signs {
                nodes: nodes(&json!([{"metadata": {"name": "n", "annotations": keys}}])),
                daemons: daemons.iter().map(|name| (*name).to_owned()).collect(),
                ..Signs::default()
            };
            let found = found(&signs).into_iter();
            found.map(|(_, name)| name).collect::<Vec<_>>().join(" ")
        };
        let others = [
            "example.com/woven",
            "canalytics.example.com/agent",
            "data.weaver.io/x",
            "notcilium.io/x",
        ];
        assert_eq!(
            plugins(&["interweave-agent", "governor", "banalcanals"], &others),
            ""
        );
        let daemons = ["rke2-canal", "ovnkube-node", "weave-net", "kube-flannel-ds"];
        assert_eq!(plugins(&daemons, &[]), "canal flannel ovn-kubernetes weave");
        let keys = [
            "projectcalico.org/IPv4Address",
            "network.cilium.io/ipv4-cilium-host",
            "k8s.ovn.org/node-subnets",
            "node.antrea.io/mac-address",
        ];
        assert_eq!(
            plugins(&["calico-node"], &keys),
            "antrea calico cilium ovn-kubernetes"
        );
    }

    proptest! {
        #[test]
        fn any_names_are_looked_at_without_a_panic(
            version: String, groups: Vec<String>, daemons: Vec<String>, config: String,
        ) {
            let proxy = BTreeMap::from([("config.conf".to_owned(), config)]);
            let signs = Signs { version, daemons, groups, proxy, ..Signs::default() };
            let detected = detect(&signs);
            prop_assert!(detected.is_sorted_by_key(|one| one.part));
            prop_assert!(names(&detected, Part::Platform).len() <= 1);
        }
    }
}
