//! The whole report as one JSON document, for programs.
//!
//! Stable: within a version fields are only added. `cells` stand in the order of the schedule; each
//! has its `params`, its `outcome` (`measured`, `failed`, `skipped`, `partial`, `missing`),
//! `statistics` by metric (when measured, if only in part; of a search over the samples at the rate that it
//! has `found`), all `samples` and the attempts that failed. Rates are bits a second;
//! every name carries its unit: mean, median, standard deviation, minimum, maximum and interval are
//! in it, the coefficient of variation is a share of 1. `interval` is the mean's 95 % interval.
//! `baselines` has the ratio of a cell's headline to that of the plain path's, `expectations` what the
//! plan expects of each cell and how it came out (`pass`, `fail`, `undecided`, `not_measured`).

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::diag::json;
use crate::report::Figure;
use crate::report::baseline;
use crate::report::gate::{self, Judgement, Origin, Tally};
use crate::report::labels;
use crate::report::warnings::Warnings;
use crate::report::{CellReport, CellState, Report, RunState};
use crate::results::warnings::Kind;
use crate::results::{Cluster, CommandLine, JoinedWorker, Warning};
use crate::schedule::Param;
use crate::statistics::{Interval, Summary};
use crate::tools::{Cause, Metrics};

/// The version of this document, in it as `version`.
pub const VERSION: u32 = 2;

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
    verdicts: Verdicts,
    /// All warnings, summed over the cells.
    warnings: Vec<WarningSummary>,
    cells: Cells<'a>,
    baselines: Vec<Baseline<'a>>,
    expectations: Vec<Expectation<'a>>,
}

/// The cells, each made when it is written: a report may have very many.
struct Cells<'a> {
    report: &'a Report,
    warnings: &'a Warnings,
}

impl Serialize for Cells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Cells { report, warnings } = self;
        let cells = report.cells.iter();
        serializer.collect_seq(cells.filter_map(|cell| cell_of(report, warnings, cell)))
    }
}

/// How many expectations came out how.
#[derive(Serialize)]
struct Verdicts {
    passed: usize,
    failed: usize,
    undecided: usize,
    not_measured: usize,
}

#[derive(Serialize)]
struct Baseline<'a> {
    cell: &'a str,
    /// The cell of the same test and parameters on the plain path.
    plain: &'a str,
    /// `virtual_ip`, `hairpin` or `pod_network`.
    difference: &'static str,
    metric: String,
    ratio: f64,
    /// The 95 % interval; null when one of the two has a single sample.
    interval: Option<Interval>,
    /// Whether the interval holds 1.
    may_be_alike: Option<bool>,
}

#[derive(Serialize)]
struct Expectation<'a> {
    cell: &'a str,
    /// Who expects: `test` or `path`.
    of: &'static str,
    metric: &'a str,
    expected: String,
    verdict: &'static str,
    /// In the metric's unit; of a bound that is a share of another path, in percent of it.
    found: Option<f64>,
    /// The 95 % interval; null when there is none and the value alone was judged.
    interval: Option<Interval>,
    /// Why there was nothing to judge.
    reason: Option<String>,
}

/// All figures of a metric.
#[derive(Serialize)]
struct Statistics {
    #[serde(flatten)]
    summary: Summary,
    interval: Option<Interval>,
}

#[derive(Serialize)]
struct WarningSummary {
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
    partial: usize,
    missing: usize,
}

/// What a search has found.
#[derive(Serialize)]
struct Found {
    /// Of each stream.
    rate_bps: u64,
    /// It is the highest that the plan allows to try; more may be possible.
    at_bound: bool,
}

#[derive(Serialize)]
struct Cell<'a> {
    id: &'a str,
    row: usize,
    label: String,
    test: &'a str,
    tool: &'a str,
    path: &'a str,
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
    statistics: BTreeMap<&'a str, Statistics>,
    /// Of any of its samples that count, and those that only show beside other cells.
    warnings: Vec<Kind>,
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

