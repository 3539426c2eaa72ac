//! Charts: what they show. How they look is up to a renderer.

use crate::statistics::Interval;

/// Series of values over one axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// What tells it from other charts of its section; may be empty.
    pub caption: String,
    /// A sentence that states what the chart shows; may be empty.
    pub finding: String,
    /// What the points are at, e.g. `MSS` in bytes.
    pub x: Axis,
    /// What the points are; the axis begins at 0.
    pub y: Axis,
    /// The value with which all others are compared, e.g. 100 %.
    pub reference: Option<f64>,
    /// Digits after the point of a written value.
    pub decimals: usize,
    /// What the intervals of its points are.
    pub bands: Bands,
    pub series: Vec<Series>,
}

/// What the intervals of points are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bands {
    /// 95 % confidence intervals of means.
    #[default]
    Confidence,
    /// From the lowest sample to the highest.
    Range,
}

/// A quantity and its unit; the unit may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Axis {
    pub name: String,
    pub unit: String,
}

/// Points in the order of x.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    pub name: String,
    /// Its number among all looks (color, marker, dash). The same thing, e.g. a path, has the same look in
    /// all charts of a document.
    pub look: usize,
    pub points: Vec<Point>,
}

/// A value at a place of the x axis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub x: u64,
    /// None for a point that was not measured.
    pub y: Option<f64>,
    /// See [`Chart::bands`]; None for a single sample.
    pub interval: Option<Interval>,
}

/// Values of several things on one axis, a row for each thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotPlot {
    /// What tells it from other charts of its section; may be empty.
    pub caption: String,
    /// A sentence that states what the chart shows; may be empty.
    pub finding: String,
    pub x: Axis,
    /// The value with which all others are compared, e.g. 100 % or no change. Without one the axis begins
    /// at 0.
    pub reference: Option<f64>,
    /// Digits after the point of a written value.
    pub decimals: usize,
    pub rows: Vec<DotRow>,
}

/// The values of one thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotRow {
    pub name: String,
    /// As of [`Series::look`].
    pub look: usize,
    pub dots: Vec<Dot>,
}

/// A value in a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dot {
    /// What tells it from the row's others, e.g. `p99`; empty for the only one.
    pub name: String,
    pub value: f64,
    /// Where the true value is thought to lie; None for a single sample.
    pub interval: Option<Interval>,
}

impl Point {
    /// A point without an interval.
    #[must_use]
    pub fn new(x: u64, y: Option<f64>) -> Point {
        Point {
            x,
            y,
            interval: None,
        }
    }
}
