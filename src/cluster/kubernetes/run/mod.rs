//! One run in a cluster.

mod cluster_run;
mod port_forward;
mod reattach;

pub use cluster_run::Kubernetes;
