//! When to stop sampling a cell, and how to keep that honest.
//!
//! A rule that looks at Student's 95 % interval after every sample and stops at the first one that
//! is narrow enough stops where the spread happens to look small: its intervals cover the true mean
//! in as little as 90 % of the cells (88 % when it may stop at two samples), though each says 95 %.
//! That is the price of optional stopping (Anscombe 1953; Chow & Robbins 1965 show that it vanishes
//! only as the bound goes to 0).
//!
//! The remedy is that of group sequential trials: every look uses a stricter level, the more so the
//! earlier it is (O'Brien & Fleming 1979, "A multiple testing procedure for clinical trials",
//! Biometrics 35), since it is the early looks that a small spread deceives. The look at n samples
//! may miss by 0.05 · n / (n + 15): three samples are judged by their 99.2 % interval, twenty by
//! that of 97.1 %, two hundred by that of 95.3 %. The 15 is found by simulation, so that the interval
//! at the stop, wherever that is, covers the mean in at least 95 %, whatever the plan's first look and
//! however many there may be. What reports show of such a cell is that same interval, so the number
//! behind a ± is the one that the rule looked at.
//!
//! What it cannot mend: samples that follow each other more closely than chance. With a correlation
//! of 0.5 from one sample to the next both fixed and adaptive intervals are too narrow; `order:
//! interleaved` keeps a cell's samples apart.

use super::{ALPHA, Summary};
use crate::plan::{Repeat, Until};

/// After so many samples a look may miss half as often as the last of many.
const STRICTNESS: f64 = 15.0;

/// Whether a cell needs another sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The interval is too wide still, or there are too few samples.
    More,
    /// The interval is within the bound.
    Reached,
    /// There are as many samples as the plan allows, and the interval is too wide.
    GivenUp,
}

/// Decides after each sample. `values` are those of the tool's headline metric so far; what is not
/// finite says nothing about the mean but is a sample.
#[must_use]
pub fn decide(until: &Until, values: &[f64]) -> Decision {
    let share = until.until.percent.0 / 100.0;
    decide_within(until, values, |mean| mean.abs() * share)
}

/// Decides after each round, on the ratio to another variant: `logs` are the rounds' differences of logarithms, NaN
/// for a pair that is missing.
#[must_use]
pub fn decide_ratio(until: &Until, logs: &[f64]) -> Decision {
    let bound = (until.until.percent.0 / 100.0).ln_1p();
    decide_within(until, logs, |_| bound)
}

fn decide_within(until: &Until, values: &[f64], bound: impl Fn(f64) -> f64) -> Decision {
    let taken = u32::try_from(values.len()).unwrap_or(u32::MAX);
    if taken < until.min {
        Decision::More
    } else if is_within(until, values, bound) {
        Decision::Reached
    } else if taken >= until.max {
        Decision::GivenUp
    } else {
        Decision::More
    }
}

/// Half the interval's width is at most the bound, which may depend on the mean, by enough samples that say
/// something.
fn is_within(until: &Until, values: &[f64], bound: impl Fn(f64) -> f64) -> bool {
    let Some(summary) = Summary::from_values(values.iter().copied()) else {
        return false;
    };
    if summary.count < until.min as usize {
        return false;
    }
    summary
        .half_width(level(until, summary.count))
        .is_some_and(|half| half <= bound(summary.mean))
}

/// The level to use for the interval of a mean of so many of a cell's samples, as the share that this
/// look may miss, so that what is reported at the stop covers the mean in at least 95 %: see the
/// module.
#[must_use]
pub fn alpha(repeat: &Repeat, samples: usize) -> f64 {
    match repeat {
        Repeat::Until(until) => level(until, samples),
        Repeat::Times(_) => ALPHA,
    }
}

fn level(until: &Until, samples: usize) -> f64 {
    if until.min < until.max {
        let n = samples as f64;
        ALPHA * n / (n + STRICTNESS)
    } else {
        // There is but one look.
        ALPHA
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::units::Percent;
    use proptest::prelude::*;

    fn until(min: u32, max: u32, percent: f64) -> Until {
        Until {
            min,
            max,
            until: Percent(percent).into(),
        }
    }

    #[test]
    fn samples_are_taken_until_the_bound() {
        let two = until(3, 5, 2.0);
        assert_eq!(decide(&two, &[]), Decision::More);
        assert_eq!(decide(&two, &[100.0, 100.0]), Decision::More);
        // α(3) = 0.05 · 3 / 18; t(1 − α / 2, 2) · 0.25 / √3 = 1.57, with 0.6 in place of 0.25 3.8.
        assert_eq!(decide(&two, &[99.75, 100.0, 100.25]), Decision::Reached);
        assert_eq!(decide(&two, &[99.4, 100.0, 100.6]), Decision::More);
        let wild = [80.0, 120.0, 90.0, 110.0, 100.0];
        assert_eq!(decide(&two, &wild[..4]), Decision::More);
        assert_eq!(decide(&two, &wild), Decision::GivenUp);
    }

    #[test]
    fn what_is_no_number_is_a_sample_without_a_say() {
        let two = until(3, 4, 2.0);
        assert_eq!(decide(&two, &[1.0, f64::NAN, f64::NAN]), Decision::More);
        assert_eq!(decide(&two, &[f64::NAN; 4]), Decision::GivenUp);
        assert_eq!(decide(&two, &[1.0, 1.0, f64::NAN]), Decision::More);
        assert_eq!(decide(&two, &[1.0, f64::NAN, 1.0, 1.0]), Decision::Reached);
        assert_eq!(decide(&two, &[0.0; 3]), Decision::Reached);
    }

    #[test]
    fn early_looks_are_stricter_and_one_look_is_not() {
        let level = |max, samples| alpha(&Repeat::Until(until(5, max, 2.0)), samples);
        assert_eq!(alpha(&Repeat::Times(7), 7).to_bits(), ALPHA.to_bits());
        assert_eq!(level(5, 5).to_bits(), ALPHA.to_bits());
        assert!(level(20, 5) < level(20, 6) && level(20, 20) < ALPHA);
        assert!((level(20, 15) - ALPHA / 2.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn every_cell_ends_within_its_limits(
            min in 2u32..6,
            more in 0u32..10,
            percent in 0.0f64..10.0,
            values in prop::collection::vec(any::<f64>(), 20),
        ) {
            let until = until(min, min + more, percent);
            let end = (0..=values.len()).find(|n| decide(&until, &values[..*n]) != Decision::More);
            let end = end.unwrap_or(usize::MAX) as u64;
            prop_assert!(u64::from(until.min) <= end && end <= u64::from(until.max));
        }
    }
}
