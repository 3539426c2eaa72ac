//! The values of a chart for the page's program.

use serde::Serialize;

use crate::diag::json;
use crate::output::svg::{Look, MOST_POINTS, MOST_ROWS, MOST_SERIES, reduce};
use crate::report::document::{Chart, Dot, DotPlot, Point};
use crate::statistics::Interval;

/// A chart's values and how they are written.
#[derive(Debug, Serialize)]
struct Data<'a, P> {
    kind: &'static str,
    x: &'a str,
    xunit: &'a str,
    unit: &'a str,
    decimals: usize,
    series: Vec<Values<'a, P>>,
}

#[derive(Debug, Serialize)]
struct Values<'a, P> {
    name: &'a str,
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
    script(&Data {
        kind: "lines",
        x: &chart.x.name,
        xunit: &chart.x.unit,
        unit: &chart.y.unit,
        decimals: chart.decimals,
        series: series
            .map(|series| Values {
                name: &series.name,
                color: Look::new(series.look).color_number(),
                points: reduce(&series.points, MOST_POINTS / 2)
                    .iter()
                    .map(entry)
                    .collect(),
            })
            .collect(),
    })
}

/// The values of the rows.
pub fn of_dots(plot: &DotPlot) -> serde_json::Result<String> {
    let rows = plot.rows.iter().take(MOST_ROWS);
    script(&Data {
        kind: "dots",
        x: "",
        xunit: "",
        unit: &plot.x.unit,
        decimals: plot.decimals,
        series: rows
            .map(|row| Values {
                name: &row.name,
                color: Look::new(row.look).color_number(),
                points: row
                    .dots
                    .iter()
                    .map(|dot| of_dot(dot, plot.decimals))
                    .collect(),
            })
            .collect(),
    })
}

fn of_dot(dot: &Dot, decimals: usize) -> Entry<&str> {
    entry(&dot.name, Some(dot.value), dot.interval, decimals)
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
