//! What a plan changes of the run's pods in Kubernetes' own words.

use serde::Serialize;
use serde_json::Value;

/// The init container that switches offloads off.
pub const OFFLOADS_CONTAINER: &str = "offloads";
/// The containers and init containers that netplan runs in.
pub const OWN_CONTAINERS: &[&str] = &["worker", "orchestrator", OFFLOADS_CONTAINER];

/// A part of a pod template, merged into those of all pods. A `null` removes a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PodPatch(pub Value);

/// Whether a run's pods have a volume of this name.
#[must_use]
pub fn is_own_volume(name: &str) -> bool {
    matches!(name, "tls" | "plan" | "journal" | "copy" | "tmp") || name.starts_with("journal-")
}
