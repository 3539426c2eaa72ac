//! Warnings of the rates within a sample: dips, and a first part that differs from the rest.

use super::warning::Warning;
use crate::catalog::{Better, better};
use crate::tools::{Interval, Series};

/// An interval below this share of the median is a dip.
pub const DIP: f64 = 0.5;
/// Of fewer intervals nothing is said.
pub const LEAST_INTERVALS: usize = 10;
/// With fewer packets or transactions in the usual interval the rates are steps.
pub const LEAST_STEPS: f64 = 20.0;
/// The first part is a tenth of the intervals. It differs when its mean is off the rest's by this share, and beyond
/// that of every later part of the same length.
pub const RAMP: f64 = 0.25;
const PARTS: usize = 10;

/// What the intervals of a sample say against its figure, a rate.
#[must_use]
pub fn of_series(series: &Series) -> Vec<Warning> {
    if better(series.metric()) != Better::More {
        return Vec::new();
    }
    let counted = series.counted();
    let usual = median(counted.iter().map(|interval| interval.value));
    let time = median(counted.iter().map(|interval| interval.length_s()));
    let (Some(usual), Some(time)) = (usual, time) else {
        return Vec::new();
    };
    let steps = usual * time / f64::from(series.step().max(1));
    if counted.len() < LEAST_INTERVALS || steps < LEAST_STEPS {
        return Vec::new();
    }
    let first = first_part(&counted, usual);
    let (first, rest) = counted.split_at(first.min(counted.len()));
    let ramp = mean(first).zip(mean(rest)).map(|(of_first, of_rest)| {
        let until_s = first.last().map_or(0.0, |interval| interval.end_s);
        Warning::Ramp {
            metric: series.metric().to_owned(),
            until_s,
            first: of_first,
            rest: of_rest,
        }
    });
    let low = || rest.iter().filter(|one| one.value < DIP * usual);
    let deepest = low().reduce(|low, one| if one.value < low.value { one } else { low });
    let dip = deepest.map(|deepest| Warning::Dip {
        metric: series.metric().to_owned(),
        intervals: low().count(),
        of: counted.len(),
        at_s: deepest.start_s,
        lowest: deepest.value,
        median: usual,
    });
    ramp.into_iter().chain(dip).collect()
}

/// How many intervals the first part has that differs from the rest; 0 for none.
fn first_part(intervals: &[Interval], usual: f64) -> usize {
    let low = intervals
        .iter()
        .take_while(|one| one.value < DIP * usual)
        .count();
    if low > 0 {
        return low;
    }
    let length = (intervals.len() / PARTS).max(1);
    let means: Vec<f64> = intervals.chunks_exact(length).filter_map(mean).collect();
    let Some((first, rest)) = means.split_first() else {
        return 0;
    };
    let Some(of_rest) = median(rest.iter().copied()) else {
        return 0;
    };
    let is_extreme =
        rest.iter().all(|of_part| first < of_part) || rest.iter().all(|of_part| first > of_part);
    let is_off = (first - of_rest).abs() > RAMP * of_rest;
    if is_extreme && is_off { length } else { 0 }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get(middle.checked_sub(1)?)?;
    Some(f64::midpoint(lower, upper))
}

