//! What one pod found when it dialled another one.

use std::net::IpAddr;
use std::time::Duration;

/// A pod that dials or is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// For sentences, e.g. "worker `w2`".
    pub name: String,
    /// Empty when it is not known.
    pub node: String,
    /// Its own addresses; empty when they are not known.
    pub ips: Vec<IpAddr>,
}

/// What an address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Connected {
        took: Duration,
        segment: Segment,
    },
    TimedOut,
    Refused,
    /// The kernel knows no way there; its words.
    Unreachable(String),
    Failed(String),
}

/// What became of a full TCP segment after the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// So many bytes of payload were answered.
    Answered(u32),
    Lost(u32),
    NotSent,
}

/// What a name led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub host: String,
    /// The addresses with their answers, or why there are none.
    pub resolved: Result<Vec<(IpAddr, Answer)>, String>,
}

/// Everything that one pod found out about another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub from: Endpoint,
    pub to: Endpoint,
    /// By the pod's own addresses, which are those of its node on the host network.
    pub pod: Vec<(IpAddr, Answer)>,
    /// By the addresses of its Service.
    pub service: Vec<(IpAddr, Answer)>,
    /// `None` when it was not asked for.
    pub name: Option<Name>,
    /// Those of the pod that dialled.
    pub name_servers: Vec<String>,
    /// The pod that was dialled has said that it listens.
    pub is_listening: bool,
    /// The pods are on the network of their nodes.
    pub is_host: bool,
}
