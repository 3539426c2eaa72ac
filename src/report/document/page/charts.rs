//! Charts of a quantity over the cells of a test: lines over sizes, or dots by path.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::finding;
use super::row_names::RowNames;
use super::section::left_out;
use crate::report::document::headline::path_name;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::sweep_table::{CHARTED_FROM, size_axis};
use crate::report::document::{Axis, Block, Chart, Dot, DotPlot, DotRow, Point, Series};
use crate::report::{CellReport, Figure, Report, labels};

/// A test gets so many charts of a quantity; its tables have the rest.
pub const MOST_CHARTS: usize = 6;

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
    let names = RowNames::new(cells);
    let mut groups: IndexMap<String, Vec<&CellReport>> = IndexMap::new();
    for cell in cells {
        groups.entry(names.others(cell)).or_default().push(cell);
    }
    let more = groups.len().saturating_sub(MOST_CHARTS);
    let groups = groups.into_iter().take(MOST_CHARTS);
    let charts = groups.map(|(others, group)| {
        let caption = caption(&quantity.caption, &others);
        Block::Chart(lines(report, &group, quantity, caption, &value))
    });
    charts.chain(left_out(more, "combination")).collect()
}

/// The caption of a chart, with the parameters that tell its group from others.
pub fn caption(caption: &str, others: &str) -> String {
    if others.is_empty() {
        caption.to_owned()
    } else {
        format!("{caption}, {others}")
    }
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
    let mut chart = Chart {
        caption,
        x: size_axis(cells),
        y: quantity.axis.clone(),
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
    let names = RowNames::new(cells);
    let rows = cells.iter().map(|cell| {
        let dot = value(cell).map(|figure| dot("", figure, quantity.format));
        DotRow {
            name: names.name(report, cell),
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
