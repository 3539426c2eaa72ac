//! What each variant costs, as charts and tables.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::charts::{MOST_CHARTS, caption};
use super::row_names::RowNames;
use super::section::{MOST_TESTS, heading, left_out};
use crate::report::compared_metric::word;
use crate::report::document::sweep_table::{CHARTED_FROM, size_axis};
use crate::report::document::{
    Axis, Block, Chart, Dot, DotPlot, DotRow, Fold, Point, Series, variants_table,
};
use crate::report::variants::{Cost, costs};
use crate::report::{CellReport, Report};
use crate::statistics::Pairs;

/// The share at which a variant is like the base.
const ALIKE_PERCENT: f64 = 100.0;

/// Nothing in a plan without variants.
pub fn section(report: &Report) -> Vec<Block> {
    let costs = costs(report);
    let blocks = variants_table::blocks(report, &costs);
    let Some(base) = report.plan.variant_name(0).filter(|_| !blocks.is_empty()) else {
        return Vec::new();
    };
    let mut section = vec![heading(&format!("Variants beside {base}"))];
    let mut tables = Vec::new();
    for block in blocks {
        match block {
            Block::Heading { .. } => {}
            Block::Table(_) => tables.push(block),
            text => section.push(text),
        }
    }
    section.extend(charts(report, base, &costs));
    if !tables.is_empty() {
        section.push(Block::Fold(Fold {
            title: "Figures as tables".to_owned(),
            blocks: tables,
        }));
    }
    section
}

/// The charts of each test and metric that decides: lines over sizes for each combination of the other parameters, or a
/// row for each path and variant.
fn charts(report: &Report, base: &str, costs: &[Cost<'_>]) -> Vec<Block> {
    let mut by_test: BTreeMap<usize, BTreeMap<&str, Vec<&Cost<'_>>>> = BTreeMap::new();
    for cost in costs.iter().filter(|cost| cost.judgement.is_some()) {
        let by_metric = by_test.entry(cost.test).or_default();
        by_metric.entry(&cost.metric).or_default().push(cost);
    }
    let more = by_test.len().saturating_sub(MOST_TESTS);
    let mut blocks = Vec::new();
    for (test, by_metric) in by_test.into_iter().take(MOST_TESTS) {
        let name = report.plan.tests.get(test).map_or("", |test| &*test.name);
        for (metric, costs) in by_metric {
            let title = format!("{name} {}", word(metric));
            let axis = Axis {
                name: format!("of {base}"),
                unit: "%".to_owned(),
            };
            let cells = costs.iter().flat_map(|cost| &cost.cells);
            let cells: Vec<&CellReport> = cells.map(|(cell, _)| *cell).collect();
            let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
            if sizes.len() < CHARTED_FROM {
                blocks.push(Block::DotPlot(dots(report, title, axis, &costs)));
                continue;
            }
            let x = size_axis(&cells);
            let groups = lines(report, &RowNames::new(&cells), &costs);
            let more = groups.len().saturating_sub(MOST_CHARTS);
            let groups = groups.into_iter().take(MOST_CHARTS);
            blocks.extend(groups.map(|(others, series)| {
                Block::Chart(Chart {
                    caption: caption(&title, &others),
                    x: x.clone(),
                    y: axis.clone(),
                    reference: Some(ALIKE_PERCENT),
                    decimals: 1,
                    series,
                    ..Chart::default()
                })
            }));
            blocks.extend(left_out(more, "combination"));
        }
    }
    blocks.extend(left_out(more, "test"));
    blocks
}

/// The lines of each combination of the parameters beside the size: one for each path and variant.
fn lines(report: &Report, names: &RowNames, costs: &[&Cost<'_>]) -> IndexMap<String, Vec<Series>> {
    let mut groups: IndexMap<String, Vec<Series>> = IndexMap::new();
    for (look, cost) in costs.iter().enumerate() {
        let mut lines: IndexMap<String, BTreeMap<u64, Point>> = IndexMap::new();
        for (cell, pairs) in &cost.cells {
            let Some(x) = cell.params.size() else {
                continue;
            };
            let dot = pairs.as_ref().map(|pairs| percent(report, cost, pairs));
            let point = Point {
                x,
                y: dot.as_ref().map(|dot| dot.value),
                interval: dot.and_then(|dot| dot.interval),
            };
            lines
                .entry(names.others(cell))
                .or_default()
                .insert(x, point);
        }
        for (others, points) in lines {
            groups.entry(others).or_default().push(Series {
                name: name(report, cost),
                look,
                points: points.into_values().collect(),
            });
        }
    }
    groups
}

fn dots(report: &Report, caption: String, x: Axis, costs: &[&Cost<'_>]) -> DotPlot {
    let row = |(look, cost): (usize, &&Cost<'_>)| DotRow {
        name: name(report, cost),
        look,
        dots: cost
            .pairs
            .iter()
            .map(|pairs| percent(report, cost, pairs))
            .collect(),
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
fn percent(report: &Report, cost: &Cost<'_>, pairs: &Pairs) -> Dot {
    let interval = report.ratio_interval(cost.test, pairs);
    Dot {
        name: String::new(),
        value: pairs.ratio() * 100.0,
        interval: interval.map(|interval| interval.divided_by(0.01)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::variants::tests::report;

    const SHARES: [f64; 6] = [0.97, 0.98, 0.96, 0.97, 0.95, 0.99];

    fn charts_of(test: &str) -> Vec<Block> {
        let report = report(test, &SHARES);
        charts(&report, "plain", &costs(&report))
    }

    #[test]
    fn each_combination_of_the_other_parameters_has_a_chart_with_a_value_for_each_size() {
        let found = charts_of("iperf3: { mss: [100, 200, 300, 400], streams: [1, 2] }");
        let mut captions = Vec::new();
        for block in found {
            let Block::Chart(chart) = block else {
                panic!("{block:?}");
            };
            let points: Vec<u64> = chart.series[0].points.iter().map(|point| point.x).collect();
            assert_eq!((chart.series.len(), points), (1, vec![100, 200, 300, 400]));
            captions.push(chart.caption);
        }
        assert_eq!(
            captions,
            ["t throughput, streams=1", "t throughput, streams=2"]
        );
    }

    #[test]
    fn cells_without_enough_sizes_are_rows_of_dots() {
        for test in [
            "iperf3: { streams: [1, 2, 4, 8] }",
            "iperf3: { mss: [100, 200], streams: [1, 2] }",
        ] {
            let found = charts_of(test);
            assert!(matches!(&found[..], [Block::DotPlot(_)]), "{found:?}");
        }
    }

    #[test]
    fn charts_beyond_the_bound_are_counted() {
        let found =
            charts_of("iperf3: { mss: [100, 200, 300, 400], streams: [1, 2, 3, 4, 5, 6, 7, 8] }");
        let charts = found
            .iter()
            .filter(|block| matches!(block, Block::Chart(_)));
        assert_eq!(charts.count(), MOST_CHARTS);
        assert!(matches!(found.last(), Some(Block::Text(_))), "{found:?}");
    }
}
