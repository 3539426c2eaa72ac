//! Each path in percent of its plain counterpart, as charts.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::charts::{MOST_CHARTS, caption};
use super::row_names::RowNames;
use super::section::{MOST_TESTS, left_out};
use crate::report::baseline::{self, Beside};
use crate::report::document::headline::path_name;
use crate::report::document::sweep_table::{CHARTED_FROM, size_axis};
use crate::report::document::{Axis, Block, Chart, Dot, DotPlot, DotRow, Point, Series, TIE};
use crate::report::{CellReport, Report};
use crate::statistics::Summary;

/// How many pairs a sentence names.
const NAMED: usize = 4;

/// The share at which a path and its counterpart are alike.
const ALIKE_PERCENT: f64 = 100.0;

/// The charts of each test: lines over sizes for each combination of the other parameters, or a row for each pair.
pub fn charts(report: &Report) -> Vec<Block> {
    let all = baseline::compare(report);
    let mut by_test: IndexMap<usize, Vec<&Beside<'_>>> = IndexMap::new();
    for beside in &all {
        if let Some(row) = report.schedule.rows.get(beside.cell.row) {
            by_test.entry(row.test).or_default().push(beside);
        }
    }
    let more = by_test.len().saturating_sub(MOST_TESTS);
    let mut dots = DotPlot {
        caption: "Other tests".to_owned(),
        reference: Some(ALIKE_PERCENT),
        decimals: 1,
        ..DotPlot::default()
    };
    let mut blocks = Vec::new();
    for (test, besides) in by_test.into_iter().take(MOST_TESTS) {
        let test = report.plan.tests.get(test).map_or("", |test| &*test.name);
        let cells: Vec<&CellReport> = besides.iter().map(|beside| beside.cell).collect();
        let names = RowNames::new(&cells);
        let mut groups: IndexMap<String, Vec<&Beside<'_>>> = IndexMap::new();
        for beside in &besides {
            let others = names.others(beside.cell);
            groups.entry(others).or_default().push(beside);
        }
        let mut groups: Vec<(String, Rows<'_>)> = groups
            .into_iter()
            .map(|(others, besides)| (others, rows(&besides)))
            .collect();
        let is_long = |rows: &Rows<'_>| rows.values().any(|row| row.len() >= CHARTED_FROM);
        if groups.iter().any(|(_, rows)| is_long(rows)) {
            let more = groups.len().saturating_sub(MOST_CHARTS);
            groups.truncate(MOST_CHARTS);
            let groups = groups.into_iter();
            blocks.extend(groups.map(|(others, rows)| {
                Block::Chart(lines(
                    report,
                    caption(test, &others),
                    size_axis(&cells),
                    rows,
                ))
            }));
            blocks.extend(left_out(more, "combination"));
        } else {
            dots.rows.extend(besides.iter().map(|beside| DotRow {
                name: names.extend(format!("{test} {}", pair(report, beside)), beside.cell),
                look: beside.pair.path,
                dots: vec![dot(beside)],
            }));
        }
    }
    if !dots.rows.is_empty() {
        if blocks.is_empty() {
            dots.caption.clear();
        }
        "of the plain path".clone_into(&mut dots.x.name);
        "%".clone_into(&mut dots.x.unit);
        dots.finding = dots_finding(&dots);
        blocks.push(Block::DotPlot(dots));
    }
    blocks.extend(left_out(more, "test"));
    blocks
}

type Rows<'a> = IndexMap<usize, BTreeMap<u64, &'a Beside<'a>>>;

/// By row and size.
fn rows<'a>(besides: &[&'a Beside<'a>]) -> Rows<'a> {
    let mut rows: Rows<'a> = IndexMap::new();
    for beside in besides {
        if let Some(size) = beside.cell.params.size() {
            rows.entry(beside.cell.row)
                .or_default()
                .insert(size, beside);
        }
    }
    rows
}

/// A line for each path.
fn lines(report: &Report, caption: String, x: Axis, rows: Rows<'_>) -> Chart {
    let mut sentences = Vec::new();
    let series: Vec<Series> = rows
        .into_iter()
        .filter_map(|(_, by_size)| {
            let any = by_size.values().next()?;
            let name = path_name(report, any.cell.row).to_owned();
            let shares = by_size.values().map(|beside| beside.ratio.value * 100.0);
            if let Some(summary) = Summary::from_values(shares) {
                let (low, high) = (format!("{:.0}", summary.min), format!("{:.0}", summary.max));
                let range = if low == high {
                    format!("{low}{TIE}%")
                } else {
                    format!("{low} to {high}{TIE}% (median {:.0}{TIE}%)", summary.median)
                };
                let plain = path_name(report, any.plain.row);
                sentences.push(format!("{name} has {range} of {plain}"));
            }
            Some(Series {
                look: any.pair.path,
                name,
                points: by_size
                    .iter()
                    .map(|(size, beside)| Point {
                        x: *size,
                        y: Some(beside.ratio.value * 100.0),
                        interval: beside
                            .ratio
                            .interval
                            .map(|interval| interval.divided_by(0.01)),
                    })
                    .collect(),
            })
        })
        .collect();
    Chart {
        caption,
        finding: shortened(&sentences),
        x,
        y: Axis {
            name: "of the plain path".to_owned(),
            unit: "%".to_owned(),
        },
        reference: Some(ALIKE_PERCENT),
        decimals: 1,
        series,
        ..Chart::default()
    }
}

fn dot(beside: &Beside<'_>) -> Dot {
    Dot {
        name: String::new(),
        value: beside.ratio.value * 100.0,
        interval: beside
            .ratio
            .interval
            .map(|interval| interval.divided_by(0.01)),
    }
}

fn dots_finding(plot: &DotPlot) -> String {
    let rows = plot.rows.iter().filter_map(|row| {
        let dot = row.dots.first()?;
        let (name, value) = (&row.name, dot.value);
        Some(match dot.interval {
            Some(interval) if interval.contains(ALIKE_PERCENT) => {
                format!("{name} is {value:.1}{TIE}%, and may be alike")
            }
            _ => format!("{name} is {value:.1}{TIE}%"),
        })
    });
    shortened(&rows.collect::<Vec<_>>())
}

/// The first few, as a sentence.
fn shortened(sentences: &[String]) -> String {
    let named = sentences
        .get(..NAMED.min(sentences.len()))
        .unwrap_or_default();
    let mut text = named.join("; ");
    if sentences.len() > NAMED {
        text = format!("{text}; and {} more", sentences.len() - NAMED);
    }
    text + "."
}

/// `remote-service / remote-pod`.
fn pair(report: &Report, beside: &Beside<'_>) -> String {
    let (path, plain) = (beside.cell.row, beside.plain.row);
    format!("{} / {}", path_name(report, path), path_name(report, plain))
}
