//! Results of other programs: reading them, and storing them as runs.

pub(in crate::cli) mod command;
mod folder;
pub(in crate::cli) mod sources;
