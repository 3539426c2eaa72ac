//! `PerfData` of version `v1`, the JSON that perfdash of kubernetes/perf-tests draws (`perftype.go` there).
//!
//! An item is a metric of a test on a path, with the values of all parameters but the size. Its data are by bucket: the
//! swept size, or `Mean`; percentiles of one metric are the buckets `Perc50`, `Perc90`, `Perc99`. perfdash needs the same
//! buckets for the same labels in every run; a cell without a measurement has none.

use std::collections::BTreeMap;
use std::io;

use indexmap::IndexMap;
use serde::Serialize;

use crate::diag::json;
use crate::plan::{Metric, Unit};
use crate::report::{CellReport, Report};
use crate::schedule::Param;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PerfData<'a> {
    version: &'static str,
    data_items: Vec<DataItem>,
    labels: BTreeMap<&'static str, &'a str>,
}

#[derive(Serialize)]
struct DataItem {
    data: IndexMap<String, f64>,
    unit: &'static str,
    labels: BTreeMap<&'static str, String>,
}

/// What tells an item from others: row of the schedule, metric without its percentile.
type Key = (usize, String);

/// Writes the report as `PerfData`, with a newline at its end.
///
/// # Errors
/// When `writer` fails.
pub fn write(report: &Report, writer: &mut dyn io::Write) -> io::Result<()> {
    let mut items: IndexMap<Key, DataItem> = IndexMap::new();
    for cell in &report.cells {
        let Some((_, test, _)) = report.row(cell.row) else {
            continue;
        };
        for metric in test.metrics() {
            if let Some(summary) = cell.measured(metric.name()) {
                add(report, cell, &metric, summary.mean, &mut items);
            }
        }
    }
    let document = PerfData {
        version: "v1",
        data_items: items.into_values().collect(),
        labels: BTreeMap::from([("plan", &*report.plan.name)]),
    };
    json::write_pretty(&mut *writer, &document, 0)?;
    writer.write_all(b"\n")
}

fn add(
    report: &Report,
    cell: &CellReport,
    metric: &Metric,
    value: f64,
    items: &mut IndexMap<Key, DataItem>,
) {
    // Plans have no word for the rate that `find` finds. The unit is beside the name.
    let word = metric.word();
    let (name, percentile) = percentile(word.strip_suffix("_bps").unwrap_or(word));
    let item = items
        .entry((cell.row, name.to_owned()))
        .or_insert_with(|| DataItem {
            data: IndexMap::new(),
            unit: unit(metric.unit()).0,
            labels: labels(report, cell, name),
        });
    let size = cell.params.size().filter(|_| is_swept(report, cell));
    let bucket = match (percentile, size) {
        (Some(percentile), Some(size)) => format!("Perc{percentile} {size}"),
        (Some(percentile), None) => format!("Perc{percentile}"),
        (None, Some(size)) => size.to_string(),
        (None, None) => "Mean".to_owned(),
    };
    item.data.insert(bucket, value * unit(metric.unit()).1);
}

/// A metric's name without `.p99`, and the 99.
fn percentile(word: &str) -> (&str, Option<&str>) {
    match word.rsplit_once(".p") {
        Some((name, number)) if number.parse::<u8>().is_ok() => (name, Some(number)),
        _ => (word, None),
    }
}

/// Whether the cell's row has several sizes.
fn is_swept(report: &Report, cell: &CellReport) -> bool {
    let has_several = |param: Param| {
        let (_, test, _) = report.row(cell.row)?;
        Some(test.tool.values(param.name())?.len() > 1)
    };
    [Param::Mss, Param::Datagram]
        .into_iter()
        .any(|param| has_several(param).unwrap_or(false))
}

/// What an item is labelled with: test, path, metric, and the parameters but the size.
fn labels(report: &Report, cell: &CellReport, metric: &str) -> BTreeMap<&'static str, String> {
    let mut labels = BTreeMap::from([("metric", metric.to_owned())]);
    if let Some((_, test, path)) = report.row(cell.row) {
        labels.insert("test", test.name.clone());
        labels.insert("path", path.name.clone());
    }
    let params = cell.params.0.iter();
    let params = params.filter(|(param, _)| !matches!(param, Param::Mss | Param::Datagram));
    labels.extend(params.map(|(param, value)| (param.name(), param.plain(*value).to_string())));
    labels
}

/// The unit's name, and the factor from netplan's unit to it.
fn unit(unit: Unit) -> (&'static str, f64) {
    match unit {
        Unit::BitsPerSecond => ("Mbit/s", 1e-6),
        Unit::PerSecond => ("1/s", 1.0),
        Unit::Microseconds => ("us", 1.0),
        Unit::Percent => ("%", 1.0),
        Unit::Bytes => ("bytes", 1.0),
        Unit::Count => ("", 1.0),
    }
}
