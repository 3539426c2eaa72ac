//! From a kubeconfig to a client: which files count, which context, what it says, and what it means when the API
//! server cannot be reached.
//!
//! The rules are kubectl's (<https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/>),
//! with one difference: where kubectl falls back to an empty configuration although a file was named, this fails.

mod client;
mod cluster;
mod contexts;
mod files;
mod locality;
mod merged;
mod origin;
mod proxy;
mod server;
mod unreachable;
mod user;

pub use contexts::contexts;

pub(super) use client::{Connected, from_pod, from_selected};
pub(super) use files::Chosen;
pub(super) use locality::is_on_this_machine;
pub(super) use merged::MergedConfig;
pub(super) use origin::Origin;
pub(super) use unreachable::{explain_connection_error, no_answer};
