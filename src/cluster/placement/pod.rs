//! A pod that needs a node.

use k8s_openapi::api::core::v1::{PodAffinityTerm, PodSpec};

use super::label_match::{Labels, selects};

/// A pod, and what it asks of its node and of the pods beside it.
#[derive(Clone, Debug)]
pub struct PodToPlace {
    /// For messages: the worker's name in the plan, else the object's.
    pub name: String,
    pub namespace: String,
    pub labels: Labels,
    pub spec: PodSpec,
}

impl PodToPlace {
    /// The required pod affinity: each term selects pods to share a topology domain with.
    pub fn near(&self) -> &[PodAffinityTerm] {
        let affinity = self.spec.affinity.as_ref();
        let near = affinity.and_then(|affinity| affinity.pod_affinity.as_ref());
        near.and_then(|near| {
            near.required_during_scheduling_ignored_during_execution
                .as_deref()
        })
        .unwrap_or_default()
    }

    /// The required pod anti-affinity: each term selects pods whose topology domain is excluded.
    pub fn far(&self) -> &[PodAffinityTerm] {
        let affinity = self.spec.affinity.as_ref();
        let far = affinity.and_then(|affinity| affinity.pod_anti_affinity.as_ref());
        far.and_then(|far| {
            far.required_during_scheduling_ignored_during_execution
                .as_deref()
        })
        .unwrap_or_default()
    }

    /// Whether a term of this pod selects another pod (or this one).
    pub(super) fn selects(&self, term: &PodAffinityTerm, other: &Self) -> bool {
        self.namespace == other.namespace && selects(term.label_selector.as_ref(), &other.labels)
    }
}
