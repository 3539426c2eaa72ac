//! What a plan expects of its figures, and what it searches for.

use std::fmt;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::choice::Choice;
use super::units::{BitRate, Percent};
use crate::catalog::{Metric, Unit};

/// What is expected of the metrics of each cell, e.g. `throughput: '>= 9 Gbit/s'`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectations(pub IndexMap<Metric, Expectation>);

/// A bound that a figure has to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub comparison: Comparison,
    pub bound: Bound,
}

/// How a figure compares with its bound.
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
    /// So many percent of what the same test, with the same parameters, measured on another path of the same
    /// variant; where this is the name of a variant, on the same path of that variant.
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

/// A search for the highest rate at which a condition still holds. Each probe is a sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Find {
    pub rate: Goal,
    /// The lowest rate that is tried.
    pub from: BitRate,
    /// The highest rate that is tried.
    pub to: BitRate,
    /// The search ends when it knows the rate to within this share of it.
    pub within: Percent,
    /// What holds up to the rate.
    #[serde(rename = "while")]
    pub condition: Condition,
}

/// What a search looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    #[default]
    Max,
}

impl Choice for Goal {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Max, "The largest value.")];
}

/// A metric and its absolute bound, e.g. `lost_percent <= 0.1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "String")]
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
