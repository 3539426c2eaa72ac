//! Subcommands that measure, and what they share: target, preflight, preparation, lifecycle.

pub(in crate::cli) mod doctor;
pub(in crate::cli) mod lifecycle;
#[cfg(all(target_os = "linux", feature = "local"))]
mod local_cluster;
#[cfg(not(all(target_os = "linux", feature = "local")))]
#[path = "no_local_cluster.rs"]
mod local_cluster;
mod other_runs;
mod owned_run;
pub(in crate::cli) mod preflight;
pub(in crate::cli) mod prepare;
mod probe;
mod probe_pods;
pub(in crate::cli) mod resume;
pub(in crate::cli) mod run;
pub(in crate::cli) mod selftest;
pub(in crate::cli) mod target;
