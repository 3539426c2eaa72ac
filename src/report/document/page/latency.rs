//! Percentiles of latency, and losses.

use std::collections::BTreeSet;

use super::charts::{Quantity, charts as quantity_charts, dot, look};
use super::finding;
use super::row_names::RowNames;
use crate::plan::Test;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::sweep_table::CHARTED_FROM;
use crate::report::document::{Axis, Block, DotPlot, DotRow};
use crate::report::{CellReport, Report, labels};
use crate::tools::name;

/// From the fastest half to the slowest hundredth.
const PERCENTILES: [(&str, &str); 3] = [
    ("p50", name::LATENCY_P50_US),
    ("p90", name::LATENCY_P90_US),
    ("p99", name::LATENCY_P99_US),
];

/// The percentiles of a test that measures latency.
pub fn charts(report: &Report, test: &Test, cells: &[&CellReport]) -> Vec<Block> {
    let headline = test.tool.headline();
    let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
    if sizes.len() >= CHARTED_FROM {
        let beside = [name::LATENCY_P50_US, name::LATENCY_P99_US];
        let beside = beside.into_iter().filter(|metric| **metric != *headline);
        return beside
            .flat_map(|metric| of_metric(report, cells, metric))
            .collect();
    }
    let means: Vec<f64> = PERCENTILES
        .iter()
        .flat_map(|(_, metric)| cells.iter().filter_map(|cell| cell.measured(metric)))
        .map(|summary| summary.mean)
        .collect();
    if means.is_empty() {
        return Vec::new();
    }
    let format = NumberFormat::new(&means, 1.0, 1, labels::unit_of(name::LATENCY_P50_US));
    let names = RowNames::new(cells);
    let rows = cells.iter().map(|cell| {
        let dots = PERCENTILES
            .iter()
            .filter_map(|(word, metric)| Some(dot(word, report.figure(cell, metric)?, format)));
        DotRow {
            name: names.name(report, cell),
            look: look(report, cell.row),
            dots: dots.collect(),
        }
    });
    let mut plot = DotPlot {
        caption: "Latency percentiles".to_owned(),
        x: Axis {
            name: "latency".to_owned(),
            unit: format.unit.to_owned(),
        },
        decimals: format.decimals,
        rows: rows.collect(),
        ..DotPlot::default()
    };
    plot.finding = finding::of_dots(&plot);
    vec![Block::DotPlot(plot)]
}

/// Lost datagrams and jitter, of a test that counts them.
pub fn losses(report: &Report, cells: &[&CellReport]) -> Vec<Block> {
    let metrics = [name::LOST_PERCENT, name::JITTER_US];
    metrics
        .into_iter()
        .flat_map(|metric| of_metric(report, cells, metric))
        .collect()
}

fn of_metric(report: &Report, cells: &[&CellReport], metric: &str) -> Vec<Block> {
    let means: Vec<f64> = cells
        .iter()
        .filter_map(|cell| cell.measured(metric))
        .map(|summary| summary.mean)
        .collect();
    let format = NumberFormat::new(&means, 1.0, 2, labels::unit_of(metric));
    let quantity = Quantity::from_metric(metric, format);
    quantity_charts(report, cells, &quantity, |cell| report.figure(cell, metric))
}
