//! The interval of a proportion, e.g. datagrams lost of datagrams sent. It takes the events as
//! independent: losses that come in bursts spread wider.

use statrs::distribution::{ContinuousCDF as _, Normal};

use super::Interval;

/// The score interval of the share k of n at the level 1 − `alpha` (Wilson 1927, "Probable
/// inference, the law of succession, and statistical inference", JASA 22): it covers as often as it
/// says on the average over true shares, also near 0 and 1.
///
/// None without any trial, with more hits than trials, or unless 0 < `alpha` < 1.
#[must_use]
pub fn wilson(hits: u64, trials: u64, alpha: f64) -> Option<Interval> {
    if trials == 0 || hits > trials || alpha <= 0.0 || alpha >= 1.0 {
        return None;
    }
    let (k, n) = (hits as f64, trials as f64);
    let z = Normal::standard().inverse_cdf(1.0 - alpha / 2.0);
    let (p, zz) = (k / n, z * z);
    let middle = (p + zz / (2.0 * n)) / (1.0 + zz / n);
    let half = z / (1.0 + zz / n) * (p * (1.0 - p) / n + zz / (4.0 * n * n)).sqrt();
    // At the ends the formula gives 0 and 1 but for rounding.
    Some(Interval {
        low: if hits == 0 { 0.0 } else { middle - half },
        high: if hits == trials { 1.0 } else { middle + half },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_close(found: Option<Interval>, low: f64, high: f64, to: f64) {
        let found = found.unwrap();
        assert!(
            (found.low - low).abs() <= to && (found.high - high).abs() <= to,
            "{found:?} instead of {low} to {high}"
        );
    }

    /// Newcombe 1998, "Two-sided confidence intervals for the single proportion", Statistics in
    /// Medicine 17, table I: method 3.
    #[test]
    fn published_examples() {
        let half = 0.000_051;
        assert_close(wilson(81, 263, 0.05), 0.2553, 0.3662, half);
        assert_close(wilson(15, 148, 0.05), 0.0624, 0.1605, half);
        assert_close(wilson(0, 20, 0.05), 0.0, 0.1611, half);
        assert_close(wilson(1, 29, 0.05), 0.0061, 0.1718, half);
    }

    #[test]
    fn nonsense_has_no_interval() {
        assert_eq!(wilson(0, 0, 0.05), None);
        assert_eq!(wilson(3, 2, 0.05), None);
        assert_eq!(wilson(1, 2, 1.0), None);
    }

    proptest! {
        #[test]
        fn intervals_lie_around_the_share(trials in 1u64..100_000_000, hits: prop::sample::Index) {
            let hits = u64::try_from(hits.index(usize::try_from(trials)? + 1))?;
            let share = hits as f64 / trials as f64;
            let found = wilson(hits, trials, 0.05).unwrap();
            prop_assert!(found.low >= 0.0 && found.high <= 1.0);
            prop_assert!(found.low <= share + 1e-12 && share <= found.high + 1e-12);
        }

        #[test]
        fn misses_are_hits_seen_from_the_other_side(trials in 1u64..10_000, hits: prop::sample::Index) {
            let hits = u64::try_from(hits.index(usize::try_from(trials)? + 1))?;
            let found = wilson(hits, trials, 0.05).unwrap();
            let other = wilson(trials - hits, trials, 0.05).unwrap();
            prop_assert!((found.low - (1.0 - other.high)).abs() < 1e-9);
            prop_assert!((found.high - (1.0 - other.low)).abs() < 1e-9);
        }
    }
}
