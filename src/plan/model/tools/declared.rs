//! What a plan says of a tool that it declares itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::extractor::{FigureUnit, Pattern, Pointer};
use crate::catalog::Metric;
use crate::plan::model::sweep::Sweep;
use crate::plan::model::units::Duration;

/// A program that measures, and how netplan uses it. Tests name it as they name iperf3.
///
/// Command lines are lists of arguments, and no shell is in between. An argument with `{{ … }}` is a
/// minijinja expression over `target` (the address to dial; the client's only), `duration_s`,
/// `warmup_s`, `slot` (counts the paths to one destination), `port` (the first port), `ports.NAME`,
/// and the parameters. Arguments that are a list of their own belong together, and are left out
/// where a parameter in them is not set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclaredTool {
    /// Its key in `tools:`.
    #[serde(skip)]
    pub name: String,
    /// What it measures, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The Debian and Ubuntu package that has its programs: `doctor` and errors say to install it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// How else its programs are installed, in words that `doctor` and errors repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    /// What tests of this tool may set and sweep, by name. `streams`, `rate`, `write_size`,
    /// `request`, `response`, `datagram` and `mss` are known without being listed here.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub parameters: IndexMap<String, Parameter>,
    /// The ports that its server listens on; Services and network policies get them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<DeclaredPort>,
    /// The program that runs at the path's destination. Default: none; the tool needs no server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<DeclaredServer>,
    /// The program that runs at the path's origin, and whose output is read.
    pub client: DeclaredClient,
    /// What a sample takes beyond warm-up and duration. Default: 0s.
    pub overhead: Duration,
    /// A sample that takes longer than this is killed, unless its test or `defaults:` say
    /// otherwise. Default: warm-up, duration and overhead, and 10 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// What the client's output says, by metric. A name of netplan's own, as `throughput` or
    /// `latency.p99`, is shown where the other tools' figures are; any other name is the tool's own.
    /// What netplan itself writes of each sample, as `elapsed_s`, is not among them.
    pub metrics: IndexMap<String, Figure>,
    /// The figure of a cell in tables and in `result.csv`. Default: the first one.
    pub headline: String,
    /// The names in the expressions of its commands.
    #[serde(skip)]
    pub uses: BTreeSet<String>,
}

/// A parameter that tests of the tool may set and sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its value in tests that do not set it. Default: it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<u64>,
    /// What it counts: `bytes` may be written as `1 KiB`, `bit/s` as `100 Mbit/s`. Default: a plain
    /// number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<ParameterUnit>,
    /// Its least value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// Its largest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// What a parameter of a declared tool counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ParameterUnit {
    #[serde(rename = "bytes")]
    Bytes,
    #[serde(rename = "bit/s")]
    BitRate,
}

/// A port that a declared tool's server listens on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeclaredPort {
    /// What expressions call it, as `ports.NAME`. Of the TCP connections to the port that is named
    /// `data`, or to the only port, the kernel is asked for their effective MSS where a test sets `mss`.
    pub name: String,
    /// Its number.
    pub port: u16,
    /// `tcp`, `udp` or `both`. Default: tcp.
    pub protocol: PortProtocol,
    /// Each path to a destination has a port of its own: this number and `slot`. For data
    /// connections that netperf-like tools make from a fixed port. Default: false.
    pub per_path: bool,
}

/// What a port carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PortProtocol {
    #[default]
    Tcp,
    Udp,
    Both,
}

/// A declared tool's server: started for each sample, and stopped after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeclaredServer {
    /// Program and arguments.
    pub command: Vec<Argument>,
    /// When the client may start.
    #[serde(serialize_with = "crate::plan::text::write::one_key")]
    pub ready: Ready,
}

/// When a server is ready: the `port` of this name is open, a `line` of its output
/// contains this text, or it has exited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// As soon as this one of `ports` is open.
    Port(String),
    /// As soon as a line of its output contains this text.
    Line(String),
    /// As soon as the program has exited with 0 and left a daemon behind.
    Exited,
}

/// A declared tool's client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeclaredClient {
    /// Program and arguments. One that uses `warmup_s` warms up by itself; for any other the warm-up
    /// is an invocation of its own, with `duration_s` as long as that.
    pub command: Vec<Argument>,
    /// Whether it uses `warmup_s`.
    #[serde(skip)]
    pub warms_up: bool,
}

impl DeclaredTool {
    /// The name of its headline in journals and files.
    #[must_use]
    pub fn headline_metric(&self) -> String {
        let figure = self.metrics.get(&self.headline);
        figure.map_or_else(String::new, |figure| {
            figure.metric(&self.headline).name().to_owned()
        })
    }

    /// Its metrics, in their order.
    pub fn all_metrics(&self) -> impl Iterator<Item = Metric> {
        let metrics = self.metrics.iter();
        metrics.map(|(name, figure)| figure.metric(name))
    }
}

impl Figure {
    /// The metric of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Metric {
        Metric::declared(name, self.unit.unit)
    }
}

/// An argument, or some that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Argument {
    One(String),
    /// Left out where a parameter in them is not set.
    Together(Vec<String>),
}

/// Where a metric's figure is in the client's output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// How it is found.
    #[serde(flatten)]
    pub source: FigureSource,
    /// Which match counts when there are several: `last`, `first`, `sum`, `mean`, `min` or `max`.
    /// Default: last.
    pub take: Take,
    /// The unit in which the tool prints it: `bit/s`, `kbit/s`, `Mbit/s`, `Gbit/s`, `B/s`, `kB/s`,
    /// `MB/s`, `GB/s`, `KiB/s`, `MiB/s`, `GiB/s`; `ns`, `us`, `ms`, `s`; `percent`, `ratio`; `bytes`,
    /// `count` or `per_second`.
    pub unit: FigureUnit,
    /// The tool does not always print it, or prints null in JSON. Default: false; a sample without it
    /// has failed.
    pub optional: bool,
}

/// How a figure is found in the output.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureSource {
    Regex(Pattern),
    Json(Pointer),
}

/// Which of several matches counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    First,
    #[default]
    Last,
    Sum,
    Mean,
    Min,
    Max,
}

/// A declared tool in a test, with the values of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredUse {
    pub tool: Arc<DeclaredTool>,
    /// Those that the test sets or that have a default; rates are bits per second, sizes bytes.
    pub values: IndexMap<String, Sweep<u64>>,
}

/// As the plan writes it: `{ sockperf: { size: 64 } }`.
impl Serialize for DeclaredUse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.tool.name, &self.values)?;
        map.end()
    }
}
