//! Charts of a quantity over the cells of a test: lines over sizes, or dots by path.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::finding;
use crate::report::document::headline::{others, path_name, varying};
use crate::report::document::number_format::NumberFormat;
use crate::report::document::sweep_table::{CHARTED_FROM, size_axis};
use crate::report::document::{Axis, Block, Chart, Dot, DotPlot, DotRow, Point, Series};
use crate::report::{CellReport, Figure, Report, labels};
use crate::schedule::Param;

/// A test gets so many charts of a quantity; its tables have the rest.
const MOST_CHARTS: usize = 6;

/// What a chart shows.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// What tells its charts from others of the section.
    pub caption: String,
    pub axis: Axis,
    pub format: NumberFormat,
}

impl Quantity {
    /// A metric of the catalog or of a declared tool.
    pub fn from_metric(metric: &str, format: NumberFormat) -> Quantity {
        let name = labels::short(metric);
        Quantity {
            caption: capitalized(&name),
            axis: Axis {
                name,
                unit: format.unit.to_owned(),
            },
            format,
        }
    }

    fn point(&self, x: u64, figure: Option<Figure>) -> Point {
        let divisor = self.format.divisor;
        Point {
            x,
            y: figure.map(|figure| figure.summary.mean / divisor),
            interval: figure
                .and_then(|figure| figure.interval)
                .map(|interval| interval.divided_by(divisor)),
        }
    }
}

/// The charts of a quantity: where the test sweeps a size, a chart of lines for each combination of the other
/// parameters; else a row of dots for each path and combination.
pub fn charts(
    report: &Report,
    cells: &[&CellReport],
    quantity: &Quantity,
    value: impl Fn(&CellReport) -> Option<Figure>,
) -> Vec<Block> {
    if !cells.iter().any(|cell| value(cell).is_some()) {
        return Vec::new();
    }
    let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
    if sizes.len() < CHARTED_FROM {
        return vec![Block::DotPlot(dots(report, cells, quantity, value))];
    }
    let varying = varying(cells);
    let mut groups: IndexMap<String, Vec<&CellReport>> = IndexMap::new();
    for cell in cells {
        groups.entry(others(cell, &varying)).or_default().push(cell);
    }
    let groups = groups.into_iter().take(MOST_CHARTS);
    let charts = groups.map(|(others, group)| {
        let mut caption = quantity.caption.clone();
        if !others.is_empty() {
            caption = format!("{caption}, {others}");
        }
        lines(report, &group, quantity, caption, &value)
    });
    charts.map(Block::Chart).collect()
}

/// A line for each path.
fn lines(
    report: &Report,
    cells: &[&CellReport],
    quantity: &Quantity,
    caption: String,
    value: &impl Fn(&CellReport) -> Option<Figure>,
) -> Chart {
    let mut rows: IndexMap<usize, BTreeMap<u64, Point>> = IndexMap::new();
    for cell in cells {
        if let Some(size) = cell.params.size() {
            let points = rows.entry(cell.row).or_default();
            points.insert(size, quantity.point(size, value(cell)));
        }
    }
    let series: Vec<Series> = rows
        .into_iter()
        .map(|(row, points)| Series {
            name: path_name(report, row).to_owned(),
            look: look(report, row),
            points: points.into_values().collect(),
        })
        .collect();
    let values = series
        .iter()
        .flat_map(|series| &series.points)
        .filter_map(|point| point.y);
    let is_mss = cells
        .iter()
        .any(|cell| cell.params.get(Param::Mss).is_some());
    let mut chart = Chart {
        caption,
        x: size_axis(is_mss),
        y: quantity.axis.clone(),
        top: values.fold(0.0, f64::max),
        decimals: quantity.format.decimals,
        series,
        ..Chart::default()
    };
    chart.finding = finding::of_lines(&chart);
    chart
}

/// A row for each cell.
fn dots(
    report: &Report,
    cells: &[&CellReport],
    quantity: &Quantity,
    value: impl Fn(&CellReport) -> Option<Figure>,
) -> DotPlot {
    let rows = cells.iter().map(|cell| {
        let dot = value(cell).map(|figure| dot("", figure, quantity.format));
        DotRow {
            name: row_name(report, cell, cells),
            look: look(report, cell.row),
            dots: dot.into_iter().collect(),
        }
    });
    let mut plot = DotPlot {
        caption: quantity.caption.clone(),
        x: quantity.axis.clone(),
        decimals: quantity.format.decimals,
        rows: rows.collect(),
        ..DotPlot::default()
    };
    plot.finding = finding::of_dots(&plot);
    plot
}

/// A figure in the unit of a format.
pub fn dot(name: &str, figure: Figure, format: NumberFormat) -> Dot {
    Dot {
        name: name.to_owned(),
        value: figure.summary.mean / format.divisor,
        interval: figure
            .interval
            .map(|interval| interval.divided_by(format.divisor)),
    }
}

/// The path, and what tells the cell from others of it.
pub fn row_name(report: &Report, cell: &CellReport, cells: &[&CellReport]) -> String {
    let mut name = path_name(report, cell.row).to_owned();
    let others = others(cell, &varying(cells));
    let sizes: BTreeSet<Option<u64>> = cells.iter().map(|cell| cell.params.size()).collect();
    if !others.is_empty() {
        name = format!("{name} {others}");
    }
    match cell.params.size() {
        Some(size) if sizes.len() > 1 => format!("{name} {size}"),
        _ => name,
    }
}

/// The text with a capital letter at its beginning.
pub fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    first + chars.as_str()
}

/// A path looks the same in all charts.
pub fn look(report: &Report, row: usize) -> usize {
    report.schedule.rows.get(row).map_or(0, |row| row.path)
}
