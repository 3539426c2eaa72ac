//! `samples.csv`: tidy, a row a sample, for people who compute on.
//!
//! A cell without any sample has one row too, with what became of it in `outcome` (`failed`,
//! `skipped`, `missing`), `cause` and `words`; so does a cell that failed after some samples. Fields
//! of figures that a tool does not yield are empty. Units are in the names. `outlier` says whether a
//! sample of a cell that did not fail is far from the cell's others in the headline metric; it
//! still counts. What the test's loads moved is in rows of their own below the samples of the cell,
//! with the outcome `load`, and their number in `load`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};
use std::io;

use super::field;
use crate::plan::{Path, ToolSpec};
use crate::report::labels;
use crate::report::{CellReport, CellState, LoadReport, Report};
use crate::results::environment::host_metrics::{self, End};
use crate::results::{Sample, Warning, warnings};
use crate::schedule::Params;
use crate::tools::name;

/// The columns before the metrics. [`VARIANT`] is one of them in a plan with variants.
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

/// The name of the cell's variant. It follows [`BEFORE_VARIANT`].
const VARIANT: &str = "variant";
const BEFORE_VARIANT: &str = "path";

/// Which load of the test a row is of, counted from 1; only in a plan with loads. It follows [`BEFORE_LOAD`].
const LOAD: &str = "load";
const BEFORE_LOAD: &str = "attempt";

/// The known metrics in their fixed order; what was observed around the sample follows (see
/// `results::environment::host_metrics`), then unknown ones, sorted.
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
    let columns = Columns {
        metrics: metrics(report),
        has_loads: report.plan.tests.iter().any(|test| !test.load.is_empty()),
    };
    let mut rows = Rows {
        writer: csv::Writer::from_writer(writer),
        buffer: String::new(),
    };
    let has_variants = !report.plan.variants.is_empty();
    for title in FIRST.iter().chain(&columns.metrics) {
        rows.text(title)?;
        if columns.has_loads && *title == BEFORE_LOAD {
            rows.text(LOAD)?;
        }
        if has_variants && *title == BEFORE_VARIANT {
            rows.text(VARIANT)?;
        }
    }
    rows.end()?;
    for cell in &report.cells {
        let outliers = report.outliers(cell);
        for (sample, is_outlier) in cell.samples.iter().zip(outliers) {
            rows.start(report, cell, &sample.params)?;
            rows.sample(sample, Kind::Measured { is_outlier }, &columns)?;
        }
        for load in &cell.loads {
            rows.start_load(report, cell, load)?;
            rows.sample(&load.sample, Kind::Load(load.load), &columns)?;
        }
        if cell.samples.is_empty() || matches!(cell.state, CellState::Failed(_)) {
            rows.start(report, cell, &cell.params)?;
            rows.end_of_cell(&cell.state, &columns)?;
        }
    }
    rows.writer.flush()
}

/// The columns of metrics.
fn metrics(report: &Report) -> Vec<&str> {
    let samples = report.cells.iter().flat_map(|cell| {
        let of_loads = cell.loads.iter().map(|load| &load.sample);
        cell.samples.iter().chain(of_loads)
    });
    let seen: BTreeSet<&str> = samples
        .flat_map(|sample| sample.metrics.iter().map(|(metric, _)| metric))
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
    metrics
}

/// The columns that a report has.
struct Columns<'a> {
    metrics: Vec<&'a str>,
    has_loads: bool,
}

/// What a sample is of.
#[derive(Clone, Copy)]
enum Kind {
    Measured {
        is_outlier: bool,
    },
    /// A load of the test, counted from 1.
    Load(u32),
}

/// Writes rows field by field, with one buffer for all: there are very many fields.
struct Rows<W: io::Write> {
    writer: csv::Writer<W>,
    buffer: String,
}

impl<W: io::Write> Rows<W> {
    /// A field of text.
    fn text(&mut self, text: &str) -> io::Result<()> {
        let field = field::field(text);
        Ok(self.writer.write_field(field.as_bytes())?)
    }

    /// A field of text from parts.
    fn parts<T: Display>(
        &mut self,
        separator: &str,
        parts: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        for (at, part) in parts.into_iter().enumerate() {
            // Writing into a String cannot fail.
            let _ = write!(buffer, "{}{part}", if at == 0 { "" } else { separator });
        }
        self.text(&buffer)?;
        self.buffer = buffer;
        Ok(())
    }

