//! The document, field by field.

use std::io::{self, BufWriter, Write as _};

use serde::Serialize;

use super::{cells, under_load, variants};
use crate::diag::json;
use crate::report::baseline;
use crate::report::gate::{self, Judgement, Origin, Tally};
use crate::report::warnings::Warnings;
use crate::report::{CellReport, Report, RunState};
use crate::results::warnings::Kind;
use crate::statistics::Interval;

/// Of text between two writes.
const BUFFER_BYTES: usize = 64 << 10;

/// The version of this document, in it as `version`.
pub const VERSION: u32 = 2;

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
    let warnings = Warnings::from_report(report);
    let judgements = gate::judge(report);
    let mut fields = Fields {
        writer: BufWriter::with_capacity(BUFFER_BYTES, writer),
        separator: "{",
    };
    fields.put("version", &VERSION)?;
    fields.put("run", &report.run)?;
    fields.put("netplan", &report.netplan)?;
    fields.put("plan", &report.plan.name)?;
    fields.put("description", &report.plan.description)?;
    fields.put("only", &report.only)?;
    let state = match report.state {
        RunState::Complete => "complete",
        RunState::Cancelled => "cancelled",
        RunState::CutOff => "cut_off",
    };
    fields.put("state", &state)?;
    fields.put("started", &report.span.map(|(first, _)| first))?;
    fields.put("ended", &report.span.map(|(_, last)| last))?;
    fields.put("elapsed_s", &report.elapsed_s())?;
    fields.put("counts", &report.counts())?;
    fields.put("cluster", &report.environment.cluster)?;
    fields.put("workers", &report.environment.workers)?;
    fields.put("verdicts", &Tally::new(&judgements))?;
    fields.put("warnings", &summaries(&warnings))?;
    cells::write(report, &warnings, fields.name("cells")?)?;
    if !report.marks.is_empty() {
        fields.put("marks", &report.marks)?;
    }
    fields.put("baselines", &baselines(report))?;
    if report.plan.tests.iter().any(|test| !test.load.is_empty()) {
        fields.put("under_load", &under_load::rows(report))?;
    }
    if !report.plan.variants.is_empty() {
        fields.put("variants", &variants::rows(report))?;
    }
    let expectations: Vec<Expectation<'_>> = judgements.into_iter().map(expectation).collect();
    fields.put("expectations", &expectations)?;
    fields.writer.write_all(b"\n}\n")?;
    fields.writer.flush()
}

/// Writes the document field by field: a report may have very many cells.
struct Fields<W> {
    writer: W,
    /// What is before the next field.
    separator: &'static str,
}

impl<W: io::Write> Fields<W> {
    /// The name of the next field. Its value goes to the writer.
    fn name(&mut self, name: &str) -> io::Result<&mut W> {
        self.writer.write_all(self.separator.as_bytes())?;
        json::new_line(&mut self.writer, 1)?;
        write!(self.writer, "\"{name}\": ")?;
        self.separator = ",";
        Ok(&mut self.writer)
    }

    fn put(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let writer = self.name(name)?;
        Ok(json::write_pretty(writer, value, 1)?)
    }
}

/// All warnings, summed over the cells.
fn summaries(warnings: &Warnings) -> Vec<WarningSummary> {
    let groups = warnings.groups.iter();
    groups
        .map(|group| WarningSummary {
            kind: group.kind,
            cells: group.cells,
            measured: warnings.measured,
            title: group.kind.title(),
            means: group.means,
        })
        .collect()
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
