//! What the command line and the sandbox of the namespaces say to each other.

use serde::{Deserialize, Serialize};

use crate::cluster::local::blueprint::fault::FaultPlan;
use crate::cluster::local::blueprint::network::Network;
use crate::cluster::local::blueprint::pod_plan::PodPlan;
use crate::cluster::{Error, FaultSwitch, PodEnded};

/// From the command line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Comes back with the answer.
    pub id: u64,
    pub call: Call,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Make the network, start the pods.
    Up {
        network: Network,
        pods: Vec<PodPlan>,
    },
    /// Connect to a port of a pod; the answer carries the socket.
    Connect {
        pod: String,
        port: u16,
        within_ms: u64,
    },
    /// Open a packet capture in a pod, of TCP from this port of others; the answer carries its socket.
    Capture {
        pod: String,
        port: u16,
    },
    Logs {
        pod: String,
    },
    /// End a pod's processes, as a crash would.
    Kill {
        pod: String,
    },
    /// Make a fault ready.
    PrepareFault(FaultPlan),
    BeginFault(FaultPlan),
    EndFault(FaultPlan),
    /// End all faults that are on.
    EndFaults,
}

/// From the sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The first: the namespaces are there, or why not.
    Hello(Result<(), Error>),
    Answer {
        id: u64,
        answer: Result<Answer, Error>,
    },
    Ended(PodEnded),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Done,
    /// A file descriptor comes with the message.
    Socket,
    Text(String),
    /// A fault has begun or ended.
    Switched(FaultSwitch),
}
