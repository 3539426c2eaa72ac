//! What the pods of a worker are like: the keys that `kubernetes:`, workers and variants share.

use indexmap::IndexMap;
use serde::Serialize;

use super::container::{SecurityContext, WorkerPort};
use super::kubernetes::{Resources, StringMap, Toleration};

/// What is said of a worker's pods. What is not said is as the wider settings have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PodSettings {
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: StringMap,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub annotations: StringMap,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub node_selector: StringMap,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class: Option<String>,
    /// Whether the pod is on its node's network. `None` where the paths decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_network: Option<bool>,
    /// Ports beside those of the tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<WorkerPort>,
    #[serde(skip_serializing_if = "SecurityContext::is_empty")]
    pub security_context: SecurityContext,
}

impl PodSettings {
    /// These settings where they say something, else those of `wider`. Mappings merge; lists and single
    /// values replace.
    #[must_use]
    pub fn over(&self, wider: &PodSettings) -> PodSettings {
        PodSettings {
            labels: merged(&self.labels, &wider.labels),
            annotations: merged(&self.annotations, &wider.annotations),
            resources: self.resources.over(&wider.resources),
            node_selector: merged(&self.node_selector, &wider.node_selector),
            tolerations: if self.tolerations.is_empty() {
                wider.tolerations.clone()
            } else {
                self.tolerations.clone()
            },
            runtime_class: self
                .runtime_class
                .clone()
                .or_else(|| wider.runtime_class.clone()),
            host_network: self.host_network.or(wider.host_network),
            ports: if self.ports.is_empty() {
                wider.ports.clone()
            } else {
                self.ports.clone()
            },
            security_context: self.security_context.over(&wider.security_context),
        }
    }

    /// Whether pods with these settings may need other nodes than pods without them.
    #[must_use]
    pub fn choose_nodes(&self) -> bool {
        !self.node_selector.is_empty()
    }
}

impl Resources {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.limits.is_empty()
    }

    /// These amounts, and those of `wider` that are not among them. A request of `wider` that is more than
    /// a limit of these is lowered to the limit.
    #[must_use]
    pub fn over(&self, wider: &Resources) -> Resources {
        let mut requests = merged(&self.requests, &wider.requests);
        for (name, limit) in &self.limits {
            let amount = |text: &str| super::kubernetes_names::quantity(text).ok();
            if let (None, Some(request)) = (self.requests.get(name), requests.get_mut(name))
                && amount(request) > amount(limit)
            {
                request.clone_from(limit);
            }
        }
        Resources {
            requests,
            limits: merged(&self.limits, &wider.limits),
        }
    }
}

/// The wider entries in their order, with the narrower values, then the other narrower ones.
fn merged(narrower: &StringMap, wider: &StringMap) -> StringMap {
    let mut all = wider.clone();
    all.extend(narrower.iter().map(|(k, v)| (k.clone(), v.clone())));
    all
}
