//! The programs that measure: their command lines, readiness, ports, and what their output means.
//!
//! Pure: nothing here starts a process.

mod failure;
mod metrics;

use std::time::Duration;

pub use failure::{Cause, Failure};
pub use metrics::{Metrics, name};

use crate::plan::Timing;
use crate::schedule::Params;

/// A program that measures, with its options as a test gives them.
pub trait Tool {
    /// The program's name as people know it: `iperf3`, `netperf`.
    fn name(&self) -> &'static str;

    /// The ports that a destination needs, for `job`'s slot.
    fn ports(&self, slot: u16) -> Vec<Port>;

    /// How the server of one sample is started, and how one knows that it is ready.
    fn server(&self, job: &Job<'_>) -> Server;

    /// How the client of one sample is run.
    fn client(&self, job: &Job<'_>) -> Client;

    /// What the tool takes beyond warm-up and duration, at most, in an undisturbed sample.
    fn overhead(&self) -> Duration;

    /// What the client's output says.
    ///
    /// # Errors
    /// The typed cause, with the tool's own words, for everything that is not a measurement: also
    /// for exit code 0 with nothing moved.
    fn read(&self, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure>;

    /// The metric that stands in `result.csv` and in the first column of tables.
    fn headline(&self) -> &'static str;
}

/// One sample to take: the parameters and the address.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    pub params: &'a Params,
    pub timing: &'a Timing,
    /// The address that the client dials; in a dry run a word that stands for it.
    pub target: &'a str,
    /// Counts the paths that lead to one destination. netperf's data port depends on it, because
    /// a port used by pod IP and by virtual IP alike meets connections in TIME_WAIT.
    pub slot: u16,
}

/// A port that a destination listens on and its Service carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    pub number: u16,
    pub transport: Transport,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    Tcp,
    Udp,
}

/// How to start a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub argv: Vec<String>,
    /// Ready once a line of its output contains this.
    pub ready_line: String,
}

/// How to run a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub argv: Vec<String>,
    /// Run first and thrown away, for a tool that has no warm-up of its own.
    pub warmup_argv: Vec<String>,
    /// The port of the TCP connections whose effective MSS is asked of the kernel.
    pub watch_tcp_port: Option<u16>,
}

/// How a client ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub how: How,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    Code(i32),
    Signal(i32),
    /// Killed at its deadline.
    Deadline,
    /// Killed because the run was cancelled.
    Stopped,
    /// The program is not there.
    NotFound(String),
    /// It could not be started for another reason.
    NotStarted(String),
}
