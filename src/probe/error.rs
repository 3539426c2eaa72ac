//! Why nothing was measured.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot connect to {to}: {why}")]
    NotReached { to: SocketAddr, why: io::Error },
    #[error("cannot prepare to measure: {0}")]
    NotPrepared(#[from] io::Error),
    #[error("no answer over UDP from {to}")]
    NoAnswer { to: SocketAddr },
    #[error("the largest packets were not found within {} s: give the test a longer `duration`", .limit.as_secs())]
    MtuNotFound { limit: Duration },
    /// In the words of the process that measures all paths of this worker.
    #[error("{0}")]
    Told(String),
}
