//! Subcommands for runs that are in a Kubernetes cluster.

pub(in crate::cli) mod attach;
pub(in crate::cli) mod cancel;
pub(in crate::cli) mod clean;
pub(in crate::cli) mod ended_run;
pub(in crate::cli) mod journal_copy;
pub(in crate::cli) mod run_lookup;
pub(in crate::cli) mod status;
