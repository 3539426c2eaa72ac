//! Charts of a comparison: how much each path changed, and the curves of both sides.

use indexmap::IndexMap;

use super::figures::{path_text, percent, subject_text};
use super::headline::reason;
use crate::compare::{Comparison, PathVerdict, RunCell, Side, Versus};
use crate::diag;
use crate::report::compared_metric as metric;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Axis, Chart, Dot, DotPlot, DotRow, Point, Series};
use crate::schedule::{CellId, Param};
use crate::statistics::judge::Scale;
use crate::statistics::{ALPHA, Interval, Summary};

/// So many paths are in the plot of changes.
const ROWS: usize = 60;
/// An interval that goes further from 0 than this, in percent, is not drawn: it would leave no room for the others.
const WIDEST_PERCENT: f64 = 100.0;
/// A curve has at most so many points: of more sizes every second, third, …
const MOST_SIZES: usize = 200;
/// With fewer sizes there is no curve.
const FEWEST_SIZES: usize = 3;

/// How much each path changed, with the corrected interval; a plot for each metric.
pub fn changes(versus: &Versus) -> Vec<DotPlot> {
    let mut metrics: IndexMap<&str, Vec<&PathVerdict>> = IndexMap::new();
    for verdict in &versus.verdicts {
        let is_ratio = verdict.question.scale == Scale::Log;
        if is_ratio {
            let of_metric = metrics.entry(&verdict.subject.metric).or_default();
            of_metric.push(verdict);
        }
    }
    let metrics = metrics.into_iter();
    metrics
        .map(|(metric, verdicts)| change_plot(versus, metric, &verdicts))
        .collect()
}

fn change_plot(versus: &Versus, metric: &str, verdicts: &[&PathVerdict]) -> DotPlot {
    let fits = |verdict: &&&PathVerdict| verdict.change() * 100.0 <= WIDEST_PERCENT;
    let drawn: Vec<_> = verdicts.iter().filter(fits).take(ROWS).collect();
    let left_out = match verdicts.len() - drawn.len() {
        0 => String::new(),
        left_out => format!(" {} not drawn.", diag::count(left_out, "change")),
    };
    let rows = drawn.iter().map(|verdict| DotRow {
        name: format!("{}: {}", verdict.subject.test, path_text(&verdict.subject)),
        look: 0,
        dots: vec![Dot {
            name: String::new(),
            value: verdict.change() * 100.0,
            interval: drawn_interval(verdict),
        }],
    });
    let most = verdicts
        .iter()
        .max_by(|a, b| a.change().abs().total_cmp(&b.change().abs()));
    let finding = most.map_or_else(String::new, |most| {
        let is_wide = |it: &&&PathVerdict| it.interval().is_some() && drawn_interval(it).is_none();
        let wide = match verdicts.iter().filter(is_wide).count() {
            0 => "",
            _ => " Intervals beyond ±100 % are not drawn.",
        };
        format!(
            "{} changes most: {}.{wide}{left_out}",
            subject_text(&most.subject),
            percent(most.change())
        )
    });
    DotPlot {
        caption: format!("change of {} in {}", metric::word(metric), versus.new.name),
        finding,
        x: Axis {
            name: "change".to_owned(),
            unit: "%".to_owned(),
        },
        reference: Some(0.0),
        decimals: 1,
        rows: rows.collect(),
    }
}

fn drawn_interval(verdict: &PathVerdict) -> Option<Interval> {
    let (low, high) = verdict.interval()?;
    let (low, high) = (low * 100.0, high * 100.0);
    let is_drawn = low.abs().max(high.abs()) <= WIDEST_PERCENT;
    is_drawn.then_some(Interval { low, high })
}

