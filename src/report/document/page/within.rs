//! Charts of the rates within samples.

use indexmap::IndexMap;

use super::charts::{MOST_CHARTS, caption, look};
use super::row_names::RowNames;
use super::section::left_out_but_in;
use crate::plan::Test;
use crate::report::document::headline::path_name;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Axis, Bands, Block, Chart, Point, Series};
use crate::report::within::{Step, metrics, steps};
use crate::report::{CellReport, Report, labels};

/// The rates of a cell over the time.
struct CellRates<'a> {
    cell: &'a CellReport,
    steps: Vec<Option<Step>>,
}

impl CellRates<'_> {
    /// The lowest rate of any sample, when it was, and its share of the mean.
    fn lowest(&self) -> Option<(f64, f64, f64)> {
        let known = || self.steps.iter().flatten();
        let low = |step: &Step| step.range.map_or(step.rate, |range| range.low);
        let lowest = known().reduce(|a, b| if low(b) < low(a) { b } else { a })?;
        let mean = known().map(|step| step.rate).sum::<f64>() / known().count() as f64;
        Some((low(lowest), lowest.at_s, low(lowest) / mean))
    }
}

/// What the lines of a chart have in common.
#[derive(PartialEq, Eq, Hash)]
struct Group<'a> {
    metric: &'a str,
    /// The parameters that tell it from others.
    others: String,
}

/// A chart for each metric and combination of parameters, those with the deepest dips first: a line for each path.
pub fn charts(report: &Report, test: &Test, cells: &[&CellReport]) -> Vec<Block> {
    let Some(length) = test.timing.intervals else {
        return Vec::new();
    };
    let names = RowNames::new(cells);
    let mut groups: IndexMap<Group<'_>, Vec<CellRates<'_>>> = IndexMap::new();
    for cell in cells {
        let others = names.extend(String::new(), cell).trim().to_owned();
        for metric in metrics(cell) {
            let steps = steps(cell, metric, length.0.as_secs_f64());
            if steps.iter().any(Option::is_some) {
                let others = others.clone();
                let group = groups.entry(Group { metric, others }).or_default();
                group.push(CellRates { cell, steps });
            }
        }
    }
    let deepest = |group: &[CellRates<'_>]| {
        let shares = group.iter().filter_map(CellRates::lowest);
        shares
            .map(|(.., share)| share)
            .fold(f64::INFINITY, f64::min)
    };
    groups.sort_by(|_, a, _, b| deepest(a).total_cmp(&deepest(b)));
    let more = groups.len().saturating_sub(MOST_CHARTS);
    let charts = groups.into_iter().take(MOST_CHARTS).map(|(of, group)| {
        let title = format!("{} within samples", labels::short(of.metric));
        let title = super::charts::capitalized(&title);
        Block::Chart(chart(
            report,
            of.metric,
            caption(&title, &of.others),
            &group,
        ))
    });
    let left_out = left_out_but_in("`series.csv`", more, "combination");
    charts.chain(left_out).collect()
}

fn chart(report: &Report, metric: &str, caption: String, group: &[CellRates<'_>]) -> Chart {
    let rates: Vec<f64> = group
        .iter()
        .flat_map(|rates| rates.steps.iter().flatten().map(|step| step.rate))
        .collect();
    // Figures of an interval may be far below the others.
    let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let format = NumberFormat::headline(metric, &[mean]);
    let series = group.iter().map(|rates| Series {
        name: path_name(report, rates.cell.row).to_owned(),
        look: look(report, rates.cell.row),
        points: points(&rates.steps, format.divisor),
    });
    Chart {
        caption,
        finding: finding(report, group, format),
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

/// From the first step that has a rate.
fn points(steps: &[Option<Step>], divisor: f64) -> Vec<Point> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time within a sample"
    )]
    let ms = |at_s: f64| (at_s * 1e3).round() as u64;
    let point = |step: Step| Point {
        x: ms(step.at_s),
        y: Some(step.rate / divisor),
        interval: step.range.map(|range| range.divided_by(divisor)),
    };
    steps.iter().flatten().copied().map(point).collect()
}

fn finding(report: &Report, group: &[CellRates<'_>], format: NumberFormat) -> String {
    let lowest = group
        .iter()
        .filter_map(|rates| Some((rates, rates.lowest()?)));
    let lowest = lowest.reduce(|a, b| if b.1.2 < a.1.2 { b } else { a });
    let Some((rates, (low, at_s, share))) = lowest else {
        return "Nothing was measured.".to_owned();
    };
    let path = path_name(report, rates.cell.row);
    format!(
        "The lowest rate is {} {} at {at_s:.1} s on {path}, {:.0} % of the mean.",
        format.write(low),
        format.unit,
        100.0 * share,
    )
}
