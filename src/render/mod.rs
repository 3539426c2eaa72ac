//! Plan and templates → the manifests of a run.
//!
//! Every Kubernetes object is in `templates/`; Rust only gives the templates their values.

mod affinity;
mod context;
mod engine;
mod families;
mod forbidden;
mod helm;
mod manifest;
mod objects;
mod pod_patch;
pub mod policy;
mod templates;
mod workers;
mod yaml;

pub use context::{ORCHESTRATOR_PORT, RunContext};
pub use families::WorkerFamilies;
pub use forbidden::forbidden;
pub use helm::{ChartFile, chart};
pub use manifest::{Identities, Manifest, manifests, worker_jobs};
pub use objects::variant_objects;
pub use pod_patch::patch_pods;
pub use templates::{RenderError, Templates};
pub use workers::WorkerPorts;
