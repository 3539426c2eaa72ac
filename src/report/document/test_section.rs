//! What the tables say: a section for each test.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::Notes;
use super::number_format::{Field, Scale, aligned};
use super::sweep_table::swept;
use crate::catalog::{KnownMetric, METRICS, Metric};
use crate::plan::{Repeat, Test, ToolSpec};
use crate::report::fold::{CellReport, Report};
use crate::report::labels;
use crate::report::terminal::layout::{Column, Grid};
use crate::schedule::Param;
use crate::statistics::Summary;
use crate::tools::name;

/// A test's part of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The test's name.
    pub name: String,
    /// What it did and in which unit the figures are.
    pub about: String,
    pub grids: Vec<Grid>,
    /// The shape of each path's sweep, a line each.
    pub sparks: Vec<String>,
}

/// A section for each test that has cells, in the plan's order.
pub fn of(report: &Report, notes: &mut Notes) -> Vec<Section> {
    let mut sections = Vec::new();
    for (test, cells) in report.plan.tests.iter().zip(report.cells_by_test()) {
        let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
        if cells.is_empty() {
            continue;
        }
        sections.push(if sizes.len() > 1 {
            swept(report, test, &cells, &sizes, notes)
        } else {
            single(report, test, &cells, notes)
        });
    }
    sections
}

/// How the headline's figures of a test are written.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    scale: Scale,
    /// The fewest and the most samples of its measured cells.
    samples: (usize, usize),
}

impl Writing {
    pub fn of(scale: Scale, metric: &str, cells: &[&CellReport]) -> Writing {
        let counts = cells
            .iter()
            .filter_map(|cell| cell.measured(metric))
            .map(|summary| summary.count);
        let least = counts.clone().min().unwrap_or(0);
        Writing {
            scale,
            samples: (least, counts.max().unwrap_or(0)),
        }
    }
}

/// What a test is about, and how its figures read.
pub fn about(test: &Test, writing: Writing, cells: &[&CellReport]) -> String {
    let scale = writing.scale;
    let figures = match (&*test.tool.headline(), &test.tool) {
        (name::THROUGHPUT_BPS, _) => format!("{} received", scale.unit),
        (name::TRANSACTIONS_PER_S, ToolSpec::BuiltIn(_)) => {
            format!("transactions {}, latency in µs", scale.unit)
        }
        (headline, _) if scale.unit.is_empty() => labels::short(headline),
        (headline, _) => format!("{} in {}", labels::short(headline), scale.unit),
    };
    let mut about = vec![format!(
        "{}, samples of {}; {figures}",
        labels::describe(&test.tool, test.find.is_some()),
        test.timing.duration
    )];
    if let Some(find) = &test.find {
        about.push(format!(
            " at the highest rate that keeps {}, found within {}",
            find.condition, find.within
        ));
    }
    match writing.samples {
        (_, 0 | 1) => {}
        (least, most) if least == most => {
            about.push(format!(
                ", mean ± half of its 95 % interval, {most} samples"
            ));
        }
        (least, most) => {
            about.push(format!(
                ", mean ± half of its 95 % interval, ×n: {least} to {most} samples"
            ));
        }
    }
    let misses: usize = cells.iter().map(|cell| cell.misses()).sum();
    if misses > 0 {
        about.push(format!(
            "; {} at a found rate missed it and {} not count",
            crate::diag::count(misses, "sample"),
            if misses == 1 { "does" } else { "do" }
        ));
    }
    if let (Repeat::Until(until), None) = (test.timing.repeat, &test.find) {
        let reached = cells.iter().filter(|cell| cell.reached == Some(true));
        let measured = cells.iter().filter(|cell| cell.reached.is_some());
        about.push(format!(
            "; {} of {} known to ±{}",
            reached.count(),
            crate::diag::count(measured.count(), "cell"),
            until.until
        ));
    }
    about.concat()
}

/// The cell's figure with what there is to note of it, or the mark that says why there is none.
pub fn field(
    report: &Report,
    test: &Test,
    cell: &CellReport,
    writing: Writing,
    notes: &mut Notes,
) -> Field {
    if let Some(mark) = notes.mark(cell, test.tool.name()) {
        return mark.into();
    }
    let Some(figure) = report.headline(cell) else {
        return "?".to_owned().into();
    };
    let mut field = writing.scale.figure(&figure);
    let (least, most) = writing.samples;
    if least != most {
        field.count = format!("×{}", figure.summary.count);
    }
    let outliers = report.outliers(cell).iter().filter(|out| **out).count();
    field.marks = notes.signs(cell, outliers);
    field
}

pub fn path_name(report: &Report, row: usize) -> &str {
    report.row(row).map_or("", |(.., path)| &path.name)
}

pub fn mean(cell: &CellReport, metric: &str) -> Option<f64> {
    Some(cell.measured(metric)?.mean)
}

/// What the headline metric is called above its column.
fn said(metric: &str) -> String {
    match metric {
        name::THROUGHPUT_BPS => "received".to_owned(),
        metric => labels::short(metric),
    }
}

/// What tells a row from others of its path, of the parameters that vary: `streams=4`.
pub fn others(cell: &CellReport, varying: &BTreeSet<Param>) -> String {
    let others = cell
        .params
        .0
        .iter()
        .filter(|(param, _)| varying.contains(param));
    let others: Vec<String> = others
        .map(|(param, value)| format!("{param}={}", param.in_words(*value)))
        .collect();
    others.join(" ")
}