/// The mean rate over the time of some intervals.
fn mean(intervals: &[Interval]) -> Option<f64> {
    let time: f64 = intervals.iter().map(|one| one.length_s()).sum();
    let amount: f64 = intervals.iter().map(|one| one.value * one.length_s()).sum();
    (time > 0.0).then(|| amount / time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Kind;
    use super::*;
    use crate::tools::name;

    fn series(rates: &[f64]) -> Series {
        let ends = (1..).map(|n| f64::from(n) / 10.0);
        let intervals = ends.zip(rates.iter().copied().map(Some));
        Series::new(name::THROUGHPUT_BPS, 11_680, 0.0, intervals).unwrap()
    }

    fn kinds(rates: &[f64]) -> Vec<Kind> {
        of_series(&series(rates))
            .iter()
            .map(Warning::kind)
            .collect()
    }

    /// Ten seconds at 100 Mbit/s.
    fn steady() -> Vec<f64> {
        (0..100).map(|n| 1e8 + f64::from(n % 7) * 1e6).collect()
    }

    #[test]
    fn a_steady_rate_has_no_warning() {
        assert_eq!(kinds(&steady()), []);
    }

    #[test]
    fn an_interval_below_half_of_the_median_is_a_dip() {
        let mut rates = steady();
        rates[50] = 0.0;
        rates[51] = 2e7;
        let warnings = of_series(&series(&rates));
        let [dip] = &warnings[..] else {
            panic!("{warnings:?}")
        };
        assert_eq!(
            dip.figures(),
            "0 Mbit/s at 5.0 s, 103 Mbit/s usually; 2 of 100 intervals"
        );
        rates[50] = 6e7;
        rates[51] = 6e7;
        assert_eq!(kinds(&rates), []);
    }

    #[test]
    fn a_slow_start_and_a_fast_one_are_ramps() {
        let mut slow = steady();
        slow[..3].copy_from_slice(&[1e6, 1e7, 4e7]);
        let warnings = of_series(&series(&slow));
        let [ramp] = &warnings[..] else {
            panic!("{warnings:?}")
        };
        assert_eq!(
            ramp.figures(),
            "17.0 Mbit/s in the first 0.3 s, 103.0 Mbit/s after it"
        );
        let mut fast = steady();
        fast[..10].fill(3e8);
        assert_eq!(kinds(&fast), [Kind::Ramp]);
        fast[60] = 1e7;
        assert_eq!(kinds(&fast), [Kind::Ramp, Kind::Dip]);
    }

    #[test]
    fn steps_and_few_intervals_raise_no_warning() {
        let steps: Vec<f64> = (0..100).map(|n| f64::from(n % 3) * 116_800.0).collect();
        assert_eq!(kinds(&steps), []);
        assert_eq!(kinds(&[1e8, 0.0, 1e8, 1e8]), []);
    }

    #[test]
    fn a_burst_above_the_link_is_no_ramp() {
        let mut rates = steady();
        rates[..10].fill(3e8);
        let mut series = series(&rates);
        series.mark_over_link(2e8);
        assert_eq!(of_series(&series), []);
    }

    #[test]
    fn latency_has_no_dips() {
        let intervals = (1..)
            .map(|n| f64::from(n) / 10.0)
            .zip(steady().into_iter().map(Some));
        let intervals = intervals.map(|(end_s, us)| (end_s, us.filter(|_| end_s > 1.0)));
        let series = Series::new(name::LATENCY_MAX_US, 0, 0.0, intervals).unwrap();
        assert_eq!(of_series(&series), []);
    }

    proptest! {
        /// A warning names its cause: figures that any reader can find in the series.
        #[test]
        fn any_series_gives_warnings_that_it_shows(
            rates in prop::collection::vec(prop_oneof![0.0..1e9_f64, Just(5e8), Just(0.0)], 1..200),
        ) {
            let series = series(&rates);
            for warning in of_series(&series) {
                prop_assert!(warning.severity().is_finite() && !warning.figures().is_empty());
                match warning {
                    Warning::Dip { lowest, median, intervals, of, .. } => {
                        prop_assert!(lowest < DIP * median && series.lowest().unwrap() <= lowest);
                        prop_assert!(intervals >= 1 && 2 * intervals <= of);
                    }
                    Warning::Ramp { first, rest, .. } => {
                        prop_assert!(first >= 0.0 && rest > 0.0 && (first - rest).abs() > 0.0);
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }

        /// A deeper dip is still one.
        #[test]
        fn a_dip_stays_when_it_deepens(at in 20_usize..90, share in 0.0..0.45_f64, less in 0.0..1.0_f64) {
            let mut rates = steady();
            rates[at] *= share;
            prop_assert_eq!(kinds(&rates), vec![Kind::Dip]);
            rates[at] *= less;
            prop_assert_eq!(kinds(&rates), vec![Kind::Dip]);
        }
    }
}
