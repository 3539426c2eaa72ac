//! What all tables of a test share: its introduction, how its headline figures are written, and what its
//! rows are called.

use std::collections::{BTreeMap, BTreeSet};

use super::block::{Cell, Span};
use super::footnotes::Footnotes;
use super::number_format::NumberFormat;
use crate::catalog::Metric;
use crate::diag;
use crate::plan::{Repeat, Test, ToolSpec};
use crate::report::{CellReport, Report, labels};
use crate::schedule::Param;
use crate::tools::name;

/// How the headline's figures of a test are written.
#[derive(Clone, Copy, Debug)]
pub struct HeadlineFormat {
    pub number: NumberFormat,
    /// The fewest and the most samples of its measured cells.
    samples: (usize, usize),
}

impl HeadlineFormat {
    pub fn new(report: &Report, metric: &str, cells: &[&CellReport]) -> HeadlineFormat {
        let means: Vec<f64> = cells
            .iter()
            .filter_map(|cell| report.headline(cell))
            .map(|figure| figure.summary.mean)
            .collect();
        let counts = cells
            .iter()
            .filter_map(|cell| cell.measured(metric))
            .map(|summary| summary.count);
        let least = counts.clone().min().unwrap_or(0);
        HeadlineFormat {
            number: NumberFormat::headline(metric, &means),
            samples: (least, counts.max().unwrap_or(0)),
        }
    }
}

/// What a test is about, and how its figures read.
pub fn about(test: &Test, format: HeadlineFormat, cells: &[&CellReport]) -> String {
    let unit = format.number.unit;
    let figures = match (&*test.tool.headline(), &test.tool) {
        (name::THROUGHPUT_BPS, _) => format!("{unit} received"),
        (name::TRANSACTIONS_PER_S, ToolSpec::BuiltIn(_)) => {
            format!("transactions {unit}, latency in µs")
        }
        (headline, _) if unit.is_empty() => labels::short(headline),
        (headline, _) => format!("{} in {}", labels::short(headline), unit),
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
    match format.samples {
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
            diag::count(misses, "sample"),
            if misses == 1 { "does" } else { "do" }
        ));
    }
    if let (Repeat::Until(until), None) = (&test.timing.repeat, &test.find) {
        let reached = cells.iter().filter(|cell| cell.reached == Some(true));
        let measured = cells.iter().filter(|cell| cell.reached.is_some());
        about.push(format!(
            "; {} of {} known to ±{}",
            reached.count(),
            diag::count(measured.count(), "cell"),
            until.until
        ));
    }
    about.concat()
}

/// The cell's figure with its signs, or the mark that says why there is none.
pub fn figure(
    report: &Report,
    test: &Test,
    cell: &CellReport,
    format: HeadlineFormat,
    notes: &mut Footnotes,
) -> Cell {
    if let Some(mark) = notes.mark(cell, test.tool.name()) {
        return mark.into();
    }
    let Some(figure) = report.headline(cell) else {
        return Span::plain("?").into();
    };
    let mut written = format.number.figure(&figure);
    let (least, most) = format.samples;
    if least != most {
        written.count = format!("×{}", figure.summary.count);
    }
    let outliers = report.outliers(cell).iter().filter(|out| **out).count();
    written.marks = notes.signs(cell, outliers);
    written
}

pub fn path_name(report: &Report, row: usize) -> &str {
    report.row(row).map_or("", |(.., path)| &path.name)
}

pub fn mean(cell: &CellReport, metric: &str) -> Option<f64> {
    Some(cell.measured(metric)?.mean)
}

/// What tells a row from others of its path, of the parameters that vary: `streams=4`.
pub fn others(cell: &CellReport, varying: &BTreeSet<Param>) -> String {
    let others = cell
        .params
        .0
        .iter()
        .filter(|(param, _)| varying.contains(param));
    let others: Vec<String> = others
        .map(|(param, value)| format!("{param}={}", param.value_text(*value)))
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

/// What a declared tool measures; nothing of a built-in one, whose metrics the catalogue has.
pub fn declared_metrics(tool: &ToolSpec) -> impl Iterator<Item = Metric> {
    let declared = match tool {
        ToolSpec::Declared(used) => Some(&used.tool),
        ToolSpec::BuiltIn(_) => None,
    };
    declared.into_iter().flat_map(|tool| tool.all_metrics())
}
