//! The table of a test without a sweep of sizes: paths down, metrics across.

use super::block::{Block, Column, Meaning, Table};
use super::footnotes::Footnotes;
use super::headline::{HeadlineFormat, about, figure, mean, others, path_name, varying};
use super::number_format::NumberFormat;
use crate::plan::{Test, ToolSpec};
use crate::report::{CellReport, Report, labels};
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

/// What the test did, and its table.
pub fn blocks(
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
