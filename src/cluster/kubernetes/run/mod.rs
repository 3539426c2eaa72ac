//! One run in a cluster.

mod cluster_run;
mod health;
mod pod_addresses;
mod port_forward;
mod reattach;

pub use cluster_run::Kubernetes;