/// The parameters beside the size that do not have one value in all cells.
pub fn varying(cells: &[&CellReport]) -> BTreeSet<Param> {
    let mut seen: BTreeMap<Param, u64> = BTreeMap::new();
    let mut varying = BTreeSet::new();
    for (param, value) in cells.iter().flat_map(|cell| &cell.params.0) {
        if *seen.entry(*param).or_insert(*value) != *value {
            varying.insert(*param);
        }
    }
    varying.remove(&Param::Mss);
    varying.remove(&Param::Datagram);
    varying
}

/// A column of a table without a sweep, after the headline.
struct MetricColumn {
    metric: String,
    heading: [String; 2],
    decimals: usize,
}

/// The columns of the catalogue's metrics, then those of a declared tool's own.
fn metric_columns(tool: &ToolSpec, headline: &str) -> Vec<MetricColumn> {
    let known = METRICS.iter().filter_map(|known| {
        let column = known.column?;
        Some(MetricColumn {
            metric: known.name.to_owned(),
            heading: column.heading.map(str::to_owned),
            decimals: column.decimals,
        })
    });
    let has_column = |metric: &Metric| {
        KnownMetric::from_name(metric.name()).is_some_and(|known| known.column.is_some())
    };
    let own = declared_metrics(tool).filter(|metric| !has_column(metric));
    let own = own.map(|metric| MetricColumn {
        heading: [
            labels::short(metric.name()),
            metric.unit().symbol().to_owned(),
        ],
        metric: metric.name().to_owned(),
        decimals: 2,
    });
    let columns = known.chain(own);
    columns.filter(|column| column.metric != headline).collect()
}

/// What a declared tool measures; nothing of a built-in one, whose metrics the catalogue has.
pub fn declared_metrics(tool: &ToolSpec) -> impl Iterator<Item = Metric> {
    let declared = match tool {
        ToolSpec::Declared(used) => Some(&used.tool),
        ToolSpec::BuiltIn(_) => None,
    };
    declared.into_iter().flat_map(|tool| tool.all_metrics())
}

/// Whether a figure of segments would only take room beside latencies.
fn is_aside(metric: &str, means: &[f64], cells: &[&CellReport]) -> bool {
    match metric {
        name::EFFECTIVE_MSS => cells.iter().all(|c| c.params.get(Param::Mss).is_none()),
        name::RETRANSMITS => means.iter().all(|mean| *mean == 0.0),
        _ => false,
    }
}

/// Paths down, metrics across.
fn single(report: &Report, test: &Test, cells: &[&CellReport], notes: &mut Notes) -> Section {
    let headline = test.tool.headline();
    let means: Vec<f64> = cells
        .iter()
        .filter_map(|cell| report.headline(cell))
        .map(|figure| figure.summary.mean)
        .collect();
    let scale = Scale::headline(&headline, &means);
    let writing = Writing::of(scale, &headline, cells);
    let mut grid = Grid::default();
    grid.columns.push(Column {
        name: "path".to_owned(),
        unit: String::new(),
        words: true,
        fields: cells
            .iter()
            .map(|cell| path_name(report, cell.row).to_owned())
            .collect(),
    });
    let varying = varying(cells);
    if !varying.is_empty() {
        grid.columns.push(Column {
            name: "with".to_owned(),
            unit: String::new(),
            words: true,
            fields: cells.iter().map(|cell| others(cell, &varying)).collect(),
        });
    }
    grid.keys = grid.columns.len();
    grid.columns.push(Column {
        name: said(&headline),
        unit: scale.unit.to_owned(),
        words: false,
        fields: aligned(
            &cells
                .iter()
                .map(|cell| field(report, test, cell, writing, notes))
                .collect::<Vec<_>>(),
        ),
    });
    for column in metric_columns(&test.tool, &headline) {
        let metric = column.metric.as_str();
        let summaries: Vec<Option<Summary>> =
            cells.iter().map(|cell| cell.measured(metric)).collect();
        let means: Vec<f64> = summaries.iter().flatten().map(|s| s.mean).collect();
        if means.is_empty() || (!labels::is_rate(&headline) && is_aside(metric, &means, cells)) {
            continue;
        }
        let [name, unit] = column.heading;
        let (scale, unit) = if labels::is_rate(metric) {
            let scale = Scale::headline(metric, &means);
            (scale, scale.unit.to_owned())
        } else {
            (Scale::of(&means, 1.0, column.decimals, ""), unit)
        };
        grid.columns.push(Column {
            name,
            unit,
            words: false,
            fields: summaries
                .iter()
                .map(|s| s.as_ref().map_or_else(String::new, |s| scale.write(s.mean)))
                .collect(),
        });
    }
    let mut about = about(test, writing, cells);
    if [name::CPU_PERCENT_CLIENT, name::CPU_PERCENT_SERVER]
        .iter()
        .any(|metric| cells.iter().any(|cell| mean(cell, metric).is_some()))
    {
        about = format!("{about}; {}", labels::cpu_of(&test.tool));
    }
    Section {
        name: test.name.clone(),
        about,
        grids: vec![grid],
        sparks: Vec::new(),
    }
}
