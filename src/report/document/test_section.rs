//! The section of each test: what it did, its tables, its chart.

use std::collections::{BTreeMap, BTreeSet};

use super::block::{Block, Cell, Column, Level, Meaning, Span, Table};
use super::footnotes::Footnotes;
use super::number_format::NumberFormat;
use super::sweep_table;
use crate::diag;
use crate::plan::{Repeat, Test, ToolSpec};
use crate::report::{CellReport, Report, labels};
use crate::schedule::Param;
use crate::statistics::Summary;
use crate::tools::name;

/// A section for each test that has cells, in the plan's order.
pub fn blocks(report: &Report, notes: &mut Footnotes) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (test, cells) in report.plan.tests.iter().zip(report.cells_by_test()) {
        if cells.is_empty() {
            continue;
        }
        blocks.push(Block::Heading {
            level: Level::Section,
            title: test.name.clone(),
        });
        let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
        blocks.extend(if sizes.len() > 1 {
            sweep_table::blocks(report, test, &cells, &sizes, notes)
        } else {
            single(report, test, &cells, notes)
        });
    }
    blocks
}

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
    let figures = match (&*labels::headline(&test.tool), &test.tool) {
        (name::THROUGHPUT_BPS, _) => format!("{} received", unit),
        (name::TRANSACTIONS_PER_S, ToolSpec::Iperf3(_) | ToolSpec::Netperf(_)) => {
            format!("transactions {}, latency in µs", unit)
        }
        (headline, _) if unit.is_empty() => labels::short(headline),
        (headline, _) => format!("{} in {}", labels::short(headline), unit),
    };
    let mut about = vec![format!(
        "{}, samples of {}; {figures}",
        labels::describe(&test.tool),
        test.timing.duration
    )];
    if let Some(find) = &test.find {
        // Without a rate in the plan, but not without one.
        let what = about.concat().replace(", as fast as it can", "");
        about = vec![format!(
            "{what} at the highest rate that keeps {}, found within {}",
            find.condition, find.within
        )];
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
    if let (Repeat::Until(until), None) = (test.timing.repeat, &test.find) {
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
    if let Some(mark) = notes.mark(cell, labels::tool_name(&test.tool)) {
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

/// What the headline metric is called above its column.
fn column_name(metric: &str) -> String {
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

/// The columns of a table without a sweep, after the headline: metric, title, unit, most decimals.
const METRICS: [(&str, &str, &str, usize); 13] = [
    (name::FOUND_RATE_BPS, "found rate", "Mbit/s", 2),
    (name::LOST_PERCENT, "lost", "%", 2),
    (name::JITTER_US, "jitter", "µs", 1),
    (name::RETRANSMITS, "retrans", "", 0),
    (name::RTT_US, "RTT", "µs", 1),
    (name::LATENCY_MEAN_US, "mean", "µs", 1),
    (name::LATENCY_P50_US, "p50", "µs", 1),
    (name::LATENCY_P90_US, "p90", "µs", 1),
    (name::LATENCY_P99_US, "p99", "µs", 1),
    (name::LATENCY_MAX_US, "max", "µs", 0),
    (name::EFFECTIVE_MSS, "effective", "MSS", 0),
    (name::CPU_PERCENT_CLIENT, "client", "CPU %", 0),
    (name::CPU_PERCENT_SERVER, "server", "CPU %", 0),
];

/// The same of what a declared tool yields beside these and its headline.
fn own(
    tool: &ToolSpec,
    headline: &str,
) -> impl Iterator<Item = (String, String, &'static str, usize)> {
    let declared = match tool {
        ToolSpec::Declared(used) => Some(&used.tool),
        ToolSpec::Iperf3(_) | ToolSpec::Netperf(_) => None,
    };
    declared
        .into_iter()
        .flat_map(|tool| tool.all_metrics())
        .map(|metric| metric.name().to_owned())
        .filter(move |metric| {
            metric != headline && METRICS.iter().all(|(known, ..)| known != metric)
        })
        .map(|metric| {
            let unit = labels::unit_of(&metric);
            (metric.clone(), labels::short(&metric), unit, 2)
        })
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
fn single(
    report: &Report,
    test: &Test,
    cells: &[&CellReport],
    notes: &mut Footnotes,
) -> Vec<Block> {
    let headline = labels::headline(&test.tool);
    let format = HeadlineFormat::new(report, &headline, cells);
    let paths = cells.iter().map(|cell| path_name(report, cell.row));
    let mut columns = vec![Column::words("path", paths.map(str::to_owned))];
    let varying = varying(cells);
    if !varying.is_empty() {
        let with = cells.iter().map(|cell| others(cell, &varying));
        columns.push(Column::words("with", with));
    }
    let keys = columns.len();
    let figures = cells
        .iter()
        .map(|cell| figure(report, test, cell, format, notes));
    columns.push(Column::figures(
        &column_name(&headline),
        format.number.unit,
        figures,
    ));
    let known = METRICS
        .into_iter()
        .filter(|(metric, ..)| *metric != headline)
        .map(|(metric, name, unit, most)| (metric.to_owned(), name.to_owned(), unit, most));
    for (metric, name, unit, most) in known.chain(own(&test.tool, &headline)) {
        let metric = metric.as_str();
        let summaries: Vec<Option<Summary>> =
            cells.iter().map(|cell| cell.measured(metric)).collect();
        let means: Vec<f64> = summaries.iter().flatten().map(|s| s.mean).collect();
        if means.is_empty() || (!labels::is_rate(&headline) && is_aside(metric, &means, cells)) {
            continue;
        }
        let (number, unit) = if labels::is_rate(metric) {
            let number = NumberFormat::headline(metric, &means);
            (number, number.unit)
        } else {
            (NumberFormat::new(&means, 1.0, most, ""), unit)
        };
        let figures = summaries.iter().map(|s| {
            s.as_ref()
                .map_or_else(String::new, |s| number.write(s.mean))
        });
        columns.push(Column::figures(&name, unit, figures));
    }
    let mut about = about(test, format, cells);
    if [name::CPU_PERCENT_CLIENT, name::CPU_PERCENT_SERVER]
        .iter()
        .any(|metric| cells.iter().any(|cell| mean(cell, metric).is_some()))
    {
        about = format!("{about}; {}", labels::cpu_of(&test.tool));
    }
    vec![
        Block::paragraph(Meaning::Plain, about),
        Block::Table(Table {
            columns,
            keys,
            ..Table::default()
        }),
    ]
}
