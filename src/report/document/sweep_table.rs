//! The tables and the chart of a test that sweeps a size: sizes down, paths across.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::block::{Block, Cell, Column, Meaning, Table};
use super::chart::{Axis, Chart, Point, Series};
use super::footnotes::Footnotes;
use super::headline::declared_metrics;
use super::headline::{HeadlineFormat, about, figure, mean, others, path_name, varying};
use super::number_format::NumberFormat;
use crate::catalog::{KnownMetric, METRICS, Metric};
use crate::plan::{Test, ToolSpec};
use crate::report::{CellReport, Report, labels};
use crate::schedule::Param;
use crate::statistics::Summary;
use crate::tools::name;

/// The shortest sweep that is charted: the shape of a shorter one says no more than its figures.
pub const CHARTED_FROM: usize = 4;

/// Sizes down, paths across; a table for each combination of the other parameters. The chart has the
/// shape of each path's sweep.
pub fn blocks(
    report: &Report,
    test: &Test,
    cells: &[&CellReport],
    sizes: &BTreeSet<u64>,
    notes: &mut Footnotes,
) -> Vec<Block> {
    let metric = test.tool.headline();
    let format = HeadlineFormat::new(report, &metric, cells);
    // Rows (one for each path and combination) by combination, in the schedule's order.
    let mut groups: IndexMap<String, IndexMap<usize, BySize<'_>>> = IndexMap::new();
    let varying = varying(cells);
    for cell in cells {
        let group = groups.entry(others(cell, &varying)).or_default();
        let row = group.entry(cell.row).or_default();
        row.extend(cell.params.size().map(|size| (size, *cell)));
    }
    let mut blocks = vec![Block::paragraph(Meaning::Plain, about(test, format, cells))];
    let mut series = Vec::new();
    for (others, rows) in &groups {
        let across = Across::new(report, sizes, is_mss(cells), rows);
        blocks.push(across.table(others, |cell| figure(report, test, cell, format, notes)));
        for (beside, title, most) in beside(&test.tool, &metric) {
            let means: Vec<f64> = across
                .cells()
                .filter_map(|cell| mean(cell, &beside))
                .collect();
            if means.is_empty() {
                continue;
            }
            let number = if labels::is_rate(&beside) {
                NumberFormat::headline(&beside, &means)
            } else {
                NumberFormat::new(&means, 1.0, most, labels::unit_of(&beside))
            };
            let unit = match number.unit {
                "" => String::new(),
                // A rate of events: `packets a second`.
                unit if unit.starts_with("a ") => format!(" {unit}"),
                unit => format!(", in {unit}"),
            };
            let caption = format!("{others} {title}{unit}").trim().to_owned();
            blocks.push(across.table(&caption, |cell| {
                mean(cell, &beside).map_or_else(Cell::default, |mean| number.write(mean).into())
            }));
        }
        for (row, by_size) in rows
            .iter()
            .filter(|(_, by_size)| by_size.len() >= CHARTED_FROM)
        {
            let path = path_name(report, *row);
            let point = |(size, cell): (&u64, &&CellReport)| {
                let figure = report.headline(cell);
                Point {
                    x: *size,
                    y: figure.map(|figure| figure.summary.mean / format.number.divisor),
                    interval: figure
                        .and_then(|figure| figure.interval)
                        .map(|interval| interval.divided_by(format.number.divisor)),
                }
            };
            series.push(Series {
                name: if groups.len() > 1 {
                    format!("{path} {others}")
                } else {
                    path.to_owned()
                },
                look: series.len(),
                points: by_size.iter().map(point).collect(),
            });
        }
    }
    if !series.is_empty() {
        blocks.push(Block::Chart(Chart {
            x: size_axis(cells),
            y: Axis {
                name: labels::short(&metric),
                unit: format.number.unit.to_owned(),
            },
            decimals: format.number.decimals,
            series,
            ..Chart::default()
        }));
    }
    blocks
}

