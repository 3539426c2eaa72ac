//! Plan and templates → the manifests of a run.
//!
//! Every Kubernetes object stands in `templates/`; Rust only gives the templates their values.

mod context;
mod environment;
mod helm;
mod manifest;
mod seating;
mod templates;
mod write;

pub use context::{ORCHESTRATOR_PORT, RunContext, WorkerPorts};
pub use helm::{ChartFile, chart};
pub use manifest::{Identities, Manifest, manifests, worker_jobs};
pub use templates::{RenderError, Templates};