    /// A field that needs no escape, or an empty one.
    fn value(&mut self, value: Option<impl Display>) -> io::Result<()> {
        self.buffer.clear();
        if let Some(value) = value {
            let _ = write!(self.buffer, "{value}");
        }
        Ok(self.writer.write_field(self.buffer.as_bytes())?)
    }

    fn empty(&mut self, fields: usize) -> io::Result<()> {
        (0..fields).try_for_each(|_| self.text(""))
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    /// What all rows of a cell have. The probes of a search have parameters of their own.
    fn start(&mut self, report: &Report, cell: &CellReport, params: &Params) -> io::Result<()> {
        let row = report.row(cell.row);
        let measured = row.map(|(_, test, path)| (&test.tool, path));
        self.first(report, cell, measured)?;
        self.params(params)?;
        self.value(cell.params.size())
    }

    /// The same of a load, with the path and the tool that are its own.
    fn start_load(
        &mut self,
        report: &Report,
        cell: &CellReport,
        load: &LoadReport,
    ) -> io::Result<()> {
        let own = report.row(cell.row).and_then(|(row, test, _)| {
            let loads = report.plan.loads_of(test, row.variant());
            let load = *loads.get(usize::try_from(load.load).ok()?.checked_sub(1)?)?;
            Some((load.tool, report.plan.paths.get(load.path)?))
        });
        self.first(report, cell, own)?;
        self.params(&load.sample.params)?;
        self.value(load.sample.params.size())
    }

    fn first(
        &mut self,
        report: &Report,
        cell: &CellReport,
        tool_and_path: Option<(&ToolSpec, &Path)>,
    ) -> io::Result<()> {
        self.text(&report.run)?;
        self.text(&cell.id.0)?;
        if let (Some((row, test, _)), Some((tool, path))) = (report.row(cell.row), tool_and_path) {
            self.value(Some(row.number))?;
            self.text(&test.name)?;
            self.text(&path.name)?;
            if let Some(variant) = report.plan.variant_name(path.variant) {
                self.text(variant)?;
            }
            self.text(tool.name())?;
            self.text(labels::via(path.via))?;
            self.text(&path.from)?;
            self.text(&path.to)
        } else {
            self.value(Some(0))?;
            self.empty(6 + usize::from(!report.plan.variants.is_empty()))
        }
    }

    fn params(&mut self, params: &Params) -> io::Result<()> {
        let params = params.0.iter();
        self.parts(
            ",",
            params.map(|(param, value)| format!("{param}={}", param.plain(*value))),
        )
    }

    fn sample(&mut self, sample: &Sample, kind: Kind, columns: &Columns<'_>) -> io::Result<()> {
        let (load, outcome, outlier) = match kind {
            Kind::Measured { is_outlier } => {
                (None, "measured", if is_outlier { "yes" } else { "no" })
            }
            Kind::Load(load) => (Some(load), "load", ""),
        };
        self.value(sample.metrics.get(name::EFFECTIVE_MSS))?;
        self.value(Some(sample.sample))?;
        self.value(Some(sample.attempt))?;
        if columns.has_loads {
            self.value(load)?;
        }
        self.value(Some(sample.started))?;
        self.value(Some(sample.wall_s))?;
        self.text(outcome)?;
        self.text(outlier)?;
        self.empty(2)?;
        let warnings: BTreeSet<warnings::Kind> =
            sample.warnings.iter().map(Warning::kind).collect();
        self.parts(" ", warnings.into_iter().map(warnings::Kind::name))?;
        self.text(sample.raw.as_deref().unwrap_or_default())?;
        self.parts(" ", &*sample.command)?;
        for metric in &columns.metrics {
            self.value(sample.metrics.get(metric))?;
        }
        self.end()
    }

    /// The row that says how a cell ended.
    fn end_of_cell(&mut self, state: &CellState, columns: &Columns<'_>) -> io::Result<()> {
        let (outcome, cause, text) = match state {
            CellState::Measured | CellState::Partial => ("measured", "", "".into()),
            CellState::Failed(failure) => {
                ("failed", failure.cause.name(), failure.words_and_note())
            }
            CellState::Skipped(reason) => ("skipped", "", Cow::Borrowed(&**reason)),
            CellState::Missing => ("missing", "", "".into()),
        };
        self.empty(5 + usize::from(columns.has_loads))?;
        self.text(outcome)?;
        self.empty(1)?;
        self.text(cause)?;
        self.text(&text)?;
        self.empty(3 + columns.metrics.len())?;
        self.end()
    }
}
