//! The sentence that states what a chart shows.

use std::collections::BTreeSet;

use crate::report::document::{Axis, Chart, Dot, DotPlot, DotRow, Series, TIE};
use crate::statistics::Interval;

/// A change of less than this is called none.
const HARDLY: f64 = 0.1;

/// Which line is highest and which lowest at the end, and how far the lines go from their beginnings.
pub fn of_lines(chart: &Chart) -> String {
    let at = |series: &Series, x: u64| series.points.iter().find(|p| p.x == x)?.y;
    let xs: BTreeSet<u64> = chart
        .series
        .iter()
        .flat_map(|series| &series.points)
        .filter(|point| point.y.is_some())
        .map(|point| point.x)
        .collect();
    // Where most of the lines have a value.
    let count = |x: &u64| chart.series.iter().filter(|s| at(s, *x).is_some()).count();
    let most = xs.iter().map(count).max().unwrap_or(0);
    let full: Vec<u64> = xs.into_iter().filter(|x| count(x) == most).collect();
    let (Some(first), Some(last)) = (full.first().copied(), full.last().copied()) else {
        return "Nothing was measured.".to_owned();
    };
    let ends: Vec<(&str, f64, Option<Interval>)> = chart
        .series
        .iter()
        .filter_map(|series| {
            let point = series.points.iter().find(|point| point.x == last)?;
            Some((&*series.name, point.y?, point.interval))
        })
        .collect();
    let place = format!("{} {last}", chart.x.name);
    let mut sentences = vec![format!(
        "At {place}, {}",
        extremes(&ends, &chart.y, chart.decimals)
    )];
    let changes: Vec<f64> = chart
        .series
        .iter()
        .filter_map(|series| Some(at(series, last)? / at(series, first)?))
        .filter(|change| change.is_finite() && *change > 0.0)
        .collect();
    sentences.extend(change(&changes, chart, (first, last)));
    let points = chart.series.iter().flat_map(|series| &series.points);
    let missing = points.clone().filter(|point| point.y.is_none()).count();
    if missing > 0 {
        let all = points.count();
        let verb = if missing == 1 { "has" } else { "have" };
        sentences.push(format!("{missing} of {all} points {verb} no value."));
    }
    sentences.join(" ")
}

/// Which row is highest and which lowest, in the last dot of the row that has most.
pub fn of_dots(plot: &DotPlot) -> String {
    let most = plot.rows.iter().rev().max_by_key(|row| row.dots.len());
    let Some(dot) = most.and_then(|row| row.dots.last()) else {
        return "Nothing was measured.".to_owned();
    };
    let last: Vec<(&DotRow, &Dot)> = plot
        .rows
        .iter()
        .filter_map(|row| Some((row, row.dots.iter().find(|other| other.name == dot.name)?)))
        .collect();
    let ends: Vec<(&str, f64, Option<Interval>)> = last
        .iter()
        .map(|(row, dot)| (&*row.name, dot.value, dot.interval))
        .collect();
    let mut text = extremes(&ends, &plot.x, plot.decimals);
    if !dot.name.is_empty() {
        text = format!("At {}, {text}", dot.name);
    }
    let missing = plot.rows.len() - last.len();
    if missing > 0 {
        let verb = if missing == 1 { "has" } else { "have" };
        let all = plot.rows.len();
        text = format!("{text} {missing} of {all} rows {verb} no value.");
    }
    text
}

/// `a is highest with 9 Gbit/s, and b lowest with 8 Gbit/s (89 % of it).`
fn extremes(ends: &[(&str, f64, Option<Interval>)], axis: &Axis, decimals: usize) -> String {
    let unit = axis.unit.replace(' ', &TIE.to_string());
    let write = |value: f64| match &*unit {
        "" => format!("{value:.decimals$}"),
        unit => format!("{value:.decimals$}{TIE}{unit}"),
    };
    let by_value = |a: &&(&str, f64, Option<Interval>), b: &&(&str, f64, Option<Interval>)| {
        a.1.total_cmp(&b.1)
    };
    let (Some(low), Some(high)) = (ends.iter().min_by(by_value), ends.iter().max_by(by_value))
    else {
        return "nothing was measured.".to_owned();
    };
    if ends.len() == 1 {
        return format!("{} has {}.", high.0, write(high.1));
    }
    if write(low.1) == write(high.1) {
        return format!("each of {} has {}.", ends.len(), write(high.1));
    }
    let share = if high.1 > 0.0 && low.1 >= 0.0 {
        format!(", {:.0}{TIE}% of it", low.1 / high.1 * 100.0)
    } else {
        String::new()
    };
    let overlap = match (low.2, high.2) {
        (Some(low), Some(high)) if low.high >= high.low => {
            "; their intervals overlap, so they may be alike"
        }
        _ => "",
    };
    format!(
        "{} is highest with {} and {} lowest with {}{share}{overlap}.",
        high.0,
        write(high.1),
        low.0,
        write(low.1),
    )
}

/// How the lines change from the first place to the last; nothing where they differ in that.
fn change(changes: &[f64], chart: &Chart, (first, last): (u64, u64)) -> Option<String> {
    let low = changes.iter().copied().reduce(f64::min)?;
    let high = changes.iter().copied().reduce(f64::max)?;
    if first == last {
        return None;
    }
    let range = |factor: f64, decimals: usize| {
        let write = |value: f64| format!("{:.decimals$}", value * factor);
        match (write(low), write(high)) {
            (low, high) if low == high => low,
            (low, high) => format!("{low} to {high}"),
        }
    };
    let how = if low > 1.0 + HARDLY {
        format!("grows {} times", range(1.0, usize::from(low < 9.95)))
    } else if high < 1.0 - HARDLY {
        format!("falls to {}{TIE}%", range(100.0, 0))
    } else if low >= 1.0 - HARDLY && high <= 1.0 + HARDLY {
        "hardly changes".to_owned()
    } else {
        return None;
    };
    let (x, y) = (&chart.x.name, &chart.y.name);
    Some(format!("From {x} {first} to {last}, {y} {how}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dots_of_one_name_are_compared() {
        let row = |name: &str, dots: &[(&str, f64)]| DotRow {
            name: name.to_owned(),
            dots: dots
                .iter()
                .map(|(name, value)| Dot {
                    name: (*name).to_owned(),
                    value: *value,
                    interval: None,
                })
                .collect(),
            ..DotRow::default()
        };
        let plot = DotPlot {
            rows: vec![
                row("a", &[("p50", 1.0)]),
                row("b", &[("p50", 10.0), ("p99", 90.0)]),
                row("c", &[("p50", 11.0), ("p99", 45.0)]),
                row("d", &[]),
            ],
            ..DotPlot::default()
        };
        assert_eq!(
            of_dots(&plot),
            format!(
                "At p99, b is highest with 90 and c lowest with 45, 50{TIE}% of it. 2 of 4 rows have no value."
            )
        );
        assert_eq!(of_dots(&DotPlot::default()), "Nothing was measured.");
    }
}
