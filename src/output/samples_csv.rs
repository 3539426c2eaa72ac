//! `samples.csv`: tidy, a row a sample, for people who compute on.
//!
//! A cell without any sample has one row too, with what became of it in `outcome` (`failed`,
//! `skipped`, `missing`), `cause` and `words`; so does a cell that failed after some samples. Fields
//! of figures that a tool does not yield are empty. Units are in the names. `outlier` says whether a
//! sample of a cell that did not fail stands far from the cell's others in the headline metric; it
//! counts all the same.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;

use super::csv_field;
use crate::report::labels;
use crate::report::{CellReport, CellState, Report};
use crate::results::host_metrics::{self, End};
use crate::results::warnings::Kind;
use crate::results::{Sample, Warning};
use crate::tools::name;

/// The columns before the metrics.
const FIRST: [&str; 23] = [
    "run",
    "cell",
    "row",
    "test",
    "path",
    "tool",
    "via",
    "from",
    "to",
    "params",
    "requested_size",
    "effective_mss",
    "sample",
    "attempt",
    "started",
    "wall_s",
    "outcome",
    "outlier",
    "cause",
    "words",
    "warnings",
    "raw",
    "command",
];

/// The names of a sample's warnings, each once, with spaces between.
fn warnings(sample: &Sample) -> String {
    let kinds: BTreeSet<Kind> = sample.warnings.iter().map(Warning::kind).collect();
    kinds
        .into_iter()
        .map(Kind::name)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The known metrics in their fixed order; what was observed around the sample follows (see
/// `results::host_metrics`), then unknown ones, sorted.
const METRICS: [&str; 15] = [
    name::THROUGHPUT_BPS,
    name::SENT_BPS,
    name::RETRANSMITS,
    name::RTT_US,
    name::JITTER_US,
    name::LOST_PERCENT,
    name::LATENCY_MEAN_US,
    name::LATENCY_P50_US,
    name::LATENCY_P90_US,
    name::LATENCY_P99_US,
    name::LATENCY_MAX_US,
    name::TRANSACTIONS_PER_S,
    name::CPU_PERCENT_CLIENT,
    name::CPU_PERCENT_SERVER,
    name::ELAPSED_S,
];

/// The report's samples as CSV.
///
/// # Errors
/// Never: it writes into memory. The signature keeps the writer's own words.
pub fn render(report: &Report) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(report, &mut bytes)?;
    Ok(bytes)
}

/// Writes the report's samples as CSV.
///
/// # Errors
/// When `writer` fails.
pub fn write(report: &Report, writer: &mut dyn io::Write) -> io::Result<()> {
    let seen: BTreeSet<&str> = report
        .cells
        .iter()
        .flat_map(|cell| &cell.samples)
        .flat_map(|sample| sample.metrics.iter())
        .map(|(metric, _)| metric)
        .collect();
    let observed = host_metrics::ALL
        .iter()
        .flat_map(|metric| End::BOTH.map(|end| metric.at(end)))
        .filter(|metric| seen.contains(metric));
    let mut metrics: Vec<&str> = METRICS.into_iter().chain(observed).collect();
    let unknown: Vec<&str> = seen
        .iter()
        .copied()
        .filter(|metric| *metric != name::EFFECTIVE_MSS && !metrics.contains(metric))
        .collect();
    metrics.extend(unknown);
    let mut writer = csv::Writer::from_writer(writer);
    let titles = FIRST
        .iter()
        .chain(&metrics)
        .map(|title| csv_field::field(title));
    put(&mut writer, titles)?;
    for cell in &report.cells {
        let outliers = report.outliers(cell);
        for sample in cell.samples.iter().zip(outliers) {
            let fields = record(report, cell, Some(sample), &metrics);
            put(
                &mut writer,
                fields.iter().map(|field| csv_field::field(field)),
            )?;
        }
        if cell.samples.is_empty() || matches!(cell.state, CellState::Failed(_)) {
            let fields = record(report, cell, None, &metrics);
            put(
                &mut writer,
                fields.iter().map(|field| csv_field::field(field)),
            )?;
        }
    }
    writer.flush()
}

fn put<'a>(
    writer: &mut csv::Writer<impl io::Write>,
    fields: impl Iterator<Item = Cow<'a, str>>,
) -> io::Result<()> {
    for field in fields {
        writer
            .write_field(field.as_bytes())
            .map_err(io::Error::from)?;
    }
    // Ends the record.
    writer.write_record(None::<&[u8]>).map_err(io::Error::from)
}

/// A sample's row; without a sample the row that says how the cell ended.
fn record(
    report: &Report,
    cell: &CellReport,
    sample: Option<(&Sample, bool)>,
    metrics: &[&str],
) -> Vec<String> {
    let outlier = match sample {
        Some((_, true)) => "yes",
        Some((_, false)) => "no",
        None => "",
    };
    let sample = sample.map(|(sample, _)| sample);
    let row = report.row(cell.row);
    let number = row.map_or(0, |(row, ..)| row.number);
    let (test, tool) = row.map_or(("", ""), |(_, test, _)| {
        (test.name.as_str(), test.tool.name())
    });
    let (path, via, from, to) = row.map_or(("", "", "", ""), |(.., path)| {
        (
            path.name.as_str(),
            labels::via(path.via),
            path.from.as_str(),
            path.to.as_str(),
        )
    });
    // The probes of a search have parameters of their own.
    let params: Vec<String> = sample
        .map_or(&cell.params, |sample| &sample.params)
        .0
        .iter()
        .map(|(param, value)| format!("{}={value}", param.name()))
        .collect();
    let metric = |name: &str| {
        sample
            .and_then(|s| s.metrics.get(name))
            .map_or_else(String::new, |v| v.to_string())
    };
    let (outcome, cause, said) = match (sample, &cell.state) {
        (Some(_), _) | (None, CellState::Measured | CellState::Partial) => {
            ("measured", String::new(), "")
        }
        (None, CellState::Failed(failure)) => (
            "failed",
            failure.cause.name().to_owned(),
            failure.words.as_str(),
        ),
        (None, CellState::Skipped(reason)) => ("skipped", String::new(), reason.as_str()),
        (None, CellState::Missing) => ("missing", String::new(), ""),
    };
    let of_sample = |text: fn(&Sample) -> String| sample.map_or_else(String::new, text);
    let mut fields = vec![
        report.run.clone(),
        cell.id.0.clone(),
        number.to_string(),
        test.to_owned(),
        path.to_owned(),
        tool.to_owned(),
        via.to_owned(),
        from.to_owned(),
        to.to_owned(),
        params.join(","),
        cell.params
            .size()
            .map_or_else(String::new, |size| size.to_string()),
        metric(name::EFFECTIVE_MSS),
        of_sample(|s| s.sample.to_string()),
        of_sample(|s| s.attempt.to_string()),
        of_sample(|s| s.started.to_string()),
        of_sample(|s| s.wall_s.to_string()),
        outcome.to_owned(),
        outlier.to_owned(),
        cause,
        said.to_owned(),
        of_sample(warnings),
        of_sample(|s| s.raw.clone().unwrap_or_default()),
        of_sample(|s| s.command.join(" ")),
    ];
    fields.extend(metrics.iter().map(|name| metric(name)));
    fields
}
