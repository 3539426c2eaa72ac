//! Subcommands that measure, and what they share: target, preflight, preparation, lifecycle.

pub(in crate::cli) mod doctor;
pub(in crate::cli) mod lifecycle;
pub(in crate::cli) mod preflight;
pub(in crate::cli) mod prepare;
mod probe;
pub(in crate::cli) mod resume;
pub(in crate::cli) mod run;
pub(in crate::cli) mod selftest;
pub(in crate::cli) mod target;
