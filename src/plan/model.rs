//! What a plan says, once it has been read, checked and resolved.
//!
//! The doc comments of the types here are the texts of the generated JSON Schema. Serialised, a
//! [`Plan`] is again a valid plan: every default filled in, every test with its name.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::declared::{DeclaredTool, DeclaredUse};
use super::expect::{Expectations, Find};
use super::kubernetes::{Kubernetes, Words};
use super::limits;
use super::schema::within;
use super::sweep::Sweep;
use super::units::{BitRate, Bytes, Duration, Percent};

/// The version of the plan language.
pub const VERSION: u32 = 1;

/// A test plan: what to measure, between which workers, over which paths.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Plan {
    /// The version of the plan language. Always 1.
    pub version: u32,
    /// The plan's name; names the run's directory and objects. A DNS label: a-z, 0-9 and '-'.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// What the plan is for, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The pods that send or receive traffic, by name, and where each one sits. A name is a DNS
    /// label of at most 40 characters.
    #[schemars(extend("propertyNames" = json!({
        "maxLength": 40,
        "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        "not": { "const": "orchestrator" },
    })))]
    pub workers: IndexMap<String, Placement>,
    /// The ways for traffic to go.
    #[schemars(length(min = 1))]
    pub paths: Vec<Path>,
    /// In which order the cells run. Default: listed.
    pub order: Order,
    /// What `order: shuffled` is drawn from: the same seed gives the same order. Default: drawn
    /// when the plan is read, and stored with the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Which cells may run at the same time. Default: serial.
    pub concurrency: Concurrency,
    /// Tools beside iperf3 and netperf, by name. A name is a DNS label of at most 40 characters.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(extend("propertyNames" = json!({
        "maxLength": 40,
        "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        "not": { "enum": ["iperf3", "netperf"] },
    })))]
    pub tools: IndexMap<String, Arc<DeclaredTool>>,
    /// What to measure. Tests run in the order in which they stand.
    #[schemars(length(min = 1))]
    pub tests: Vec<Test>,
    /// The emulated nodes and links of the local cluster.
    pub local: Local,
    /// How the pods are made on Kubernetes.
    pub kubernetes: Kubernetes,
}

/// Where a worker sits. Without a rule it may sit on any node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Placement {
    /// On the node of this other worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_node_as: Option<String>,
    /// On another node than this other worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_node_than: Option<String>,
    /// In the zone of this other worker. The local cluster has no zones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_zone_as: Option<String>,
    /// In another zone than this other worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_zone_than: Option<String>,
    /// On the node of this name. Only Kubernetes knows nodes by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// On a node with these labels. Only Kubernetes knows nodes by labels.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub node_selector: Words,
}

/// One way for traffic to go: from a worker, to a worker, by an address.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Path {
    /// The path's name, unique in the plan. A DNS label.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// How reports and `result.csv` call it. Default: its name.
    pub label: String,
    /// The worker that runs the tool's client.
    pub from: String,
    /// The worker that runs the tool's server; the same as `from` for a hairpin.
    pub to: String,
    /// The address that the client dials.
    pub via: Via,
    /// What is expected of every test on this path.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
}

/// By which address traffic reaches its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The destination pod's own address.
    PodIp,
    /// The virtual IP of the destination's Service, translated on the client's node.
    ClusterIp,
    /// The destination's node: both workers run on their hosts' networks, as a baseline without
    /// the pod network. Only on Kubernetes.
    Host,
}

/// In which order the cells of the matrix run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As the plan lists them: test by test, path by path, the last swept parameter fastest; all
    /// samples of a cell one after the other.
    #[default]
    Listed,
    /// In rounds: one sample of each cell in turn, so that drift hits all cells alike.
    Interleaved,
    /// In rounds, each in another random order, drawn from the plan's `seed`.
    Shuffled,
}

/// Which cells may run at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// One after the other: nothing else is on the network.
    #[default]
    Serial,
    /// Cells that share no node run side by side.
    DisjointNodes,
}

/// A tool with its options, on some paths, over a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Test {
    /// The test's name, unique in the plan; a part of its cells' ids. Default: from the tool and
    /// its protocol, as in `iperf3-tcp`.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// What precedes the path's label in `result.csv`. Default: nptest's word for the tool.
    pub label: String,
    /// The tool and its options.
    #[serde(flatten)]
    pub tool: ToolSpec,
    /// The names of the paths to measure. Default: all paths.
    #[schemars(length(min = 1))]
    pub paths: Vec<String>,
    #[serde(flatten)]
    pub timing: Timing,
    /// Search for the highest rate at which a condition holds, as in
    /// `{ rate: max, while: 'lost_percent <= 0.1' }`. Only for UDP by iperf3, without its `rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub find: Option<Find>,
    /// What is expected of every cell of this test.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
}

/// How long and how often a cell is measured. `defaults:` sets these for every test.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Timing {
    /// How long one sample measures. iperf3 and netperf take whole seconds. Default: 10s.
    pub duration: Duration,
    /// How long traffic flows before the measurement begins; not measured. Default: 0s.
    pub warmup: Duration,
    /// Pause after each sample. Default: 0s.
    pub cooldown: Duration,
    /// A sample that takes longer than this is killed. Default: warm-up and duration and what the
    /// tool itself needs, and 10 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How often a failed sample is tried again before its cell has failed. Default: 1.
    #[schemars(range(max = 100))]
    pub retries: u32,
    /// How many samples a cell gets. Default: 1.
    pub repeat: Repeat,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            duration: Duration(std::time::Duration::from_secs(10)),
            warmup: Duration::default(),
            cooldown: Duration::default(),
            timeout: None,
            retries: 1,
            repeat: Repeat::Times(1),
        }
    }
}