/// The curves of both sides over the sizes of a path's cells: one chart, or one for each value of the other
/// parameters. None where figures are not compared, or with few sizes.
pub fn curves(comparison: &Comparison, versus: &Versus, verdict: &PathVerdict) -> Vec<Chart> {
    let subject = &verdict.subject;
    if subject.plain.is_some() {
        return Vec::new();
    }
    let mut charts: IndexMap<String, Vec<(Param, u64, &CellId)>> = IndexMap::new();
    for id in &versus.matching.cells {
        let cell = comparison
            .base
            .runs
            .first()
            .and_then(|run| run.cells.get(id));
        let of_subject = |cell: &&RunCell| cell.test == subject.test && cell.path == subject.path;
        let Some(cell) = cell.filter(of_subject) else {
            continue;
        };
        if let Some((param, size)) = size(cell) {
            charts
                .entry(others(cell))
                .or_default()
                .push((param, size, id));
        }
    }
    let several = charts.len() > 1;
    charts
        .into_iter()
        .filter(|(_, cells)| cells.len() >= FEWEST_SIZES)
        .filter_map(|(others, cells)| {
            let chart = chart(comparison, versus, verdict, &cells)?;
            let caption = if several {
                format!("{} {others}", chart.caption)
            } else {
                chart.caption
            };
            Some(Chart { caption, ..chart })
        })
        .collect()
}

fn chart(
    comparison: &Comparison,
    versus: &Versus,
    verdict: &PathVerdict,
    cells: &[(Param, u64, &CellId)],
) -> Option<Chart> {
    let metric = &*verdict.subject.metric;
    let (param, ..) = cells.first()?;
    let mut cells = cells.to_vec();
    cells.sort_by_key(|(_, size, _)| *size);
    let every = cells.len().div_ceil(MOST_SIZES).max(1);
    let cells: Vec<_> = cells.into_iter().step_by(every).collect();
    let summaries = |side: &Side| -> Vec<(u64, Option<Summary>)> {
        let at = |(_, size, id): &(Param, u64, &CellId)| (*size, summary(side, id, metric));
        cells.iter().map(at).collect()
    };
    let sides = [(&comparison.base, 0), (&versus.new, 1)];
    let sides = sides.map(|(side, look)| (side.name.clone(), look, summaries(side)));
    let means: Vec<f64> = sides
        .iter()
        .flat_map(|(.., points)| points.iter().filter_map(|(_, it)| Some(it.as_ref()?.mean)))
        .collect();
    let format = NumberFormat::headline(metric, &means);
    let series = sides.map(|(name, look, points)| Series {
        name,
        look,
        points: points
            .into_iter()
            .map(|(x, summary)| point(x, summary, format.divisor))
            .collect(),
    });
    Some(Chart {
        caption: subject_text(&verdict.subject),
        finding: format!("{}: {}.", verdict.judgement.answer.name(), reason(verdict)),
        x: Axis {
            name: match param {
                Param::Mss => "MSS".to_owned(),
                param => param.name().to_owned(),
            },
            unit: "bytes".to_owned(),
        },
        y: Axis {
            name: metric::word(metric),
            unit: format.unit.to_owned(),
        },
        decimals: format.decimals,
        series: series.into(),
        ..Chart::default()
    })
}

/// The mean over the runs of a side, with its 95 % interval.
fn point(x: u64, summary: Option<Summary>, divisor: f64) -> Point {
    let interval = summary.and_then(|summary| summary.interval(ALPHA));
    Point {
        x,
        y: summary.map(|summary| summary.mean / divisor),
        interval: interval.map(|interval| interval.divided_by(divisor)),
    }
}

fn summary(side: &Side, id: &CellId, metric: &str) -> Option<Summary> {
    let figure = |run: &crate::compare::Run| -> Option<f64> {
        let figures = run.cells.get(id)?.figures.as_ref().ok()?;
        figures.get(metric).copied()
    };
    Summary::from_values(side.runs.iter().filter_map(figure))
}

fn size(cell: &RunCell) -> Option<(Param, u64)> {
    let sizes = [Param::Mss, Param::Datagram];
    let mut sizes = sizes.into_iter();
    sizes.find_map(|param| Some((param, *cell.params.get(&param)?)))
}

/// The parameters but the size: `streams=4`.
fn others(cell: &RunCell) -> String {
    let others = cell.params.iter();
    let others = others.filter(|(param, _)| !matches!(param, Param::Mss | Param::Datagram));
    let others: Vec<String> = others
        .map(|(param, value)| format!("{param}={}", param.value_text(*value)))
        .collect();
    others.join(" ")
}
