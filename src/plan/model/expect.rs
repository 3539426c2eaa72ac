//! What a plan expects of its figures, and what it searches for: the words and their meaning.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::metric::{Metric, Unit};
use super::units::{BitRate, Percent};

/// What is expected of the metrics of each cell, as in `throughput: '>= 9 Gbit/s'`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectations(pub IndexMap<Metric, Expectation>);

/// A bound that a figure has to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub comparison: Comparison,
    pub bound: Bound,
}

/// How a figure stands to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
}

/// What a figure is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A value in the metric's own unit, the journal's: bits a second, microseconds, percent.
    Absolute(f64),
    /// So many percent of what the same test, with the same parameters, measured on another path.
    OfPath { percent: f64, path: String },
}

impl Comparison {
    /// All, the longer signs first.
    pub const ALL: [Comparison; 4] = [
        Comparison::AtLeast,
        Comparison::AtMost,
        Comparison::Above,
        Comparison::Below,
    ];

    /// As plans write it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::AtLeast => ">=",
            Comparison::AtMost => "<=",
            Comparison::Above => ">",
            Comparison::Below => "<",
        }
    }

    /// Whether `value` keeps `bound`.
    #[must_use]
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Comparison::AtLeast => value >= bound,
            Comparison::AtMost => value <= bound,
            Comparison::Above => value > bound,
            Comparison::Below => value < bound,
        }
    }

    /// Whether the bound is one from below.
    #[must_use]
    pub fn is_floor(self) -> bool {
        matches!(self, Comparison::AtLeast | Comparison::Above)
    }
}

impl Expectations {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Metric, &Expectation)> {
        self.0.iter()
    }
}

impl Expectation {
    /// As a plan writes it, for a metric of this unit: `>= 9 Gbit/s`.
    #[must_use]
    pub fn show(&self, unit: Unit) -> String {
        let sign = self.comparison.sign();
        match &self.bound {
            Bound::Absolute(value) => format!("{sign} {}", unit.show(*value)),
            Bound::OfPath { percent, path } => format!("{sign} {percent}% of {path}"),
        }
    }
}

impl Serialize for Expectations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (metric, expectation) in &self.0 {
            map.serialize_entry(metric.word(), &expectation.show(metric.unit()))?;
        }
        map.end()
    }
}

impl JsonSchema for Expectations {
    fn schema_name() -> Cow<'static, str> {
        "Expectations".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let properties: Map<String, Value> = Metric::KNOWN
            .iter()
            .map(|metric| {
                let example = metric.unit().example();
                let sign = if metric.unit().more_is_better() {
                    ">="
                } else {
                    "<="
                };
                let text = format!("{} As in `'{sign} {example}'`.", metric.text());
                let value = json!({
                    "description": text,
                    "type": "string",
                    "pattern": r"^\s*[<>]=?\s*[0-9]",
                });
                (metric.word().to_owned(), value)
            })
            .collect();
        let mut schema = Schema::default();
        let text = "What is expected of the metrics of each cell: `>=`, `>`, `<=` or `<`, and a \
                    value with its unit, or a share of what another path of the same run has, as \
                    in `'>= 85% of remote-pod'`.";
        schema.insert("description".to_owned(), json!(text));
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        // Those of declared tools.
        let own = json!({ "type": "string", "pattern": r"^\s*[<>]=?\s*[0-9]" });
        schema.insert(
            "patternProperties".to_owned(),
            json!({ "^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*$": own }),
        );
        schema
    }
}

/// A search for the highest rate at which a condition still holds. Each probe is a sample.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Find {
    /// What is searched for: the highest sending rate of each stream.
    pub rate: Goal,
    /// The lowest rate that is tried. Default: 1 Mbit/s.
    pub from: BitRate,
    /// The highest rate that is tried. Default: 100 Gbit/s.
    pub to: BitRate,
    /// The search ends when it knows the rate to within this share of it. Default: 5%.
    pub within: Percent,
    /// What has to hold at a rate, as in `lost_percent <= 0.1`. It has to get worse as the rate
    /// rises: `lost_percent`, `jitter` or `cpu.server`, from above.
    #[serde(rename = "while")]
    pub condition: Condition,
}

/// What a search looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The largest value.
    #[default]
    Max,
}

/// A metric and its absolute bound, as in `lost_percent <= 0.1`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "String", extend("pattern" = r"^\s*[a-z0-9_.]+\s*<=?\s*[0-9]"))]
pub struct Condition {
    pub metric: Metric,
    pub comparison: Comparison,
    /// In the metric's own unit.
    pub bound: f64,
}

impl Condition {
    /// Whether a figure of the metric keeps the bound.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.comparison.holds(value, self.bound)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = self.metric.unit().show(self.bound);
        write!(f, "{} {} {bound}", self.metric, self.comparison.sign())
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> String {
        condition.to_string()
    }
}
