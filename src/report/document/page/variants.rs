//! What each variant costs, as charts and tables.

use std::collections::BTreeMap;

use super::section::heading;
use crate::report::compared_metric::word;
use crate::report::document::sweep_table::{CHARTED_FROM, size_axis};
use crate::report::document::{
    Axis, Block, Chart, Dot, DotPlot, DotRow, Fold, Point, Series, variants_table,
};
use crate::report::variants::{Cost, costs};
use crate::report::{CellReport, Report};
use crate::statistics::{ALPHA, Interval, Pairs};

/// The share at which a variant is like the base.
const ALIKE_PERCENT: f64 = 100.0;

/// Nothing in a plan without variants.
pub fn section(report: &Report) -> Vec<Block> {
    let (Some(base), blocks) = (report.plan.variant_name(0), variants_table::blocks(report)) else {
        return Vec::new();
    };
    if blocks.is_empty() {
        return Vec::new();
    }
    let mut section = vec![heading(&format!("Variants beside {base}"))];
    let mut tables = Vec::new();
    for block in blocks {
        match block {
            Block::Heading { .. } => {}
            Block::Table(_) => tables.push(block),
            text => section.push(text),
        }
    }
    section.extend(charts(report, base));
    section.push(Block::Fold(Fold {
        title: "Figures as tables".to_owned(),
        blocks: tables,
    }));
    section
}

/// A chart for each test and metric that decides: lines over sizes, or a row for each path and variant.
fn charts(report: &Report, base: &str) -> Vec<Block> {
    let costs = costs(report);
    let mut by_chart: BTreeMap<(usize, &str), Vec<&Cost<'_>>> = BTreeMap::new();
    for cost in costs.iter().filter(|cost| cost.judgement.is_some()) {
        let charted = by_chart.entry((cost.test, cost.metric.as_str()));
        charted.or_default().push(cost);
    }
    let chart = |((test, metric), costs): ((usize, &str), Vec<&Cost<'_>>)| {
        let name = report.plan.tests.get(test).map_or("", |test| &*test.name);
        let caption = format!("{name} {}", word(metric));
        let axis = Axis {
            name: format!("of {base}"),
            unit: "%".to_owned(),
        };
        if costs.iter().any(|cost| cost.cells.len() >= CHARTED_FROM) {
            Block::Chart(lines(report, caption, axis, &costs))
        } else {
            Block::DotPlot(dots(report, caption, axis, &costs))
        }
    };
    by_chart.into_iter().map(chart).collect()
}

fn lines(report: &Report, caption: String, y: Axis, costs: &[&Cost<'_>]) -> Chart {
    let line = |(look, cost): (usize, &&Cost<'_>)| {
        let point = |(cell, pairs): &(&CellReport, Option<Pairs>)| {
            let dot = pairs.as_ref().map(percent);
            Some(Point {
                x: cell.params.size()?,
                y: dot.as_ref().map(|dot| dot.value),
                interval: dot.and_then(|dot| dot.interval),
            })
        };
        Series {
            name: name(report, cost),
            look,
            points: cost.cells.iter().filter_map(point).collect(),
        }
    };
    let series: Vec<Series> = costs.iter().enumerate().map(line).collect();
    let cells = costs.iter().flat_map(|cost| &cost.cells);
    let cells: Vec<&CellReport> = cells.map(|(cell, _)| *cell).collect();
    Chart {
        caption,
        x: size_axis(&cells),
        y,
        reference: Some(ALIKE_PERCENT),
        decimals: 1,
        series,
        ..Chart::default()
    }
}

fn dots(report: &Report, caption: String, x: Axis, costs: &[&Cost<'_>]) -> DotPlot {
    let row = |(look, cost): (usize, &&Cost<'_>)| DotRow {
        name: name(report, cost),
        look,
        dots: cost.pairs.as_ref().map(percent).into_iter().collect(),
    };
    DotPlot {
        caption,
        x,
        reference: Some(ALIKE_PERCENT),
        decimals: 1,
        rows: costs.iter().enumerate().map(row).collect(),
        ..DotPlot::default()
    }
}

/// `remote-pod policy`.
fn name(report: &Report, cost: &Cost<'_>) -> String {
    let variant = report.plan.variant_name(cost.variant).unwrap_or_default();
    format!("{} {variant}", cost.path)
}

/// The ratio and its interval.
fn percent(pairs: &Pairs) -> Dot {
    let percent = |log: f64| log.exp() * 100.0;
    Dot {
        name: String::new(),
        value: percent(pairs.difference.value),
        interval: pairs.difference.interval(ALPHA).map(|interval| Interval {
            low: percent(interval.low),
            high: percent(interval.high),
        }),
    }
}
