//! The whole report as one JSON document, for programs.
//!
//! Stable: within a version fields are only added. `cells` stand in the order of the schedule; each
//! has its `params`, its `outcome` (`measured`, `failed`, `skipped`, `missing`), `statistics` by
//! metric (only when measured), all `samples` and the attempts that failed. Rates are bits a second;
//! every name carries its unit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::doubts::Doubts;
use super::fold::{CellReport, CellState, Report, RunState};
use super::words;
use crate::results::doubts::Kind;
use crate::results::{Cluster, Doubt, JoinedWorker, Summary};
use crate::tools::{Cause, Metrics};

/// The version of this document, in it as `version`.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    run: &'a str,
    netplan: &'a str,
    plan: &'a str,
    description: Option<&'a str>,
    only: Option<&'a str>,
    /// `complete`, `cancelled` or `cut_off`.
    state: &'static str,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    elapsed_s: Option<f64>,
    counts: Counts,
    cluster: Option<&'a Cluster>,
    workers: &'a BTreeMap<String, JoinedWorker>,
    /// What there is to doubt, over all cells.
    doubts: Vec<Doubted>,
    cells: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct Doubted {
    kind: Kind,
    /// How many cells, of how many that were measured.
    cells: usize,
    measured: usize,
    title: &'static str,
    /// What it means for the figures.
    means: &'static str,
}

#[derive(Serialize)]
struct Counts {
    cells: usize,
    measured: usize,
    failed: usize,
    skipped: usize,
    missing: usize,
}

#[derive(Serialize)]
struct Cell<'a> {
    id: &'a str,
    row: usize,
    label: String,
    test: &'a str,
    tool: &'static str,
    path: &'a str,
    from: &'a str,
    to: &'a str,
    via: &'static str,
    params: Map<String, Value>,
    /// The metric that tables and `result.csv` show.
    headline: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    statistics: BTreeMap<&'a str, Summary>,
    /// Of any of its samples, and those that only show beside other cells.
    doubts: Vec<Kind>,
    samples: Vec<Sample<'a>>,
    failed_attempts: Vec<Attempt<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    cause: Cause,
    words: &'a str,
}

#[derive(Serialize)]
struct Sample<'a> {
    #[serde(rename = "sample")]
    number: u32,
    attempt: u32,
    started: Timestamp,
    wall_s: f64,
    command: &'a [String],
    server_command: &'a [String],
    raw: Option<&'a str>,
    metrics: &'a Metrics,
    doubts: &'a [Doubt],
}

#[derive(Serialize)]
struct Attempt<'a> {
    sample: u32,
    #[serde(rename = "attempt")]
    number: u32,
    #[serde(flatten)]
    failure: Failure<'a>,
    raw: Option<&'a str>,
}

/// The report as JSON, with a newline at its end.
///
/// # Errors
/// Never: all maps have strings for keys. The signature keeps the writer's own words.
pub fn render(report: &Report) -> serde_json::Result<String> {
    let counts = report.counts();
    let doubts = Doubts::of(report);
    let document = Document {
        version: VERSION,
        run: &report.run,
        netplan: &report.netplan,
        plan: &report.plan.name,
        description: report.plan.description.as_deref(),
        only: report.only.as_deref(),
        state: match report.state {
            RunState::Complete => "complete",
            RunState::Cancelled => "cancelled",
            RunState::CutOff => "cut_off",
        },
        started: report.span.map(|(first, _)| first),
        ended: report.span.map(|(_, last)| last),
        elapsed_s: report.elapsed_s(),
        counts: Counts {
            cells: counts.cells,
            measured: counts.measured,
            failed: counts.failed,
            skipped: counts.skipped,
            missing: counts.missing,
        },
        cluster: report.environment.cluster.as_ref(),
        workers: &report.environment.workers,
        doubts: doubts
            .groups
            .iter()
            .map(|group| Doubted {
                kind: group.kind,
                cells: group.cells,
                measured: doubts.measured,
                title: group.kind.title(),
                means: group.means,
            })
            .collect(),
        cells: report
            .cells
            .iter()
            .filter_map(|cell| cell_of(report, &doubts, cell))
            .collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn cell_of<'a>(report: &'a Report, doubts: &Doubts, cell: &'a CellReport) -> Option<Cell<'a>> {
    let (row, test, path) = report.row(cell.row)?;
    let (outcome, failure, reason) = match &cell.state {
        CellState::Measured => ("measured", None, None),
        CellState::Failed(failure) => ("failed", Some(of_failure(failure)), None),
        CellState::Skipped(reason) => ("skipped", None, Some(reason.as_str())),
        CellState::Missing => ("missing", None, None),
    };
    let names = cell.samples.iter().flat_map(|s| s.metrics.iter());
    Some(Cell {
        id: &cell.id.0,
        row: row.number,
        label: report.schedule.label(&report.plan, row),
        test: &test.name,
        tool: words::tool_name(&test.tool),
        path: &path.name,
        from: &path.from,
        to: &path.to,
        via: words::via(path.via),
        params: cell
            .params
            .0
            .iter()
            .map(|(param, value)| (param.name().to_owned(), Value::from(*value)))
            .collect(),
        headline: words::headline(&test.tool),
        outcome,
        failure,
        reason,
        statistics: names
            .filter_map(|(metric, _)| Some((metric, cell.measured(metric)?)))
            .collect(),
        doubts: doubts.kinds(cell),
        samples: cell
            .samples
            .iter()
            .map(|s| Sample {
                number: s.sample,
                attempt: s.attempt,
                started: s.started,
                wall_s: s.wall_s,
                command: &s.command,
                server_command: &s.server_command,
                raw: s.raw.as_deref(),
                metrics: &s.metrics,
                doubts: &s.doubts,
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
            })
            .collect(),
    })
}

fn of_failure(failure: &crate::tools::Failure) -> Failure<'_> {
    Failure {
        cause: failure.cause,
        words: &failure.words,
    }
}
