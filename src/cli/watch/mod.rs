//! Follows a run: connects to its orchestrator, takes its records, and watches its pods. `measure/watch.rs` is the
//! subcommand `watch`.

mod connection;
mod diagnosis;
mod follower;
mod health;
mod missing_workers;
mod pods;
mod sink;

pub(super) use self::connection::{Lost, cancel, connect_worker};
pub(super) use self::follower::{Followed, Follower, OnInterrupt};
pub(super) use self::sink::{Heard, Sink};

#[cfg(test)]
mod tests;
