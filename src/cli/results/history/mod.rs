//! `netplan history`: many runs over time, and the changes that people accept.

mod accept;
pub(in crate::cli) mod command;
mod summaries;
