//! The hidden subcommands that pods run.

#[cfg(all(target_os = "linux", feature = "local"))]
pub(in crate::cli) mod offloads;
pub(in crate::cli) mod orchestrator;
#[cfg(all(target_os = "linux", feature = "local"))]
pub(in crate::cli) mod probe;
#[cfg(all(target_os = "linux", feature = "local"))]
pub(in crate::cli) mod worker;
