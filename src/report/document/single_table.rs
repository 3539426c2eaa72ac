//! The table of a test without a sweep of sizes: paths down, metrics across.

use super::block::{Block, Cell, Column, Meaning, Table};
use super::footnotes::Footnotes;
use super::headline::{
    HeadlineFormat, about, declared_metrics, figure, mean, others, path_name, varying,
};
use super::number_format::NumberFormat;
use crate::catalog::{KnownMetric, METRICS, Metric};
use crate::plan::{Test, ToolSpec};
use crate::report::{CellReport, Report, labels, within};
use crate::schedule::Param;
use crate::statistics::Summary;
use crate::tools::name;

/// What the headline metric is called above its column.
fn column_name(metric: &str) -> String {
    match metric {
        name::THROUGHPUT_BPS => "received".to_owned(),
        metric => labels::short(metric),
    }
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
    columns
        .filter(|column| column.metric != headline && labels::has_table(tool, &column.metric))
        .collect()
}

/// Whether a figure of segments would only take room beside latencies.
fn is_aside(metric: &str, means: &[f64], cells: &[&CellReport]) -> bool {
    match metric {
        name::EFFECTIVE_MSS => cells.iter().all(|c| c.params.get(Param::Mss).is_none()),
        name::RETRANSMITS => means.iter().all(|mean| *mean == 0.0),
        _ => false,
    }
}

/// A curve has so many steps.
const CURVE_STEPS: u32 = 20;

/// The rates within the samples, where the test records them.
fn curves(test: &Test, headline: &str, cells: &[&CellReport]) -> Option<Column> {
    let length = test.timing.intervals?.0;
    let step = (test.timing.duration.0 / CURVE_STEPS).max(length);
    let curve = |cell: &&CellReport| Cell {
        trend: within::headline_steps(cell, headline, step.as_secs_f64()),
        ..Cell::default()
    };
    let cells: Vec<Cell> = cells.iter().map(curve).collect();
    cells
        .iter()
        .any(|cell| !cell.trend.is_empty())
        .then(|| Column {
            name: "within samples".to_owned(),
            cells,
            ..Column::default()
        })
}

/// What the test did, and its table.
pub fn blocks(
    report: &Report,
    test: &Test,
    cells: &[&CellReport],
    notes: &mut Footnotes,
) -> Vec<Block> {
    let headline = test.tool.headline();
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
    for column in metric_columns(&test.tool, &headline) {
        let metric = column.metric.as_str();
        let [name, unit] = column.heading;
        let summaries: Vec<Option<Summary>> =
            cells.iter().map(|cell| cell.measured(metric)).collect();
        let means: Vec<f64> = summaries.iter().flatten().map(|s| s.mean).collect();
        if means.is_empty() || (!labels::is_rate(&headline) && is_aside(metric, &means, cells)) {
            continue;
        }
        let (number, unit) = if labels::is_rate(metric) {
            let number = NumberFormat::headline(metric, &means);
            (number, number.unit.to_owned())
        } else {
            (NumberFormat::new(&means, 1.0, column.decimals, ""), unit)
        };
        let figures = summaries.iter().map(|s| {
            s.as_ref()
                .map_or_else(String::new, |s| number.write(s.mean))
        });
        columns.push(Column::figures(&name, &unit, figures));
    }
    columns.extend(curves(test, &headline, cells));
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
