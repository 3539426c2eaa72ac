//! Kubernetes through its API server.
//!
//! [`Access`] is a cluster that one can talk to: preflight, the list of runs, removal. `connection` makes one from a
//! kubeconfig.
//! [`Kubernetes`] is one run in it, and a [`Cluster`](super::Cluster) like the local one.
//!
//! Deciding is apart here too: `pod`, `startup`, `lives`, `placement_check`, `settings` and `runs` turn what the API
//! server says into what it means, without asking anybody and without a clock of their own.

mod access;
mod apply;
mod come_back;
mod connection;
mod contexts;
mod describe;
mod expected;
mod failure;
mod feed;
mod forward;
mod lives;
mod namespace;

mod permissions;
mod pod;
mod preflight;
mod remove;
mod run;
mod runs;

mod placement_check;
mod settings;
mod startup;

pub use access::{Access, Configured, Patience, Settings};
pub use contexts::contexts;
pub use preflight::LARGEST_CONFIG_MAP_BYTES;
pub use remove::Which;
pub use run::Kubernetes;
pub use runs::{Run, State};
