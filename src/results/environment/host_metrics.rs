//! What was observed around a sample, as metrics: one figure for each end of the path.

use serde::{Deserialize, Serialize};

/// The end of a path that an observation was made at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Client,
    Server,
}

impl End {
    pub const BOTH: [End; 2] = [End::Client, End::Server];

    /// As metric names and sentences write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            End::Client => "client",
            End::Server => "server",
        }
    }
}

/// A metric's name at each end; it carries its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtEnds {
    client: &'static str,
    server: &'static str,
}

macro_rules! at_ends {
    ($name:literal) => {
        AtEnds {
            client: concat!($name, ".client"),
            server: concat!($name, ".server"),
        }
    };
}

/// How long the observation took: at the client around the measuring invocation, at the server from
/// its readiness to its end, so with a warm-up of its own.
pub const OBSERVED_S: AtEnds = at_ends!("observed_s");
/// Time that the node's CPUs were neither idle nor waiting for a disk; 100 is all of them.
pub const NODE_BUSY_PERCENT: AtEnds = at_ends!("node_cpu_busy_percent");
/// Time that the hypervisor took from the node's CPUs; 100 is all of it.
pub const NODE_STEAL_PERCENT: AtEnds = at_ends!("node_cpu_steal_percent");
/// CPU quota periods in which the pod's cgroup was stopped.
pub const THROTTLED_PERIODS: AtEnds = at_ends!("cgroup_throttled_periods");
/// For how long the pod's cgroup was stopped, summed over its CPUs.
pub const THROTTLED_US: AtEnds = at_ends!("cgroup_throttled_us");
/// Bytes and packets through the pod's interface, whoever they belong to.
pub const SENT_BYTES: AtEnds = at_ends!("interface_sent_bytes");
pub const RECEIVED_BYTES: AtEnds = at_ends!("interface_received_bytes");
pub const SENT_PACKETS: AtEnds = at_ends!("interface_sent_packets");
pub const RECEIVED_PACKETS: AtEnds = at_ends!("interface_received_packets");

/// All of them, in the order in which `samples.csv` has them.
pub const ALL: [AtEnds; 9] = [
    OBSERVED_S,
    NODE_BUSY_PERCENT,
    NODE_STEAL_PERCENT,
    THROTTLED_PERIODS,
    THROTTLED_US,
    SENT_BYTES,
    RECEIVED_BYTES,
    SENT_PACKETS,
    RECEIVED_PACKETS,
];

/// What one end observed while a tool ran. What could not be read is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    pub figures: Vec<(AtEnds, f64)>,
    /// Bytes that all interfaces of the end carried, in the busier direction.
    pub carried_bytes: Option<u64>,
}

impl AtEnds {
    #[must_use]
    pub const fn at(self, end: End) -> &'static str {
        match end {
            End::Client => self.client,
            End::Server => self.server,
        }
    }
}
