//! Results: how they are collected, stored, printed, and judged by the exit code.

pub(in crate::cli) mod artifacts;
pub(in crate::cli) mod collect;
pub(in crate::cli) mod exit_policy;
pub(in crate::cli) mod format;
pub(in crate::cli) mod history;
mod open;
pub(in crate::cli) mod report;