/// How many samples a cell gets: a number, or as many as it takes to be sure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Repeat {
    /// This many.
    Times(#[schemars(range(min = 1, max = 10_000))] u32),
    /// Until the mean is known well enough.
    Until(Until),
}

/// Sample until the 95 % confidence interval of the mean is narrow enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Until {
    /// At least this many samples, 2 or more. Default: 3.
    #[schemars(range(min = 2, max = 10_000))]
    pub min: u32,
    /// At most this many. Default: 20.
    #[schemars(range(min = 2, max = 10_000))]
    pub max: u32,
    /// Half the interval's width in percent of the mean, as in `2%`.
    pub until: Percent,
}

impl Repeat {
    /// No cell gets fewer samples.
    #[must_use]
    pub fn least(self) -> u32 {
        match self {
            Repeat::Times(times) => times,
            Repeat::Until(until) => until.min,
        }
    }

    /// No cell gets more samples.
    #[must_use]
    pub fn most(self) -> u32 {
        match self {
            Repeat::Times(times) => times,
            Repeat::Until(until) => until.max,
        }
    }
}

/// The tool of a test. A choice is a key: `iperf3: {…}`, `netperf: {…}`, or a name from `tools:`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolSpec {
    Iperf3(Iperf3),
    Netperf(Netperf),
    // The schema adds it by hand: its key is a name.
    #[serde(untagged)]
    #[schemars(skip)]
    Declared(DeclaredUse),
}

/// Throughput by iperf3. A value that sweeps is a number, a list, or `{from, to, step}`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Iperf3 {
    /// `tcp` or `udp`. Default: tcp.
    pub protocol: Protocol,
    /// Parallel streams (-P), 1 to 128. Default: 1.
    #[schemars(transform = within(limits::STREAMS))]
    pub streams: Sweep<u64>,
    /// TCP maximum segment size in bytes (-M), 88 to 9216. Default: the path's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = within(limits::IPERF3_MSS))]
    pub mss: Option<Sweep<u64>>,
    /// UDP payload of a datagram in bytes (-l), 16 to 65507. Default for UDP: 1460.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = within(limits::IPERF3_DATAGRAM))]
    pub datagram: Option<Sweep<u64>>,
    /// Sending rate of each stream (-b), as in `100 Mbit/s`. Default: unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Sweep<BitRate>>,
    /// Bytes a TCP write (-l), up to 1 MiB. Default: iperf3's 128 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_size: Option<Sweep<Bytes>>,
    /// Socket buffer of both ends (-w), as in `2 MiB`; at most what the kernels' `rmem_max` and
    /// `wmem_max` allow. Default: the kernel's, which it tunes for TCP and keeps small for UDP:
    /// then UDP without a `rate` loses datagrams at the receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Bytes>,
    /// TCP congestion control (-C), as in `cubic`. Default: the kernel's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion: Option<String>,
    /// Send with sendfile(2) (-Z). Default: false.
    pub zerocopy: bool,
}

/// Transport protocol of an iperf3 test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
}

/// Throughput, request/response latency or connection rate by netperf.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Netperf {
    /// The netperf test (-t). Default: `TCP_STREAM`.
    pub test: NetperfTest,
    /// TCP maximum segment size in bytes (-G), 88 to 32767. Default: the path's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = within(limits::NETPERF_MSS))]
    pub mss: Option<Sweep<u64>>,
    /// `UDP_STREAM` only: UDP payload of a datagram in bytes (-m), 1 to 65507. Default: 1460.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = within(limits::NETPERF_DATAGRAM))]
    pub datagram: Option<Sweep<u64>>,
    /// `TCP_STREAM` only: bytes a write (-m). Default: netperf's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_size: Option<Sweep<Bytes>>,
    /// `*_RR` and `TCP_CRR` only: bytes of a request (-r). Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Sweep<Bytes>>,
    /// `*_RR` and `TCP_CRR` only: bytes of a response (-r). Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Sweep<Bytes>>,
}

/// The netperf tests that netplan knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NetperfTest {
    /// One-way TCP throughput.
    #[default]
    TcpStream,
    /// Request/response over one TCP connection: latency.
    TcpRr,
    /// A TCP connection for each request: connection rate.
    TcpCrr,
    /// One-way UDP throughput.
    UdpStream,
    /// Request/response over UDP: latency.
    UdpRr,
}

/// The emulated nodes and links of the local cluster. Kubernetes does not look at them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Local {
    /// How many nodes to emulate, 1 to 32. Default: 2.
    #[schemars(range(min = 1, max = 32))]
    pub nodes: u32,
    /// What every link between two nodes is like. Default: as fast as the machine.
    pub links: Link,
    /// Segmentation offloads of the emulated interfaces. Default: off.
    pub offloads: Offloads,
}

impl Default for Local {
    fn default() -> Local {
        Local {
            nodes: 2,
            links: Link::default(),
            offloads: Offloads::default(),
        }
    }
}

/// An emulated link between two nodes, the same in both directions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Link {
    /// Bits a second on the wire, Ethernet header included, as in `1 Gbit/s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<BitRate>,
    /// One-way delay, as in `1ms`. Needs the kernel's netem queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// Packets lost at random, as in `0.1%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Percent>,
    /// Maximum transmission unit in bytes, 576 to 65535, of links and pods alike. Default: 1500.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 576, max = 65_535))]
    pub mtu: Option<u32>,
}

/// Segmentation offloads of the emulated interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offloads {
    /// Every segment crosses the path by itself, so that an MSS sweep measures the MSS.
    #[default]
    Off,
    /// As the kernel sets new interfaces up: segments cross in packets of up to 64 KiB, whatever
    /// the MSS.
    Kernel,
}
