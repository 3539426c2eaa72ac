//! One run in a cluster.

mod cluster_run;
mod pod_addresses;
mod port_forward;
mod reattach;

pub use cluster_run::Kubernetes;