/// The axis of the sizes that cells have.
pub fn size_axis(cells: &[&CellReport]) -> Axis {
    Axis {
        name: if is_mss(cells) { "MSS" } else { "datagram" }.to_owned(),
        unit: "bytes".to_owned(),
    }
}

/// Whether the sizes are those of segments.
fn is_mss(cells: &[&CellReport]) -> bool {
    cells
        .iter()
        .any(|cell| cell.params.get(Param::Mss).is_some())
}

/// The metrics that get a table of their own beside that of the headline, with caption and most
/// decimals: the catalogue's, and what a declared tool yields besides.
fn beside(tool: &ToolSpec, headline: &str) -> Vec<(String, String, usize)> {
    let known = METRICS.iter().filter_map(|known| {
        let decimals = known.column.map_or(2, |column| column.decimals);
        let caption = known.sweep_caption?;
        Some((known.name.to_owned(), caption.to_owned(), decimals))
    });
    let has_grid = |metric: &Metric| {
        KnownMetric::from_name(metric.name()).is_some_and(|known| known.sweep_caption.is_some())
    };
    let own = declared_metrics(tool)
        .filter(|metric| !has_grid(metric))
        .map(|metric| (metric.name().to_owned(), labels::short(metric.name()), 2));
    let all = known.chain(own);
    all.filter(|(metric, ..)| metric != headline && labels::has_table(tool, metric))
        .collect()
}

/// The cells of a row by size.
type BySize<'a> = BTreeMap<u64, &'a CellReport>;

/// Some rows of a sweep, side by side.
struct Across<'a> {
    report: &'a Report,
    sizes: &'a BTreeSet<u64>,
    keys: Vec<Column>,
    /// By the row's index.
    rows: &'a IndexMap<usize, BySize<'a>>,
}

impl<'a> Across<'a> {
    fn new(
        report: &'a Report,
        sizes: &'a BTreeSet<u64>,
        is_mss: bool,
        rows: &'a IndexMap<usize, BySize<'a>>,
    ) -> Self {
        let asked = sizes.iter().map(u64::to_string);
        let keys = if is_mss {
            let effective = sizes.iter().map(|size| effective(rows, *size));
            vec![
                Column::figures("asked", "MSS", asked),
                Column::figures("effective", "MSS", effective),
            ]
        } else {
            vec![Column::figures("datagram", "bytes", asked)]
        };
        Self {
            report,
            sizes,
            keys,
            rows,
        }
    }

    /// Sizes down, paths across.
    fn table(&self, caption: &str, mut figure: impl FnMut(&CellReport) -> Cell) -> Block {
        let mut columns = self.keys.clone();
        columns.extend(self.rows.iter().map(|(row, by_size)| {
            let figures = self.sizes.iter().map(|size| {
                let cell = by_size.get(size);
                cell.map_or_else(Cell::default, |cell| figure(cell))
            });
            Column::figures(path_name(self.report, *row), "", figures)
        }));
        Block::Table(Table {
            caption: caption.to_owned(),
            columns,
            keys: self.keys.len(),
            ..Table::default()
        })
    }

    fn cells(&self) -> impl Iterator<Item = &CellReport> {
        self.rows
            .iter()
            .flat_map(|(_, by_size)| by_size.values().copied())
    }
}

/// The effective MSS at a requested one: one figure, or the range over paths and samples.
fn effective(rows: &IndexMap<usize, BySize<'_>>, size: u64) -> String {
    let found = rows
        .values()
        .filter_map(|by_size| by_size.get(&size))
        .flat_map(|cell| &cell.samples)
        .filter_map(|sample| sample.metrics.get(name::EFFECTIVE_MSS));
    match Summary::from_values(found) {
        None => String::new(),
        Some(s) if s.min.to_bits() == s.max.to_bits() => format!("{:.0}", s.min),
        Some(s) => format!("{:.0}..{:.0}", s.min, s.max),
    }
}
