//! Bencher Metric Format: JSON by benchmark and measure, each with a value and bounds
//! (<https://bencher.dev/docs/reference/bencher-metric-format>).
//!
//! A benchmark is a cell, by its id. A measure is a metric by its name in journals, which carries the unit: Bencher's own
//! `throughput` and `latency` have units of their own. The value is the mean, the bounds are its 95 % interval where there
//! are several samples.

use std::io;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use crate::diag::json;
use crate::plan::Test;
use crate::report::{CellReport, Report};

/// Bencher takes names up to this length.
const LONGEST_BENCHMARK: usize = 1024;
/// Bencher takes slugs up to this length.
const LONGEST_MEASURE: usize = 64;

#[derive(Serialize)]
struct Value {
    #[serde(rename = "value")]
    mean: f64,
    #[serde(rename = "lower_value", skip_serializing_if = "Option::is_none")]
    lower: Option<f64>,
    #[serde(rename = "upper_value", skip_serializing_if = "Option::is_none")]
    upper: Option<f64>,
}

/// Writes the report in Bencher Metric Format, with a newline at its end. Cells without a measurement are left out.
///
/// # Errors
/// When `writer` fails.
pub fn write(report: &Report, writer: &mut dyn io::Write) -> io::Result<()> {
    json::write_pretty(&mut *writer, &Benchmarks(report), 0)?;
    writer.write_all(b"\n")
}

/// The cells with a measurement, one after the other: there may be very many.
struct Benchmarks<'a>(&'a Report);

impl Serialize for Benchmarks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Benchmarks(report) = self;
        serializer.collect_map(report.cells.iter().filter_map(|cell| {
            let measures = measures(report, cell);
            (!measures.is_empty()).then(|| (name(&cell.id.0), measures))
        }))
    }
}

fn measures(report: &Report, cell: &CellReport) -> IndexMap<String, Value> {
    let test = report.row(cell.row).map(|(_, test, _)| test);
    let metrics = test.map_or(Vec::new(), Test::metrics);
    let measures = metrics.iter().filter_map(|metric| {
        let figure = report.figure(cell, metric.name())?;
        let bounds = figure.interval;
        let value = Value {
            mean: figure.summary.mean,
            lower: bounds.map(|bounds| bounds.low),
            upper: bounds.map(|bounds| bounds.high),
        };
        Some((slug(metric.name()), value))
    });
    measures.collect()
}

/// A cell's id as a benchmark's name.
fn name(id: &str) -> &str {
    id.char_indices()
        .nth(LONGEST_BENCHMARK)
        .map_or(id, |(end, _)| id.get(..end).unwrap_or(id))
}

/// A metric's name as a slug: `latency_us.p99` is `latency-us-p99`.
fn slug(metric: &str) -> String {
    let slug = metric.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    slug.to_ascii_lowercase()
        .chars()
        .take(LONGEST_MEASURE)
        .collect()
}
