//! What a plan changes of the run's pods in Kubernetes' own words.

use serde::Serialize;
use serde_json::Value;

/// The containers that netplan runs in.
pub const OWN_CONTAINERS: &[&str] = &["worker", "orchestrator"];
/// The volumes of a run.
pub const OWN_VOLUMES: &[&str] = &["tls", "plan", "journal", "tmp"];

/// A part of a pod template, merged into those of all pods. A `null` removes a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PodPatch(pub Value);
