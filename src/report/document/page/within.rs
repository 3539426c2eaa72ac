//! Charts of the figures within samples.

use indexmap::IndexMap;

use super::charts::{MOST_CHARTS, caption, look};
use super::row_names::RowNames;
use super::section::left_out_but_in;
use crate::catalog::{Better, KnownMetric, better};
use crate::plan::Test;
use crate::report::document::headline::path_name;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Axis, Bands, Block, Chart, Point, Series};
use crate::report::within::{self, Step};
use crate::report::{CellReport, Report, labels};

/// The figures of a cell over the time.
struct CellFigures<'a> {
    cell: &'a CellReport,
    steps: Vec<Option<Step>>,
}

/// The worst figure of any sample of a cell.
struct Worst {
    value: f64,
    at_s: f64,
    /// Of the mean: 0 to 1 for what is too low, above for what is too high.
    share: f64,
}

impl Worst {
    /// How far it is from the mean, whichever way.
    fn distance(&self) -> f64 {
        self.share.ln().abs()
    }
}

impl CellFigures<'_> {
    fn worst(&self, better: Better) -> Option<Worst> {
        let known = || self.steps.iter().flatten();
        let is_high = better == Better::Less;
        let worst_of = |step: &Step| match step.range {
            Some(range) if is_high => range.high,
            Some(range) => range.low,
            None => step.value,
        };
        let is_worse = |a: f64, b: f64| if is_high { a > b } else { a < b };
        let worst = known().reduce(|a, b| {
            if is_worse(worst_of(b), worst_of(a)) {
                b
            } else {
                a
            }
        })?;
        let mean = known().map(|step| step.value).sum::<f64>() / known().count() as f64;
        let value = worst_of(worst);
        Some(Worst {
            value,
            at_s: worst.at_s,
            share: if mean > 0.0 { value / mean } else { 1.0 },
        })
    }
}

/// A chart for each metric and combination of parameters, those with the worst intervals first: a line for each path. What
/// never happened has none.
pub fn charts(report: &Report, test: &Test, cells: &[&CellReport]) -> Vec<Block> {
    let Some(length) = test.timing.intervals else {
        return Vec::new();
    };
    let names = RowNames::new(cells);
    let mut metrics: IndexMap<&str, IndexMap<String, Vec<CellFigures<'_>>>> = IndexMap::new();
    for cell in cells {
        let others = names.extend(String::new(), cell).trim().to_owned();
        for metric in within::metrics(cell) {
            let steps = within::steps(cell, metric, length.0.as_secs_f64());
            if steps.iter().any(Option::is_some) {
                let groups = metrics.entry(metric).or_default();
                let group = groups.entry(others.clone()).or_default();
                group.push(CellFigures { cell, steps });
            }
        }
    }
    let mut more = 0;
    let mut blocks = Vec::new();
    for (metric, mut groups) in metrics {
        groups.retain(|_, group| !may_be_left_out(metric, group));
        let worst = |group: &[CellFigures<'_>]| {
            let worst = group
                .iter()
                .filter_map(|figures| figures.worst(better(metric)));
            worst.map(|worst| worst.distance()).fold(0.0, f64::max)
        };
        groups.sort_by(|_, a, _, b| worst(b).total_cmp(&worst(a)));
        more += groups.len().saturating_sub(MOST_CHARTS);
        let title = format!("{} within samples", labels::short(metric));
        let title = super::charts::capitalized(&title);
        let charts = groups.into_iter().take(MOST_CHARTS).map(|(others, group)| {
            Block::Chart(chart(
                report,
                metric,
                length.0.as_secs_f64(),
                caption(&title, &others),
                &group,
            ))
        });
        blocks.extend(charts);
    }
    blocks.extend(left_out_but_in("`series.csv`", more, "combination"));
    blocks
}

/// Whether the metric counts what did not happen at all.
fn may_be_left_out(metric: &str, group: &[CellFigures<'_>]) -> bool {
    let known = KnownMetric::from_name(metric);
    let mut steps = group
        .iter()
        .flat_map(|figures| figures.steps.iter().flatten());
    let happened = |step: &Step| step.range.map_or(step.value, |range| range.high) > 0.0;
    known.is_some_and(|known| known.may_be_zero) && !steps.any(happened)
}

fn chart(
    report: &Report,
    metric: &str,
    length_s: f64,
    caption: String,
    group: &[CellFigures<'_>],
) -> Chart {
    let values: Vec<f64> = group
        .iter()
        .flat_map(|figures| figures.steps.iter().flatten().map(|step| step.value))
        .collect();
    // Figures of an interval may be far below the others.
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let format = NumberFormat::headline(metric, &[mean]);
    let series = group.iter().map(|figures| Series {
        name: path_name(report, figures.cell.row).to_owned(),
        look: look(report, figures.cell.row),
        points: points(&figures.steps, length_s, format.divisor),
    });
    Chart {
        caption,
        finding: finding(report, metric, group, format),
        x: Axis {
            name: "time".to_owned(),
            unit: "ms".to_owned(),
        },
        y: Axis {
            name: labels::short(metric),
            unit: format.unit.to_owned(),
        },
        decimals: format.decimals,
        bands: Bands::Range,
        series: series.collect(),
        ..Chart::default()
    }
}

/// From the first step that has a figure; one without a figure after it stays without.
fn points(steps: &[Option<Step>], length_s: f64, divisor: f64) -> Vec<Point> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time within a sample"
    )]
    let ms = |at_s: f64| (at_s * 1e3).round() as u64;
    let steps = steps.iter().enumerate();
    let point = |(index, step): (usize, &Option<Step>)| Point {
        x: ms((index as f64 + 0.5) * length_s),
        y: step.map(|step| step.value / divisor),
        interval: step.and_then(|step| step.range.map(|range| range.divided_by(divisor))),
    };
    steps
        .skip_while(|(_, step)| step.is_none())
        .map(point)
        .collect()
}

fn finding(
    report: &Report,
    metric: &str,
    group: &[CellFigures<'_>],
    format: NumberFormat,
) -> String {
    let better = better(metric);
    let worst = group
        .iter()
        .filter_map(|figures| Some((figures, figures.worst(better)?)));
    let worst = worst.reduce(|a, b| {
        if b.1.distance() > a.1.distance() {
            b
        } else {
            a
        }
    });
    let Some((figures, Worst { value, at_s, share })) = worst else {
        return "Nothing was measured.".to_owned();
    };
    let path = path_name(report, figures.cell.row);
    let figure = format!("{} {}", format.write(value), format.unit);
    let figure = figure.trim_end();
    if better == Better::Less {
        format!("The highest is {figure} at {at_s:.1} s on {path}, {share:.1} times the mean.")
    } else {
        let percent = 100.0 * share;
        format!("The lowest is {figure} at {at_s:.1} s on {path}, {percent:.0} % of the mean.")
    }
}
