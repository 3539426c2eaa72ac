//! Whether a series drifts, and how fast.

use statrs::distribution::{ContinuousCDF as _, Normal};

/// The test for a trend by Mann (1945, "Nonparametric tests against trend", Econometrica 13) and Kendall
/// (1975, "Rank Correlation Methods").
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannKendall {
    /// Σ sgn(x(j) − x(i)) over i < j: positive if the series rises.
    pub s: f64,
    /// S, less 1 towards 0 for continuity, in standard deviations; ties are corrected for.
    pub z: f64,
    /// The probability of a |Z| at least as large without a trend, by the normal approximation. It is good from
    /// ten values on.
    pub p: f64,
}

/// Tests whether the values rise or fall, in any shape. None of fewer than three values, or of values that
/// are not finite.
#[must_use]
pub fn mann_kendall(values: &[f64]) -> Option<MannKendall> {
    let n = values.len();
    if n < 3 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut s = 0.0;
    for (at, value) in values.iter().enumerate() {
        for later in &values[at + 1..] {
            s += f64::from(i8::from(later > value) - i8::from(later < value));
        }
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let spread = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq());
    let ties: f64 = ties.map(|equal| spread(equal.len() as f64)).sum();
    let variance = (spread(n as f64) - ties) / 18.0;
    let z = if variance > 0.0 && s != 0.0 {
        (s - s.signum()) / variance.sqrt()
    } else {
        0.0
    };
    let p = (2.0 * Normal::standard().sf(z.abs())).min(1.0);
    Some(MannKendall { s, z, p })
}

/// The slope per step by Theil (1950) and Sen (1968, "Estimates of the regression coefficient based on
/// Kendall's tau", Journal of the American Statistical Association 63): the median of the slopes between all
/// pairs of values, which are one step apart. None of fewer than two values, or of values that are not finite.
#[must_use]
pub fn theil_sen(values: &[f64]) -> Option<f64> {
    if values.len() < 2 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut slopes = Vec::with_capacity(values.len() * (values.len() - 1) / 2);
    for (at, value) in values.iter().enumerate() {
        let later = values[at + 1..].iter().enumerate();
        slopes.extend(later.map(|(steps, later)| (later - value) / (steps + 1) as f64));
    }
    let middle = slopes.len() / 2;
    let is_even = slopes.len().is_multiple_of(2);
    let (below, upper, _) = slopes.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(if is_even {
        f64::midpoint(lower, upper)
    } else {
        upper
    })
}

#[cfg(test)]
mod tests {
    use super::super::change_point::tests::{NILE, STEP};
    use super::*;
    use proptest::prelude::*;

    /// `pymannkendall.original_test` 1.4.3; `scipy.stats.theilslopes` 1.17.1 has the same slopes.
    #[test]
    fn trends_are_those_of_the_reference() {
        for (values, s, z, p, slope) in [
            (
                &NILE[..],
                -1387.0,
                -4.128_066_522_844_101,
                3.658_262_921_657_496e-5,
                -2.6,
            ),
            (
                &STEP[..],
                49.0,
                2.654_406_065_324_789,
                0.007_944_815_628_805,
                0.066_666_666_666_667,
            ),
        ] {
            let found = mann_kendall(values).unwrap();
            assert!((found.s - s).abs() < 1e-9, "{found:?}");
            assert!(
                (found.z - z).abs() < 1e-12 && (found.p / p - 1.0).abs() < 1e-9,
                "{found:?}"
            );
            assert!((theil_sen(values).unwrap() - slope).abs() < 1e-12);
        }
    }

    #[test]
    fn too_few_values_have_no_trend() {
        assert_eq!(mann_kendall(&[1.0, 2.0]), None);
        assert_eq!(theil_sen(&[1.0]), None);
        assert_eq!(theil_sen(&[1.0, 4.0]), Some(3.0));
        assert_eq!(theil_sen(&[1.0, f64::INFINITY]), None);
        let flat = mann_kendall(&[3.0; 10]).unwrap();
        assert_eq!((flat.s, flat.z, flat.p), (0.0, 0.0, 1.0));
    }

    proptest! {
        #[test]
        fn a_series_turned_around_has_the_opposite_trend(values in prop::collection::vec(-1e3f64..1e3, 3..40)) {
            let turned: Vec<f64> = values.iter().rev().copied().collect();
            let (one, other) = (mann_kendall(&values).unwrap(), mann_kendall(&turned).unwrap());
            prop_assert_eq!((one.s, one.z), (-other.s, -other.z));
            let sum = theil_sen(&values).unwrap() + theil_sen(&turned).unwrap();
            prop_assert!(sum.abs() < 1e-9);
        }

        #[test]
        fn a_slope_is_added(values in prop::collection::vec(-10f64..10.0, 3..40), slope in -5f64..5.0) {
            let tilted: Vec<f64> = values.iter().enumerate().map(|(at, value)| value + slope * at as f64).collect();
            let found = theil_sen(&tilted).unwrap() - theil_sen(&values).unwrap();
            prop_assert!((found - slope).abs() < 1e-9, "{}", found);
        }
    }
}