/// The report as JSON, with a newline at its end.
///
/// # Errors
/// Never: it writes into memory. The signature keeps the writer's own words.
pub fn render(report: &Report) -> io::Result<String> {
    let mut bytes = Vec::new();
    write(report, &mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// Writes the report as JSON, with a newline at its end.
///
/// # Errors
/// When `writer` fails.
pub fn write(report: &Report, writer: &mut dyn io::Write) -> io::Result<()> {
    let counts = report.counts();
    let judgements = gate::judge(report);
    let tally = Tally::of(&judgements);
    let warnings = Warnings::of(report);
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
            partial: counts.partial,
            missing: counts.missing,
        },
        cluster: report.environment.cluster.as_ref(),
        workers: &report.environment.workers,
        verdicts: Verdicts {
            passed: tally.passed,
            failed: tally.failed,
            undecided: tally.undecided,
            not_measured: tally.not_measured,
        },
        baselines: baselines(report),
        expectations: judgements.into_iter().map(expectation).collect(),
        warnings: warnings
            .groups
            .iter()
            .map(|group| WarningSummary {
                kind: group.kind,
                cells: group.cells,
                measured: warnings.measured,
                title: group.kind.title(),
                means: group.means,
            })
            .collect(),
        cells: Cells {
            report,
            warnings: &warnings,
        },
    };
    json::write_pretty(&mut *writer, &document)?;
    writer.write_all(b"\n")
}

fn baselines(report: &Report) -> Vec<Baseline<'_>> {
    let metric = |cell: &CellReport| {
        let (_, test, _) = report.row(cell.row)?;
        Some(test.tool.headline())
    };
    baseline::compare(report)
        .into_iter()
        .filter_map(|beside| {
            Some(Baseline {
                cell: &beside.cell.id.0,
                plain: &beside.plain.id.0,
                difference: beside.pair.difference.name(),
                metric: metric(beside.cell)?,
                ratio: beside.ratio.value,
                interval: beside.ratio.interval,
                may_be_alike: beside.may_be_alike(),
            })
        })
        .collect()
}

fn expectation(judgement: Judgement<'_>) -> Expectation<'_> {
    let metric = judgement.metric;
    Expectation {
        cell: &judgement.cell.id.0,
        of: match judgement.origin {
            Origin::Test => "test",
            Origin::Path => "path",
        },
        metric: metric.name(),
        expected: judgement.expectation.show(metric.unit()),
        verdict: judgement.verdict.name(),
        found: judgement.found.map(|found| found.value),
        interval: judgement.found.and_then(|found| found.interval),
        reason: judgement.reason,
    }
}

fn cell_of<'a>(report: &'a Report, warnings: &Warnings, cell: &'a CellReport) -> Option<Cell<'a>> {
    let (row, test, path) = report.row(cell.row)?;
    let (outcome, failure, reason) = match &cell.state {
        CellState::Measured => ("measured", None, None),
        CellState::Failed(failure) => ("failed", Some(of_failure(failure)), None),
        CellState::Skipped(reason) => ("skipped", None, Some(reason.as_str())),
        CellState::Partial => ("partial", None, None),
        CellState::Missing => ("missing", None, None),
    };
    let outliers = report.outliers(cell);
    // Each once: a figure is over all samples.
    let metrics = cell.samples.iter().flat_map(|s| s.metrics.iter());
    let metrics: BTreeSet<&str> = metrics.map(|(metric, _)| metric).collect();
    Some(Cell {
        id: &cell.id.0,
        row: row.number,
        label: report.schedule.label(&report.plan, row),
        test: &test.name,
        tool: test.tool.name(),
        path: &path.name,
        from: &path.from,
        to: &path.to,
        via: labels::via(path.via),
        params: cell
            .params
            .0
            .iter()
            .map(|(param, value)| (param.name().to_owned(), Value::from(*value)))
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
        statistics: metrics
            .into_iter()
            .filter_map(|metric| {
                let Figure { summary, interval } = report.figure(cell, metric)?;
                Some((metric, Statistics { summary, interval }))
            })
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

fn some_bytes(bytes: u64) -> Option<u64> {
    (bytes > 0).then_some(bytes)
}

fn of_failure(failure: &crate::tools::Failure) -> Failure<'_> {
    Failure {
        cause: failure.cause,
        words: &failure.words,
    }
}
