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

/// A program that measures, and how netplan uses it. The keys are described in
/// `describe/keys/declared_tools.rs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclaredTool {
    /// The key that it has in `tools:`.
    #[serde(skip)]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub parameters: IndexMap<String, Parameter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<DeclaredPort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<DeclaredServer>,
    pub client: DeclaredClient,
    /// What a sample takes beyond warm-up and duration.
    pub overhead: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    pub metrics: IndexMap<String, Figure>,
    pub headline: String,
    /// The names in the expressions of its commands.
    #[serde(skip)]
    pub uses: BTreeSet<String>,
}

/// A parameter that tests of the tool may set and sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parameter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<ParameterUnit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
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
    pub name: String,
    pub port: u16,
    pub protocol: PortProtocol,
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
    pub command: Vec<Argument>,
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
    #[serde(flatten)]
    pub source: FigureSource,
    pub take: Take,
    pub unit: FigureUnit,
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
