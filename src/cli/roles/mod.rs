//! The hidden subcommands that pods run.

pub(in crate::cli) mod orchestrator;
pub(in crate::cli) mod worker;
