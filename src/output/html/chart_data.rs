//! The values of a chart for the page's program.

use std::borrow::Cow;

use serde::Serialize;

use crate::diag::{json, printable};
use crate::output::svg::{Look, MOST_POINTS, MOST_ROWS, MOST_SERIES, reduce};
use crate::report::document::{Chart, Dot, DotPlot, Point};
use crate::statistics::Interval;

/// A chart's values and how they are written. The program shows all texts as they are, and finds elements by the
/// names of series: they are as the markup has them.
#[derive(Debug, Serialize)]
struct Data<'a, P> {
    kind: &'static str,
    x: Cow<'a, str>,
    xunit: Cow<'a, str>,
    unit: Cow<'a, str>,
    decimals: usize,
    series: Vec<Values<'a, P>>,
}

#[derive(Debug, Serialize)]
struct Values<'a, P> {
    name: Cow<'a, str>,
    color: usize,
    points: Vec<P>,
}

/// A place, its value, and the value's interval.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry<X> {
    Single(X, Option<f64>),
    Interval(X, Option<f64>, f64, f64),
}

/// The values that the lines are drawn through.
pub fn of_lines(chart: &Chart) -> serde_json::Result<String> {
    let series = chart.series.iter().take(MOST_SERIES);
    let entry = |point: &Point| entry(point.x, point.y, point.interval, chart.decimals);
    let series = series.map(|series| {
        let points = reduce(&series.points, MOST_POINTS / 2);
        values(&series.name, series.look, points.iter().map(entry))
    });
    script(&Data {
        kind: "lines",
        x: printable::line(&chart.x.name),
        xunit: printable::line(&chart.x.unit),
        unit: printable::line(&chart.y.unit),
        decimals: chart.decimals,
        series: series.collect(),
    })
}

/// The values of the rows.
pub fn of_dots(plot: &DotPlot) -> serde_json::Result<String> {
    let rows = plot.rows.iter().take(MOST_ROWS);
    let series = rows.map(|row| {
        let dots = row.dots.iter().map(|dot| of_dot(dot, plot.decimals));
        values(&row.name, row.look, dots)
    });
    script(&Data {
        kind: "dots",
        x: Cow::default(),
        xunit: Cow::default(),
        unit: printable::line(&plot.x.unit),
        decimals: plot.decimals,
        series: series.collect(),
    })
}

/// The values of a line or a row.
fn values<P>(name: &str, look: usize, points: impl Iterator<Item = P>) -> Values<'_, P> {
    Values {
        name: printable::line(name),
        color: Look::new(look).color_number(),
        points: points.collect(),
    }
}

fn of_dot(dot: &Dot, decimals: usize) -> Entry<Cow<'_, str>> {
    entry(
        printable::line(&dot.name),
        Some(dot.value),
        dot.interval,
        decimals,
    )
}

fn entry<X>(x: X, y: Option<f64>, interval: Option<Interval>, decimals: usize) -> Entry<X> {
    let power = 10_f64.powi(i32::try_from(decimals.min(12)).unwrap_or(12));
    // No more digits than are shown.
    let round = |value: f64| (value * power).round() / power;
    let y = y.filter(|y| y.is_finite()).map(round);
    match (y, interval) {
        (Some(_), Some(interval)) => {
            Entry::Interval(x, y, round(interval.low), round(interval.high))
        }
        _ => Entry::Single(x, y),
    }
}

/// JSON that can be inside of a `script` element: it has no `<`.
fn script(data: &impl Serialize) -> serde_json::Result<String> {
    Ok(json::to_string(data)?.replace('<', "\\u003c"))
}
