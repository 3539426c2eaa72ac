//! A cell of the document.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::report::labels;
use crate::report::warnings::Warnings;
use crate::report::{CellReport, CellState, Figure, Report};
use crate::results::warnings::Kind;
use crate::results::{CommandLine, Warning};
use crate::schedule::Param;
use crate::statistics::Interval;
use crate::tools::{Cause, Metrics, Outages};

/// All figures of a metric.
#[derive(Serialize)]
struct Statistics {
    count: usize,
    mean: f64,
    median: f64,
    min: f64,
    max: f64,
    stddev: Option<f64>,
    cv: Option<f64>,
    interval: Option<Interval>,
}

/// What a search has found.
#[derive(Serialize)]
struct Found {
    /// Of each stream.
    rate_bps: u64,
    /// It is the highest that the plan allows to try; more may be possible.
    at_bound: bool,
}

/// All that is known of a cell.
#[derive(Serialize)]
pub struct Cell<'a> {
    id: &'a str,
    row: usize,
    label: String,
    test: &'a str,
    tool: &'a str,
    path: &'a str,
    /// Its name, in a plan with variants.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    from: &'a str,
    to: &'a str,
    via: &'static str,
    params: Map<String, Value>,
    /// The metric that tables and `result.csv` show.
    headline: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// Whether the interval came within the plan's bound; null where the plan sets none.
    reached: Option<bool>,
    /// What its search has found; null where there is none.
    found: Option<Found>,
    /// Of the samples that count: all, or of a search those at the rate that it has found.
    #[serde(serialize_with = "as_object")]
    statistics: Vec<(&'a str, Statistics)>,
    /// Of any of its samples that count, and those that only show beside other cells.
    warnings: Vec<Kind>,
    samples: Vec<Sample<'a>>,
    failed_attempts: Vec<Attempt<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    cause: Cause,
    words: &'a str,
    /// What netplan knows beside that.
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
}

#[derive(Serialize)]
struct Sample<'a> {
    #[serde(rename = "sample")]
    number: u32,
    attempt: u32,
    /// The rate that a search probed.
    #[serde(skip_serializing_if = "Option::is_none")]
    probed_rate_bps: Option<u64>,
    started: Timestamp,
    wall_s: f64,
    command: &'a CommandLine,
    server_command: &'a CommandLine,
    raw: Option<&'a str>,
    /// Bytes that are missing in the middle of the raw file.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_cut_bytes: Option<u64>,
    metrics: &'a Metrics,
    /// When no answer arrived; only of a probe.
    #[serde(skip_serializing_if = "<[Outages]>::is_empty")]
    outages: &'a [Outages],
    /// Far from the cell's other samples in the headline metric.
    outlier: bool,
    warnings: &'a [Warning],
}

#[derive(Serialize)]
struct Attempt<'a> {
    sample: u32,
    #[serde(rename = "attempt")]
    number: u32,
    #[serde(flatten)]
    failure: Failure<'a>,
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_cut_bytes: Option<u64>,
}

impl From<Figure> for Statistics {
    fn from(Figure { summary, interval }: Figure) -> Statistics {
        Statistics {
            count: summary.count,
            mean: summary.mean,
            median: summary.median,
            min: summary.min,
            max: summary.max,
            stddev: summary.stddev,
            cv: summary.cv,
            interval,
        }
    }
}

impl<'a> Cell<'a> {
    /// `None` for a cell of another plan.
    pub fn new(report: &'a Report, warnings: &Warnings, cell: &'a CellReport) -> Option<Cell<'a>> {
        let (row, test, path) = report.row(cell.row)?;
        let (outcome, failure, reason) = match &cell.state {
            CellState::Measured => ("measured", None, None),
            CellState::Failed(failure) => ("failed", Some(of_failure(failure)), None),
            CellState::Skipped(reason) => ("skipped", None, Some(reason.as_str())),
            CellState::Partial => ("partial", None, None),
            CellState::Missing => ("missing", None, None),
        };
        let outliers = report.outliers(cell);
        Some(Cell {
            id: &cell.id.0,
            row: row.number,
            label: report.schedule.label(&report.plan, row),
            test: &test.name,
            tool: test.tool.name(),
            path: &path.name,
            variant: report.plan.variant_name(path.variant),
            from: &path.from,
            to: &path.to,
            via: labels::via(path.via),
            params: cell
                .params
                .0
                .iter()
                .map(|(param, value)| (param.name().to_owned(), json!(param.plain(*value))))
                .collect(),
            headline: test.tool.headline(),
            outcome,
            failure,
            reason,
            reached: cell.reached,
            found: cell.found.map(|found| Found {
                rate_bps: found.rate_bps,
                at_bound: found.at_bound,
            }),
            statistics: report
                .figures(cell)
                .map(|(metric, figure)| (metric, Statistics::from(figure)))
                .collect(),
            warnings: warnings.kinds(cell),
            samples: cell
                .samples
                .iter()
                .zip(outliers)
                .map(|(s, outlier)| Sample {
                    number: s.sample,
                    attempt: s.attempt,
                    probed_rate_bps: test.find.as_ref().and_then(|_| s.params.get(Param::Rate)),
                    started: s.started,
                    wall_s: s.wall_s,
                    command: &s.command,
                    server_command: &s.server_command,
                    raw: s.raw.as_deref(),
                    raw_cut_bytes: some_bytes(s.raw_cut_bytes),
                    metrics: &s.metrics,
                    outages: &s.outages,
                    outlier,
                    warnings: &s.warnings,
                })
                .collect(),
            failed_attempts: cell
                .failed_attempts
                .iter()
                .map(|a| Attempt {
                    sample: a.sample,
                    number: a.attempt,
                    failure: of_failure(&a.failure),
                    raw: a.raw.as_deref(),
                    raw_cut_bytes: some_bytes(a.raw_cut_bytes),
                })
                .collect(),
        })
    }
}

fn as_object<S: Serializer>(
    members: &[(&str, Statistics)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
}

fn some_bytes(bytes: u64) -> Option<u64> {
    (bytes > 0).then_some(bytes)
}

fn of_failure(failure: &crate::tools::Failure) -> Failure<'_> {
    Failure {
        cause: failure.cause,
        words: &failure.words,
        note: &failure.note,
    }
}
