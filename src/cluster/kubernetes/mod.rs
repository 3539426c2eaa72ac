//! Kubernetes through its API server.
//!
//! [`Connection`] is a cluster that netplan can talk to: preflight, the list of runs, removal. `kubeconfig` makes
//! one from a kubeconfig. [`Kubernetes`] is one run in it, and a [`Cluster`](super::Cluster) like the local one.
//!
//! Decisions are pure here too: `pods/status`, `pods/terminations`, `startup`, `preflight/placement_check` and
//! `run_list` interpret what the API server says, without requests and without a clock of their own.

mod api_error;
mod connection;
mod describe;
mod detect;
mod known_components;
mod kubeconfig;
mod labels;
mod mesh_injection;
mod objects;
mod pods;
mod preflight;
mod run;
mod run_list;
mod startup;
mod without_effect;

pub use connection::{Configured, Connection, Settings, Timeouts};
pub use kubeconfig::contexts;
pub use objects::owner::{Owner, Presence};
pub use preflight::LARGEST_CONFIG_MAP_BYTES;
pub use run::Kubernetes;
pub use run_list::{Run, State};
pub use without_effect::without_effect;
