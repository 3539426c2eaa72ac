//! Help texts, manual pages, completions, and suggestions after a mistake.

pub(in crate::cli) mod complete;
pub(in crate::cli) mod completions;
pub(in crate::cli) mod invocation;
pub(in crate::cli) mod man;
pub(in crate::cli) mod suggest;
