//! Subcommands that read a plan and measure nothing.

pub(in crate::cli) mod check;
pub(in crate::cli) mod explain;
pub(in crate::cli) mod init;
pub(in crate::cli) mod plan_args;
pub(in crate::cli) mod render;
pub(in crate::cli) mod schedule;
pub(in crate::cli) mod schema;
