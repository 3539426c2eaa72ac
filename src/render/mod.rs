//! Plan and templates → the manifests of a run.
//!
//! Every Kubernetes object is in `templates/`; Rust only gives the templates their values.
//! `templates/chart/` is for Helm.

mod affinity;
mod chart;
mod context;
mod engine;
mod families;
mod forbidden;
mod manifest;
mod objects;
mod pod_patch;
pub mod policy;
mod policy_ports;
mod templates;
mod workers;
mod yaml;

pub use chart::{ChartFile, chart};
pub use context::{ORCHESTRATOR_PORT, RunContext};
pub use families::WorkerFamilies;
pub use forbidden::forbidden;
pub use manifest::{Identities, Manifest, manifests, worker_jobs};
pub use objects::variant_objects;
pub use pod_patch::{patch_pods, set_security_contexts};
pub use templates::{RenderError, Templates};
pub use workers::WorkerPorts;
