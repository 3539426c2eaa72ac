//! Intervals of a share, as in datagrams lost of datagrams sent. Both take the events as
//! independent: losses that come in bursts spread wider.

use statrs::distribution::{Beta, ContinuousCDF as _, Normal};

use super::Interval;

/// The score interval of the share k of n at the level 1 − `alpha` (Wilson 1927, "Probable
/// inference, the law of succession, and statistical inference", JASA 22): it covers as often as it
/// says on the average over true shares, also near 0 and 1.
///
/// None without any trial, with more hits than trials, or unless 0 < `alpha` < 1.
#[must_use]
pub fn wilson(hits: u64, trials: u64, alpha: f64) -> Option<Interval> {
    let (k, n) = shares(hits, trials, alpha)?;
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

/// The exact interval of the share k of n at the level 1 − `alpha`, by quantiles of the beta
/// distribution (Clopper & Pearson 1934, Biometrika 26): whatever the true share, it covers at
/// least as often as it says.
///
/// None in the cases of [`wilson`].
#[must_use]
pub fn clopper_pearson(hits: u64, trials: u64, alpha: f64) -> Option<Interval> {
    let (k, n) = shares(hits, trials, alpha)?;
    let low = if hits == 0 {
        0.0
    } else {
        Beta::new(k, n - k + 1.0).ok()?.inverse_cdf(alpha / 2.0)
    };
    let high = if hits == trials {
        1.0
    } else {
        Beta::new(k + 1.0, n - k)
            .ok()?
            .inverse_cdf(1.0 - alpha / 2.0)
    };
    Some(Interval { low, high })
}

fn shares(hits: u64, trials: u64, alpha: f64) -> Option<(f64, f64)> {
    let sensible = trials > 0 && hits <= trials && alpha > 0.0 && alpha < 1.0;
    sensible.then_some((hits as f64, trials as f64))
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
    /// Medicine 17, table I: methods 3 (score) and 5 (Clopper–Pearson).
    #[test]
    fn published_examples() {
        let half = 0.000_051;
        assert_close(wilson(81, 263, 0.05), 0.2553, 0.3662, half);
        assert_close(wilson(15, 148, 0.05), 0.0624, 0.1605, half);
        assert_close(wilson(0, 20, 0.05), 0.0, 0.1611, half);
        assert_close(wilson(1, 29, 0.05), 0.0061, 0.1718, half);
        assert_close(clopper_pearson(81, 263, 0.05), 0.2527, 0.3676, half);
        assert_close(clopper_pearson(15, 148, 0.05), 0.0578, 0.1617, half);
        assert_close(clopper_pearson(0, 20, 0.05), 0.0, 0.1684, half);
        assert_close(clopper_pearson(1, 29, 0.05), 0.0009, 0.1776, half);
    }

    #[test]
    fn nonsense_has_no_interval() {
        for f in [wilson, clopper_pearson] {
            assert_eq!(f(0, 0, 0.05), None);
            assert_eq!(f(3, 2, 0.05), None);
            assert_eq!(f(1, 2, 1.0), None);
        }
    }

    proptest! {
        #[test]
        fn intervals_lie_around_the_share(trials in 1u64..100_000_000, hits: prop::sample::Index) {
            let hits = u64::try_from(hits.index(usize::try_from(trials)? + 1))?;
            let share = hits as f64 / trials as f64;
            let wilson = wilson(hits, trials, 0.05).unwrap();
            let exact = clopper_pearson(hits, trials, 0.05).unwrap();
            for found in [wilson, exact] {
                prop_assert!(found.low >= 0.0 && found.high <= 1.0);
                prop_assert!(found.low <= share + 1e-12 && share <= found.high + 1e-12);
            }
        }

        #[test]
        fn misses_are_hits_seen_from_the_other_side(trials in 1u64..10_000, hits: prop::sample::Index) {
            let hits = u64::try_from(hits.index(usize::try_from(trials)? + 1))?;
            for f in [wilson, clopper_pearson] {
                let (a, b) = (f(hits, trials, 0.05).unwrap(), f(trials - hits, trials, 0.05).unwrap());
                prop_assert!((a.low - (1.0 - b.high)).abs() < 1e-9);
                prop_assert!((a.high - (1.0 - b.low)).abs() < 1e-9);
            }
        }
    }
}
