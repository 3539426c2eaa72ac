//! What `during:` of a test says, done by this process while the test's samples run.

mod command;
mod performer;
mod refusal;

pub(in crate::cli) use performer::Performer;
pub(in crate::cli) use refusal::{needs_command_line, needs_local, needs_terminal};
