//! One run in a cluster.

mod cluster_run;
mod ended_pod;
mod health;
mod hindrance;
mod pod_addresses;
mod port_forward;
mod reattach;

pub use cluster_run::Kubernetes;
