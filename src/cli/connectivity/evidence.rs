//! What one pod found when it dialled another one.

use std::net::IpAddr;
use std::time::Duration;

use crate::cluster::PodAddresses;
use crate::rpc::pb::dialled_address::Outcome;
use crate::rpc::pb::{DialResponse, DialledAddress, DialledHost};

/// A pod that dials or is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Place {
    /// For sentences, e.g. "worker `w2`".
    pub name: String,
    /// Empty when it is not known.
    pub node: String,
    /// Its own addresses; empty when they are not known.
    pub ips: Vec<IpAddr>,
}

/// What an address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Answer {
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
pub(in crate::cli) enum Segment {
    /// So many bytes of payload were answered.
    Answered(u32),
    Lost(u32),
    NotSent,
}

/// What a name led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Name {
    pub host: String,
    /// The addresses with their answers, or why there are none.
    pub resolved: Result<Vec<(IpAddr, Answer)>, String>,
}

/// Everything that one pod found out about another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Evidence {
    pub from: Place,
    pub to: Place,
    /// By the pod's own addresses.
    pub pod: Vec<(IpAddr, Answer)>,
    /// By the addresses of its Service.
    pub service: Vec<(IpAddr, Answer)>,
    pub name: Name,
    /// Those of the pod that dialled.
    pub name_servers: Vec<String>,
}

/// A pod that could not be asked what it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Unasked {
    /// For sentences, e.g. "`probe-1`".
    pub name: String,
    pub why: String,
}

impl Place {
    pub fn new(name: String, addresses: PodAddresses) -> Self {
        Self {
            name,
            node: addresses.node,
            ips: addresses.pod_ips,
        }
    }
}

impl Evidence {
    /// Sorts the answers of a worker that dialled `host` and the addresses of the pod behind it.
    pub fn new(
        from: Place,
        to: (String, PodAddresses),
        host: String,
        response: DialResponse,
    ) -> Self {
        let (name, addresses) = to;
        let service_ips = addresses.service_ips.clone();
        let place = Place::new(name, addresses);
        let mut evidence = Self {
            from,
            to: place,
            pod: Vec::new(),
            service: Vec::new(),
            name: Name {
                resolved: Err("it was not asked for".to_owned()),
                host,
            },
            name_servers: response.name_servers,
        };
        for dialled in response.hosts {
            let ip = dialled.host.parse::<IpAddr>().ok();
            if dialled.host == evidence.name.host {
                evidence.name.resolved = resolved(dialled);
            } else if ip.is_some_and(|ip| service_ips.contains(&ip)) {
                evidence.service.extend(answers(&dialled));
            } else if ip.is_some() {
                evidence.pod.extend(answers(&dialled));
            }
        }
        evidence
    }
}

fn resolved(dialled: DialledHost) -> Result<Vec<(IpAddr, Answer)>, String> {
    if dialled.unresolved.is_empty() {
        Ok(answers(&dialled).collect())
    } else {
        Err(dialled.unresolved)
    }
}

fn answers(dialled: &DialledHost) -> impl Iterator<Item = (IpAddr, Answer)> {
    dialled
        .addresses
        .iter()
        .filter_map(|address| Some((address.address.parse().ok()?, answer(address)?)))
}

/// `None` for an outcome that this version does not know.
fn answer(dialled: &DialledAddress) -> Option<Answer> {
    Some(match dialled.outcome.as_ref()? {
        Outcome::Connected(_) => Answer::Connected {
            took: Duration::from_micros(dialled.took_us),
            segment: match (dialled.segment_bytes, dialled.segment_lost) {
                (0, _) => Segment::NotSent,
                (bytes, true) => Segment::Lost(bytes),
                (bytes, false) => Segment::Answered(bytes),
            },
        },
        Outcome::TimedOut(_) => Answer::TimedOut,
        Outcome::Refused(_) => Answer::Refused,
        Outcome::Unreachable(why) => Answer::Unreachable(why.clone()),
        Outcome::Failed(why) => Answer::Failed(why.clone()),
    })
}
