//! What every cluster can do.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use super::arrivals::Arrivals;
use super::error::Error;
use crate::diag::Problem;
use crate::plan::Fault;
use crate::render::Manifest;

/// Where the objects of one run live.
///
/// All methods take `&self`, so that one task can wait for [`Cluster::ended`] while others work.
pub trait Cluster {
    /// A byte stream to a port of a pod.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Makes the objects run. Returns when every pod's command has been started. After an error
    /// some of them may be there; [`Cluster::down`] removes them.
    ///
    /// # Errors
    /// An object that the cluster refuses, a pod that no node can take, a step that failed.
    fn apply(&self, manifests: &[Manifest]) -> impl Future<Output = Result<(), Error>> + Send;

    /// Connects to a TCP port of a pod, from inside the pod, and waits for its listener to appear.
    /// A Job's pod goes by the Job's name.
    ///
    /// # Errors
    /// [`Error::Connect`] when nothing listens there until the deadline, or the pod has ended.
    fn connect(
        &self,
        pod: &str,
        port: u16,
        within: Duration,
    ) -> impl Future<Output = Result<Self::Stream, Error>> + Send;

    /// Waits for the next pod whose main process ends. `None` when the cluster itself is gone.
    /// Dropping the future loses nothing.
    fn ended(&self) -> impl Future<Output = Option<PodEnded>> + Send;

    /// Waits until the cluster's health is another than `last`; at first it is [`Health::Answers`].
    fn health(&self, last: &Health) -> impl Future<Output = Health> + Send;

    /// What a pod's processes printed, standard output and standard error as they came; the last
    /// part of it when it was much.
    ///
    /// # Errors
    /// [`Error::NoSuchPod`], or the cluster is gone.
    fn logs(&self, pod: &str) -> impl Future<Output = Result<String, Error>> + Send;

    /// Where a pod is, and by which addresses others reach it. A Job's pod goes by the Job's name, and
    /// its Service has the same name.
    ///
    /// # Errors
    /// [`Error::NoSuchPod`], or the cluster does not say.
    fn addresses(&self, pod: &str) -> impl Future<Output = Result<PodAddresses, Error>> + Send;

    /// Makes a fault ready: to begin it then takes a moment. Until then it has no effect. A fault names its worker by
    /// the pod.
    ///
    /// # Errors
    /// The cluster cannot do it, or does not have the node or the pod.
    fn prepare_fault(&self, _: &Fault) -> impl Future<Output = Result<(), Error>> + Send {
        async { Err(no_faults()) }
    }

    /// Begins a fault, and prepares it first where that was not done. It is on until it is ended, or the cluster is gone.
    ///
    /// # Errors
    /// As [`Cluster::prepare_fault`], or it is on already.
    fn begin_fault(&self, _: &Fault) -> impl Future<Output = Result<FaultSwitch, Error>> + Send {
        async { Err(no_faults()) }
    }

    /// Ends a fault.
    ///
    /// # Errors
    /// It is not on, or the kernel refuses.
    fn end_fault(&self, _: &Fault) -> impl Future<Output = Result<FaultSwitch, Error>> + Send {
        async { Err(no_faults()) }
    }

    /// Ends all faults that are on.
    ///
    /// # Errors
    /// What the kernel refuses; the others are ended.
    fn end_faults(&self) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Captures packets in a pod until the cluster is gone: when payload of TCP from this port of others arrives
    /// that can be read, because nothing before it is missing.
    ///
    /// # Errors
    /// The cluster cannot do it, or does not have the pod.
    fn capture(
        &self,
        _pod: &str,
        _port: u16,
        _into: &Arrivals,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async {
            let problem = Problem::without_place("this cluster cannot capture packets");
            Err(problem.help("use the local cluster").into())
        }
    }

    /// What the run ran on, for `environment.json`.
    fn description(&self) -> serde_json::Value;

    /// Removes all that [`Cluster::apply`] made. Returns when it is gone.
    ///
    /// # Errors
    /// What could not be removed.
    fn down(self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Whether the cluster answers this process, still has the run, and brings its pods back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Answers,
    /// It does not answer; why.
    Silent(String),
    /// A pod of the run does not come back; which one and why.
    Hindered(String),
    /// It has the run's objects no longer, or they are on their way out.
    Removed,
}

/// Where a pod is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodAddresses {
    /// Empty when it has none yet.
    pub node: String,
    pub pod_ips: Vec<IpAddr>,
    /// The cluster IPs of the Service with the pod's name; none when it has no Service, or the Service may
    /// not be read.
    pub service_ips: Vec<IpAddr>,
}

/// When a fault began or ended: between these two moments, by the clock of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultSwitch {
    /// Before the kernel was told.
    pub before: Timestamp,
    /// When it had done it.
    pub after: Timestamp,
}

fn no_faults() -> Error {
    Problem::without_place("this cluster cannot have faults")
        .help("run the plan on the local cluster: `--on local`")
        .into()
}

/// A pod's main process has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodEnded {
    pub pod: String,
    pub exit: Exit,
    /// The last lines that it printed.
    pub last_lines: Vec<String>,
    pub next: Next,
}

/// Linux's numbers of the signals that end a process (signal(7)). Pods run Linux, whatever this program runs on.
const SIGNALS: &[(i32, &str)] = &[
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (16, "SIGSTKFLT"),
    (24, "SIGXCPU"),
    (25, "SIGXFSZ"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (29, "SIGIO"),
    (30, "SIGPWR"),
    (31, "SIGSYS"),
];

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    Code(i32),
    Signal(i32),
    /// It did not end by itself: its pod was evicted or deleted.
    Removed,
}

/// What the pod's restart policy makes of the end of its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// It is started again, with the same address; this is the count of restarts.
    Restarted(u32),
    /// Another pod takes its place, with another address.
    Replaced,
    /// It failed too often in a row, and stays down.
    GaveUp(u32),
    /// It is not to be started again.
    Stays,
    /// No other pod takes its place: its Job or its namespace is deleted.
    Removed,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => match SIGNALS.iter().find(|(number, _)| number == signal) {
                Some((_, name)) => write!(f, "killed by {name}"),
                None => write!(f, "killed by signal {signal}"),
            },
            Self::Removed => f.write_str("removed from its node"),
        }
    }
}

impl fmt::Display for PodEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pod `{}` ended: {}", self.pod, self.exit)?;
        match self.next {
            Next::Restarted(count) => write!(f, "; started again (restart {count})"),
            Next::Replaced => f.write_str("; another pod takes its place"),
            Next::GaveUp(count) => write!(f, "; not started again after {count} restarts"),
            Next::Stays | Next::Removed => Ok(()),
        }
    }
}
