//! What the client of the probe prints: one JSON document, the format of which `docs/tools.md` describes.

use serde::{Deserialize, Serialize};

use crate::catalog::Direction;

/// The version of the format, as `netplan_probe`.
pub const FORMAT: u32 = 1;

/// All of a measurement. Kinds of traffic that were not asked for are absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub netplan_probe: u32,
    /// When the measurement began by the client's clock, in microseconds since 1970.
    pub began_at_us: u64,
    /// How long it sent.
    pub duration_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<Udp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<Mtu>,
    /// Printed before the rest, as a document of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
    pub client: Client,
    /// Absent when the server could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
}

/// What became of the packets and connections of each interval. It is printed on a line before the result, which is read
/// also where a worker keeps only the end of a long output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    pub netplan_probe_intervals: u32,
    /// Of each but the last one, which the end of the measurement may cut off.
    pub length_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<KindIntervals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<KindIntervals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<KindIntervals>,
}

/// A figure for each interval: of the packets that left in it, or the connections that were begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindIntervals {
    pub sent: Vec<u64>,
    /// However late.
    pub answered: Vec<u64>,
    /// The median of the latencies, to two digits.
    pub p50_us: Vec<Option<f64>>,
    pub max_us: Vec<Option<f64>>,
}

/// Round trips over UDP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Udp {
    pub interval_us: u64,
    pub sent: u64,
    /// Different packets whose answer came, however late.
    pub answered: u64,
    pub duplicates: u64,
    /// Answers that came after one to a later packet.
    pub reordered: u64,
    pub latency: Option<Latency>,
    pub gaps: Gaps,
}

/// Round trips over one TCP connection that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tcp {
    pub interval_us: u64,
    pub sent: u64,
    pub answered: u64,
    /// How often the connection broke, by the reason.
    pub broken: Breaks,
    /// Gaps after which the same connection went on.
    pub survived: u64,
    pub latency: Option<Latency>,
    pub gaps: Gaps,
}

/// New TCP connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connect {
    pub interval_us: u64,
    pub tried: u64,
    pub made: u64,
    pub failed: Breaks,
    pub latency: Option<Latency>,
    pub gaps: Gaps,
}

/// The largest packets that arrive unfragmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mtu {
    pub forward: LargestPacket,
    pub reverse: LargestPacket,
}

/// The largest packet of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargestPacket {
    /// The IP packet with its headers.
    pub largest_bytes: u32,
    /// The payload of its datagram.
    pub payload_bytes: u32,
    pub limit: MtuLimit,
}

/// Why no larger packet arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MtuLimit {
    /// The sender's interface takes none.
    Interface,
    /// A router says so by ICMP.
    Icmp,
    /// Nobody says anything: a black hole.
    Silence,
}

/// A direction in which larger packets vanish, and nobody says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlackHole {
    pub direction: Direction,
    /// The largest IP packet that arrives.
    pub largest_bytes: u32,
}

impl Mtu {
    /// The directions with a black hole.
    #[must_use]
    pub fn black_holes(&self) -> Vec<BlackHole> {
        let ways = [
            (Direction::Forward, self.forward),
            (Direction::Reverse, self.reverse),
        ];
        let silent = ways
            .into_iter()
            .filter(|(_, found)| found.limit == MtuLimit::Silence);
        let black_hole = |(direction, found): (Direction, LargestPacket)| BlackHole {
            direction,
            largest_bytes: found.largest_bytes,
        };
        silent.map(black_hole).collect()
    }
}

/// Connections that broke, or were not made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaks {
    /// The other end, or something on the way, refused or reset it.
    pub reset: u64,
    /// No answer came in time.
    pub timeout: u64,
    /// The other end closed it.
    pub closed: u64,
    pub other: u64,
}

impl Breaks {
    /// All of them.
    #[must_use]
    pub fn count(self) -> u64 {
        self.reset + self.timeout + self.closed + self.other
    }
}

/// A distribution of latencies, to three digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    pub count: u64,
    pub min_us: f64,
    pub mean_us: f64,
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub p99_9_us: f64,
    pub p99_99_us: f64,
    pub max_us: f64,
    /// The whole histogram, in nanoseconds: `HdrHistogram` V2, compressed, in base64.
    pub histogram_ns: String,
}

/// Times in which no answer arrived.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gaps {
    /// Shorter ones are not gaps.
    pub shortest_us: u64,
    pub count: u64,
    pub total_us: u64,
    pub longest_us: u64,
    /// In the order of time; of too many the longest.
    pub listed: Vec<Gap>,
}

/// A time in which no answer arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// When the last good answer before it came, counted from the begin of the measurement.
    pub at_us: u64,
    pub length_us: u64,
    /// What became of the connection that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Fate>,
    /// The measurement was over before an answer came.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
}

/// What became of a connection in a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Survived,
    Reset,
    Timeout,
    Closed,
    /// It broke for another reason.
    Broken,
}

impl Fate {
    /// All of them.
    pub const ALL: [Fate; 5] = [
        Fate::Survived,
        Fate::Reset,
        Fate::Timeout,
        Fate::Closed,
        Fate::Broken,
    ];

    /// In a count of them.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Fate::Survived => "survived",
            Fate::Reset => "reset",
            Fate::Timeout => "timed out",
            Fate::Closed => "closed",
            Fate::Broken => "broke",
        }
    }

    /// In a sentence about a gap.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        match self {
            Fate::Survived => "; the connection survived",
            Fate::Reset => "; the connection was reset",
            Fate::Timeout => "; the connection timed out",
            Fate::Closed => "; the connection was closed",
            Fate::Broken => "; the connection broke",
        }
    }
}

/// The gaps of one kind of traffic, as a sample keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outages {
    pub traffic: Traffic,
    #[serde(flatten)]
    pub gaps: Gaps,
}

/// A kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traffic {
    Udp,
    /// Over one connection that is kept.
    Tcp,
    /// New connections.
    Connect,
}

impl Traffic {
    /// For people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Traffic::Udp => "UDP",
            Traffic::Tcp => "TCP",
            Traffic::Connect => "new connections",
        }
    }
}

impl Document {
    /// The gaps of each kind of traffic that has any.
    #[must_use]
    pub fn outages(&self) -> Vec<Outages> {
        let kinds = [
            (Traffic::Udp, self.udp.as_ref().map(|udp| &udp.gaps)),
            (Traffic::Tcp, self.tcp.as_ref().map(|tcp| &tcp.gaps)),
            (
                Traffic::Connect,
                self.connect.as_ref().map(|connect| &connect.gaps),
            ),
        ];
        let kinds = kinds.into_iter().filter_map(|(traffic, gaps)| {
            let gaps = gaps.filter(|gaps| gaps.count > 0)?.clone();
            Some(Outages { traffic, gaps })
        });
        kinds.collect()
    }
}

/// What the client says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// CPU time, in percent of one core. Of what several paths had in common, an equal share.
    pub cpu_percent: f64,
    /// The most paths that the same process measured at the same time.
    #[serde(default = "one")]
    pub paths: usize,
    /// How much later than planned it sent.
    pub delay: Option<Latency>,
    /// Times in which it did not run, so that nothing was sent.
    pub stalls: Gaps,
}

/// Documents of older versions are of one path.
fn one() -> usize {
    1
}

/// What the server says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// CPU time for all of its clients, in percent of one core.
    pub cpu_percent: f64,
    /// How long packets waited for its process; a part of their latency.
    pub delay: Option<Latency>,
}
