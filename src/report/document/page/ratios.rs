//! Each path in percent of its plain counterpart, as charts.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::report::Report;
use crate::report::baseline::{self, Beside};
use crate::report::document::headline::path_name;
use crate::report::document::sweep_table::{CHARTED_FROM, size_axis};
use crate::report::document::{Axis, Block, Chart, Dot, DotPlot, DotRow, Point, Series, TIE};
use crate::schedule::Param;
use crate::statistics::Summary;

/// How many pairs a sentence names.
const NAMED: usize = 4;

/// The share at which a path and its counterpart are alike.
const ALIKE_PERCENT: f64 = 100.0;

/// A chart for each test: lines over sizes, or a row for each pair.
pub fn charts(report: &Report) -> Vec<Block> {
    let all = baseline::compare(report);
    let mut by_test: IndexMap<usize, Vec<&Beside<'_>>> = IndexMap::new();
    for beside in &all {
        if let Some(row) = report.schedule.rows.get(beside.cell.row) {
            by_test.entry(row.test).or_default().push(beside);
        }
    }
    let mut dots = DotPlot {
        caption: "Other tests".to_owned(),
        reference: Some(ALIKE_PERCENT),
        decimals: 1,
        ..DotPlot::default()
    };
    let mut blocks = Vec::new();
    for (test, besides) in by_test {
        let name = report.plan.tests.get(test).map_or("", |test| &*test.name);
        let rows = rows(&besides);
        if rows.values().any(|by_size| by_size.len() >= CHARTED_FROM) {
            blocks.push(Block::Chart(lines(report, name, &besides, rows)));
        } else {
            dots.rows.extend(besides.iter().map(|beside| DotRow {
                name: format!("{name} {}", pair(report, beside)),
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

fn lines(report: &Report, test: &str, besides: &[&Beside<'_>], rows: Rows<'_>) -> Chart {
    let is_mss = besides
        .iter()
        .any(|beside| beside.cell.params.get(Param::Mss).is_some());
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
    let values = series
        .iter()
        .flat_map(|series| &series.points)
        .filter_map(|point| point.y);
    Chart {
        caption: test.to_owned(),
        finding: shortened(&sentences),
        x: size_axis(is_mss),
        y: Axis {
            name: "of the plain path".to_owned(),
            unit: "%".to_owned(),
        },
        top: values.fold(0.0, f64::max),
        reference: Some(ALIKE_PERCENT),
        decimals: 1,
        series,
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
