//! A series as one line of text.
//!
//! A chart's bars start at 0, so that their heights compare as the values do. A trend's bars go from its
//! smallest value to its largest: it shows when something moved, and the figures beside it how far.

use crate::report::document::{Chart, Series};

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Instead of a bar where there is no value.
const GAP: char = '·';

/// A line for each series: its name, its shape, its largest value and where that is.
pub fn lines(chart: &Chart) -> Vec<String> {
    let widths = chart
        .series
        .iter()
        .map(|series| series.name.chars().count());
    let width = widths.max().unwrap_or(0);
    let points = chart.series.iter().flat_map(|series| &series.points);
    let top = points.filter_map(|point| point.y).fold(0.0, f64::max);
    let line = |series: &Series| {
        let name = &series.name;
        let bars: String = series
            .points
            .iter()
            .map(|point| point.y.map_or(GAP, |value| bar(value, top)))
            .collect();
        let best = series
            .points
            .iter()
            .filter_map(|point| Some((point.x, point.y?)))
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        let best = best.map_or_else(String::new, |(at, value)| {
            format!("  max {value:.*} at {at}", chart.decimals)
        });
        format!("{name:width$}  {bars}{best}")
    };
    chart.series.iter().map(line).collect()
}

/// The values from the smallest to the largest, a bar each; a gap is a dot. A range of less than a
/// hundredth of the values is drawn as that, in the middle: it is noise.
pub fn trend(values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied().filter(|v| v.is_finite());
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    let span = (high - low).max(high.abs() / 100.0);
    let middle = f64::midpoint(low, high);
    let bar = |value: &Option<f64>| match value {
        Some(value) if value.is_finite() => bar((value - middle) / span + 0.5, 1.0),
        _ => GAP,
    };
    values.iter().map(bar).collect()
}

/// The bar of a value between 0 and `top`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the indices of eight bars"
)]
fn bar(value: f64, top: f64) -> char {
    let share = if top > 0.0 { value / top } else { 0.0 };
    let step = (share.clamp(0.0, 1.0) * 8.0).ceil() as usize;
    BARS[step.clamp(1, 8) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::Point;

    #[test]
    fn bars_go_from_0_to_the_top_and_what_is_missing_is_a_dot() {
        let series = |name: &str, values: &[Option<f64>]| Series {
            name: name.to_owned(),
            look: 0,
            points: (1..).zip(values).map(|(x, y)| Point::new(x, *y)).collect(),
        };
        let mut chart = Chart {
            decimals: 1,
            series: vec![
                series(
                    "a",
                    &[Some(0.0), Some(1.0), None, Some(4.0), Some(8.0), Some(7.9)],
                ),
                series("longer", &[None, None]),
            ],
            ..Chart::default()
        };
        assert_eq!(
            lines(&chart),
            ["a       ▁▁·▄██  max 8.0 at 5", "longer  ··"]
        );
        chart.series = vec![series("", &[Some(0.0), Some(f64::NAN)])];
        assert_eq!(lines(&chart), ["  ▁▁  max 0.0 at 1"]);
    }

    #[test]
    fn a_trend_goes_from_its_smallest_value_to_its_largest() {
        assert_eq!(trend(&[Some(90.0), None, Some(100.0), Some(95.0)]), "▁·█▄");
        assert_eq!(trend(&[Some(99.9), Some(100.0)]), "▄▅");
        assert_eq!(trend(&[Some(7.0), Some(7.0)]), "▄▄");
        assert_eq!(trend(&[Some(f64::NAN), Some(f64::INFINITY), None]), "···");
        assert_eq!(trend(&[]), "");
    }
}
