//! `NetworkPolicies` as data: which pods they isolate, and what they let through.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::manifest::Manifest;

/// The labels of a pod.
pub type Labels = BTreeMap<String, String>;

/// Who created an object for which variant.
pub const VARIANT_LABEL: &str = "netplan/variant";

/// A `NetworkPolicy`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub name: String,
    /// The variant whose policy it is; `None` for one of netplan's own.
    pub variant: Option<String>,
    /// The pods that it isolates.
    pub selects: Selector,
    /// What it lets in; `None` where it does not isolate in this direction.
    pub ingress: Option<Vec<Rule>>,
    /// What it lets out; `None` where it does not isolate in this direction.
    pub egress: Option<Vec<Rule>>,
}

/// A direction of traffic, as seen by the pod that is isolated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Ingress, Self::Egress];

    /// As fields call it: `ingress`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// What a policy lets through: from or to any of the peers, on any of the ports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Empty for everyone.
    pub peers: Vec<Peer>,
    /// Empty for all ports of all protocols.
    pub ports: Vec<PolicyPort>,
}

/// The other end of what a rule lets through. Exactly one of the first and the last is there, as the API server
/// checks.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Peer {
    pub pod_selector: Option<Selector>,
    pub namespace_selector: Option<Selector>,
    pub ip_block: Option<IpBlock>,
}

/// A range of addresses, without some of them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpBlock {
    pub cidr: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub except: Vec<String>,
}

/// A port, or a range of ports.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyPort {
    /// `None` for TCP.
    pub protocol: Option<String>,
    /// A number or the name of a container's port; `None` for all ports of the protocol.
    pub port: Option<Value>,
    /// The last port of a range.
    pub end_port: Option<u16>,
}

/// Which pods, by their labels.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    #[serde(default, deserialize_with = "or_empty")]
    pub match_labels: Labels,
    #[serde(default, deserialize_with = "or_empty")]
    pub match_expressions: Vec<Requirement>,
}

/// A requirement on a label.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    pub key: String,
    pub operator: Operator,
    #[serde(default, deserialize_with = "or_empty")]
    pub values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// `spec` of a `NetworkPolicy`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    pod_selector: Selector,
    policy_types: Option<Vec<PolicyType>>,
    ingress: Option<Vec<IngressRule>>,
    egress: Option<Vec<EgressRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IngressRule {
    #[serde(default, deserialize_with = "or_empty")]
    from: Vec<Peer>,
    #[serde(default, deserialize_with = "or_empty")]
    ports: Vec<PolicyPort>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EgressRule {
    #[serde(default, deserialize_with = "or_empty")]
    to: Vec<Peer>,
    #[serde(default, deserialize_with = "or_empty")]
    ports: Vec<PolicyPort>,
}

#[derive(PartialEq, Deserialize)]
enum PolicyType {
    Ingress,
    Egress,
}

/// A field of a policy that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadField {
    /// From the object's root: `spec.ingress[0].ports[0].port`.
    pub field: String,
    pub what: String,
}

/// In YAML a list or mapping without entries may be null.
fn or_empty<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Policy {
    /// Whether a manifest is a `NetworkPolicy`.
    #[must_use]
    pub fn is(manifest: &Manifest) -> bool {
        let version = manifest.object["apiVersion"].as_str().unwrap_or_default();
        manifest.kind() == "NetworkPolicy" && version.starts_with("networking.k8s.io/")
    }

    /// The policy of a manifest.
    ///
    /// # Errors
    /// The first field that is not one of `networking.k8s.io/v1`, or has another type there.
    pub fn from_manifest(manifest: &Manifest) -> Result<Self, UnreadField> {
        let spec = match &manifest.object["spec"] {
            Value::Null => serde_json::json!({}),
            spec => spec.clone(),
        };
        let spec: Spec = serde_path_to_error::deserialize(spec).map_err(|error| {
            let field = match error.path().to_string().as_str() {
                "." => "spec".to_owned(),
                path => format!("spec.{path}"),
            };
            UnreadField {
                field,
                what: error.into_inner().to_string(),
            }
        })?;
        let ingress = spec.ingress.map(|rules| {
            let rules = rules.into_iter();
            rules
                .map(|IngressRule { from, ports }| Rule { peers: from, ports })
                .collect()
        });
        let egress = spec.egress.map(|rules| {
            let rules = rules.into_iter();
            rules
                .map(|EgressRule { to, ports }| Rule { peers: to, ports })
                .collect()
        });
        let types = spec.policy_types;
        let isolates = |direction, otherwise| {
            types
                .as_ref()
                .map_or(otherwise, |types| types.contains(&direction))
        };
        let egress_by_default = egress.is_some();
        let ingress = isolates(PolicyType::Ingress, true).then(|| ingress.unwrap_or_default());
        let egress =
            isolates(PolicyType::Egress, egress_by_default).then(|| egress.unwrap_or_default());
        let variant = &manifest.object["metadata"]["labels"][VARIANT_LABEL];
        Ok(Self {
            name: manifest.name().to_owned(),
            variant: variant.as_str().map(str::to_owned),
            selects: spec.pod_selector,
            ingress,
            egress,
        })
    }

    /// What it lets through in a direction; `None` where it does not isolate in it.
    #[must_use]
    pub fn rules(&self, direction: Direction) -> Option<&[Rule]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }

    /// The labels by which it selects pods to isolate, and peers.
    pub fn label_keys(&self) -> impl Iterator<Item = &str> {
        let rules = self.ingress.iter().chain(&self.egress).flatten();
        let peers = rules.flat_map(|rule| &rule.peers);
        let peers = peers.filter_map(|peer| peer.pod_selector.as_ref());
        peers.chain([&self.selects]).flat_map(Selector::keys)
    }
}

impl Selector {
    /// Whether a pod with these labels is meant.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
        self.match_labels.iter().all(has)
            && self.match_expressions.iter().all(|one| one.holds(labels))
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let expressions = self.match_expressions.iter();
        let keys = expressions.map(|one| one.key.as_str());
        self.match_labels.keys().map(String::as_str).chain(keys)
    }
}

impl Requirement {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let is_listed = value.is_some_and(|value| self.values.contains(value));
        match self.operator {
            Operator::In => is_listed,
            Operator::NotIn => !is_listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

impl PolicyPort {
    /// Its protocol: `TCP`.
    #[must_use]
    pub fn protocol(&self) -> &str {
        self.protocol.as_deref().unwrap_or("TCP")
    }

    /// The first and the last port; `None` for a port that goes by its name.
    #[must_use]
    pub fn range(&self) -> Option<(u16, u16)> {
        let Some(port) = &self.port else {
            return Some((1, u16::MAX));
        };
        let first = u16::try_from(port.as_u64()?).ok()?;
        Some((first, self.end_port.unwrap_or(first)))
    }
}
