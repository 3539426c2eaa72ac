//! What a tool is to the rest of the program.

use std::time::Duration;

use super::failure::Failure;
use super::installed::{Installed, Use, VersionQuery};
use super::metrics::Metrics;
use super::probe::output::{BlackHole, Outages};
use super::series::Series;
use crate::catalog::{Program, Transport};
use crate::diag::{Problem, quote};
use crate::plan::{Plan, Timing};
use crate::schedule::{Params, Row};
use crate::tools::output::process_end::Ended;

/// A program that measures, with its options as a test gives them.
pub trait Tool: Send + Sync {
    /// The program's name as people know it: `iperf3`, `netperf`.
    fn name(&self) -> &str;

    /// What has to be installed on both ends.
    fn programs(&self) -> Vec<Program<'_>>;

    /// The program that this end of a sample starts and that a worker reports only when it has it;
    /// `None` for tools that workers ask for their version.
    fn program_for(&self, _used: Use<'_>) -> Option<&str> {
        None
    }

    /// What else there is to know about the packages of its programs. Empty for nothing.
    fn package_note(&self) -> &'static str {
        ""
    }

    /// How to install its programs when no package has them.
    fn install(&self) -> Option<&str> {
        None
    }

    /// Where its programs come from, for the message about a worker that lacks them.
    fn origin(&self) -> Option<String> {
        None
    }

    /// How to ask it for its version. Workers ask the tools that have a query, and report those that they
    /// have.
    fn version_query(&self) -> Option<VersionQuery> {
        None
    }

    /// Why this installation cannot serve or run its samples; `None` when it can, or when its version
    /// is unknown.
    fn unfit(&self, _installed: &Installed<'_>, _used: Use<'_>) -> Option<Problem> {
        None
    }

    /// The ports that a destination needs, for `job`'s slot.
    fn ports(&self, slot: u16) -> Vec<Port>;

    /// Whether there are command lines for this job: a plan may declare ones that have no value with
    /// some parameters. Without them [`Tool::server`] or [`Tool::client`] has an empty one.
    ///
    /// # Errors
    /// What is wrong with them.
    fn check(&self, _job: &Job<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// How to start the server of one sample, and when it is ready.
    fn server(&self, job: &Job<'_>) -> Server;

    /// Texts of which the server of a load prints one as soon as its traffic arrives; none for a tool that cannot
    /// be a load.
    fn flow_signs(&self) -> Vec<String> {
        Vec::new()
    }

    /// How to run the client of one sample.
    fn client(&self, job: &Job<'_>) -> Client;

    /// What one invocation takes beyond the time that it is told to measure, in an undisturbed
    /// sample. [`deadline`](super::deadline) counts it once more for a warm-up of its own.
    fn overhead(&self) -> Duration;

    /// What a sample usually costs on top: starting server and client, connecting, tearing down.
    fn usual_cost(&self) -> Duration {
        // Measured on one small machine: 21 ms with a fresh server, and a few for the orders.
        Duration::from_millis(30)
    }

    /// The longest time for which a client waits in silence before it reports what is wrong. It is
    /// not killed sooner, unless the plan says so: then the reason would be lost.
    fn longest_wait(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether the client warms up by itself; else a warm-up is an invocation of its own.
    fn has_warmup(&self) -> bool {
        false
    }

    /// Whether its processes outlive a session between worker and orchestrator that breaks while the client runs: the
    /// worker delivers the result once it is back. Else the attempt fails.
    fn outlives_session(&self) -> bool {
        false
    }

    /// What the client's output says.
    ///
    /// # Errors
    /// The typed cause, with the tool's own text, for everything that is not a measurement: also
    /// for exit code 0 with nothing moved.
    fn read(&self, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure>;

    /// The intervals of a sample that [`Tool::read`] gives figures of, where the plan asks for them
    /// ([`Timing::intervals`]) and the output has them: a series for each metric.
    fn series(&self, _job: &Job<'_>, _ended: &Ended) -> Vec<Series> {
        Vec::new()
    }

    /// When no answer arrived, by the output of a client from which figures were read.
    fn outages(&self, _ended: &Ended) -> Vec<Outages> {
        Vec::new()
    }

    /// The directions in which large packets vanish, by the output of a client from which figures were read.
    fn black_holes(&self, _ended: &Ended) -> Vec<BlackHole> {
        Vec::new()
    }

    /// The metric of `result.csv` and of the first column of tables.
    fn headline(&self) -> &str;
}

/// One sample to take: the parameters and the address.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    pub params: &'a Params,
    pub timing: &'a Timing,
    /// The address that the client dials; in a dry run a placeholder.
    pub target: &'a str,
    /// Counts the paths that lead to one destination. netperf's data port depends on it, because
    /// a port used by pod IP and by virtual IP alike meets connections in `TIME_WAIT`.
    pub slot: u16,
}

impl<'a> Job<'a> {
    /// The job of a row's cell with these parameters; `None` when the row is not this plan's.
    #[must_use]
    pub fn for_row(plan: &'a Plan, row: &Row, params: &'a Params, target: &'a str) -> Option<Self> {
        Some(Self {
            params,
            timing: &plan.tests.get(row.test)?.timing,
            target,
            slot: row.slot,
        })
    }
}

/// A port that a destination listens on and its Service carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    pub number: u16,
    pub transport: Transport,
}

/// How to start a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Empty for [`Ready::Nothing`].
    pub argv: Vec<String>,
    pub ready: Ready,
}

/// When a server is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// A line of its output contains this.
    Line(String),
    /// Something listens on this port.
    Port(Port),
    /// It has exited with 0, and left a daemon behind.
    Exited,
    /// The tool needs no server: nothing is started.
    Nothing,
}

/// What is awaited: `port 5201/tcp to be open`.
impl std::fmt::Display for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ready::Line(text) => write!(f, "a line with {}", quote(text)),
            Ready::Port(Port { number, transport }) => {
                write!(f, "port {number}/{} to be open", transport.name())
            }
            Ready::Exited => f.write_str("it to exit with 0"),
            Ready::Nothing => f.write_str("nothing"),
        }
    }
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
