//! What the API server says about pods, and what it means.

pub mod cluster_event;
pub mod job_outcome;
pub mod pod_watch;
pub mod status;
pub mod terminations;
