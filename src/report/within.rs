//! The figures within the samples of a cell, in equal steps of time.

use super::CellReport;
use crate::catalog::BOTH_WAYS;
use crate::statistics::{Interval, Summary};
use crate::tools::Series;

/// A step of time within the samples of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its middle, in seconds from the samples' start.
    pub at_s: f64,
    /// The median of the samples' figures.
    pub value: f64,
    /// The lowest and the highest of them; `None` for a single sample.
    pub range: Option<Interval>,
}

/// A cell has no more steps.
const MOST_STEPS: usize = 6_000;

/// The metrics that a cell's counted samples have series of, by the journal's names.
#[must_use]
pub fn metrics(cell: &CellReport) -> Vec<&str> {
    let mut metrics: Vec<&str> = Vec::new();
    for series in cell.counted().flat_map(|sample| &sample.series) {
        if !metrics.contains(&series.metric()) {
            metrics.push(series.metric());
        }
    }
    metrics
}

/// The figures of a cell's counted samples in steps of so many seconds; `None` for a step in which no sample has one. Empty
/// for a cell without intervals of this metric.
#[must_use]
pub fn steps(cell: &CellReport, metric: &str, step_s: f64) -> Vec<Option<Step>> {
    let series = cell.counted().flat_map(|sample| &sample.series);
    let series = series.filter(|series| series.metric() == metric);
    let of_samples: Vec<Vec<Option<f64>>> = series.map(|one| resampled(one, step_s)).collect();
    let most = of_samples.iter().map(Vec::len).max().unwrap_or(0);
    let step = |at: usize| {
        let rates = of_samples.iter().filter_map(|rates| *rates.get(at)?);
        let summary = Summary::from_values(rates)?;
        Some(Step {
            at_s: (at as f64 + 0.5) * step_s,
            value: summary.median,
            range: (summary.count > 1).then_some(Interval {
                low: summary.min,
                high: summary.max,
            }),
        })
    };
    (0..most).map(step).collect()
}

/// The medians of the headline metric in steps; where both directions were measured, their sum, as the headline is.
#[must_use]
pub fn headline_steps(cell: &CellReport, headline: &str, step_s: f64) -> Vec<Option<f64>> {
    let medians = |metric: &&str| {
        let all = steps(cell, metric, step_s).into_iter();
        all.map(|step| step.map(|step| step.value)).collect()
    };
    let parts: Vec<Vec<Option<f64>>> = metrics(cell)
        .iter()
        .filter(|metric| **metric == headline || BOTH_WAYS.contains(*metric))
        .map(medians)
        .collect();
    // Each end has a clock of its own, so that one part may be a step longer.
    let length = parts.iter().map(Vec::len).min().unwrap_or(0);
    let sum = |at: usize| {
        parts
            .iter()
            .map(|part| part.get(at).copied().flatten())
            .sum()
    };
    (0..length).map(sum).collect()
}

/// The mean figure in each step, weighted by time.
fn resampled(series: &Series, step_s: f64) -> Vec<Option<f64>> {
    let mut sums: Vec<(f64, f64)> = Vec::new();
    if step_s <= 0.0 {
        return Vec::new();
    }
    for interval in series.intervals() {
        let mut at = index(interval.start_s / step_s);
        while at < MOST_STEPS {
            let start = at as f64 * step_s;
            let overlap = interval.end_s.min(start + step_s) - interval.start_s.max(start);
            if start >= interval.end_s {
                break;
            }
            // An end that is off by a rounding error opens no step of its own.
            if overlap > step_s / 1e3 {
                if sums.len() <= at {
                    sums.resize(at + 1, (0.0, 0.0));
                }
                if let Some((amount, time)) = sums.get_mut(at) {
                    *amount += interval.value * overlap;
                    *time += overlap;
                }
            }
            at += 1;
        }
    }
    let count = index(series.end_s() / step_s + 0.5).min(MOST_STEPS);
    sums.resize(sums.len().max(count), (0.0, 0.0));
    // What covers less than half of the last step is no figure of it.
    if sums.len() > count.max(1) {
        sums.pop();
    }
    let mean = |(amount, time): (f64, f64)| (time > 0.0).then(|| amount / time);
    sums.into_iter().map(mean).collect()
}

/// The whole number below a value that is not below 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not below 0; what is too large saturates"
)]
fn index(value: f64) -> usize {
    value.floor() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tools::name;

    fn series(start_s: f64, intervals: &[(f64, f64)]) -> Series {
        let intervals = intervals.iter().map(|(end, rate)| (*end, Some(*rate)));
        Series::new(name::THROUGHPUT_BPS, 8, start_s, intervals).unwrap()
    }

    #[test]
    fn rates_are_means_over_the_time_of_a_step() {
        let of = series(0.0, &[(0.1, 10.0), (0.25, 20.0), (0.3, 40.0), (0.32, 9.0)]);
        let rates = resampled(&of, 0.1);
        assert_eq!(rates.len(), 3);
        let expected = [10.0, 20.0, 30.0];
        for (rate, expected) in rates.iter().zip(expected) {
            assert!((rate.unwrap() - expected).abs() < 1e-6, "{rates:?}");
        }
        let later = series(0.2, &[(0.3, 7.0)]);
        assert_eq!(resampled(&later, 0.1), [None, None, Some(7.0)]);
        assert_eq!(resampled(&later, 0.0), []);
        let silent = [(0.1, Some(5.0)), (0.2, None), (0.3, None)];
        let silent = Series::new(name::LATENCY_MAX_US, 0, 0.0, silent).unwrap();
        assert_eq!(resampled(&silent, 0.1), [Some(5.0), None, None]);
    }

    proptest! {
        #[test]
        fn no_rate_is_beyond_those_of_the_series(
            lengths in prop::collection::vec((0.001..3.0_f64, 0_u32..1000), 1..60), step in 0.01..5.0_f64,
        ) {
            let mut end = 0.0;
            let intervals = lengths.iter().map(|(length, rate)| {
                end += length;
                (end, Some(f64::from(*rate)))
            });
            let intervals: Vec<_> = intervals.collect();
            let Some(series) = Series::new(name::THROUGHPUT_BPS, 8, 0.0, intervals.iter().copied()) else {
                return Ok(());
            };
            let rates = || series.intervals().map(|one| one.value);
            let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
            let steps = resampled(&series, step);
            prop_assert!(!steps.is_empty() && steps.len() <= MOST_STEPS);
            for rate in steps.into_iter().flatten() {
                prop_assert!(rate >= low - 1e-6 && rate <= high + 1e-6, "{rate} {low} {high}");
            }
        }
    }
}
