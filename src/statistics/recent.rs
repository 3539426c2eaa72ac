//! Whether the last few values of a series are what the values before them predict.

use super::{Difference, Spread};

/// The last few values against those before them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recent {
    /// How many of the last values are meant.
    pub count: usize,
    /// Their mean less the mean of the values before them.
    pub difference: Difference,
    /// The probability of a difference at least as unlikely in a series without a change, after the search
    /// over counts.
    pub p: f64,
}

/// Compares the last `count` values with those before them: the mean of m more values from the same normal
/// distribution is within mean ± t(1 − α/2, n − 1) · s · √(1/m + 1/n) with the probability 1 − α (the
/// prediction interval of a mean; Hahn and Meeker 1991, "Statistical Intervals", chapter 4.7). Only the
/// values before them say how much values spread.
///
/// None of fewer than two values before them.
#[must_use]
pub fn prediction(values: &[f64], count: usize) -> Option<Difference> {
    let (before, last) = values.split_at_checked(values.len().checked_sub(count)?)?;
    Difference::with_spread(before, last, Spread::from_values(before)?)
}

/// Compares the last 1, 2, … `most` values with those before them (at least `base` of them), and
/// returns the most unlikely.
///
/// Its probability is corrected by Bonferroni for the counts that were tried, with weights (Genovese, Roeder and
/// Wasserman 2006, "False discovery control with p-value weighting", Biometrika 93) in proportion to the count: a
/// single value is more often odd than the normal distribution has it, and a mean of five is not.
#[must_use]
pub fn recent(values: &[f64], most: usize, base: usize) -> Option<Recent> {
    let most = most.min(values.len().checked_sub(base)?);
    let weights = (most * (most + 1) / 2) as f64;
    let tried = (1..=most).filter_map(|count| {
        let difference = prediction(values, count)?;
        Some(Recent {
            count,
            difference,
            p: (difference.p_value() * weights / count as f64).min(1.0),
        })
    });
    tried.min_by(|one, other| one.p.total_cmp(&other.p))
}

#[cfg(test)]
mod tests {
    use super::super::change_point::tests::STEP;
    use super::*;
    use proptest::prelude::*;

    /// By scipy 1.17.1: `t = d / (s √(1/3 + 1/7))`, `2 stats.t.sf(t, 6)`.
    #[test]
    fn a_prediction_is_that_of_the_reference() {
        let found = prediction(&STEP[..10], 3).unwrap();
        assert!((found.value - 0.585_714_285_714_286).abs() < 1e-12);
        assert!((found.value / found.error - 6.309_766_865_323_706).abs() < 1e-9);
        assert!((found.p_value() / 0.000_739_452_742_434 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_most_unlikely_count_is_found() {
        for count in 1..=5 {
            let found = recent(&STEP[..7 + count], 5, 5).unwrap();
            assert_eq!(found.count, count);
            assert!(found.p < 0.05, "{found:?}");
        }
        // Counts are tried as far as the base allows.
        assert_eq!(recent(&STEP[..5], 5, 5), None);
        assert_eq!(recent(&STEP[..6], 5, 5).unwrap().count, 1);
        assert_eq!(recent(&[1.0, f64::NAN, 2.0, 3.0], 1, 3), None);
    }

    proptest! {
        #[test]
        fn scale_and_level_do_not_matter(
            values in prop::collection::vec(-1f64..1.0, 8..40),
            scale in 0.1f64..100.0,
            level in -100f64..100.0,
        ) {
            let other: Vec<f64> = values.iter().map(|value| value * scale + level).collect();
            let (one, other) = (recent(&values, 5, 5).unwrap(), recent(&other, 5, 5).unwrap());
            prop_assert!((one.p - other.p).abs() < 1e-6 * (one.p + 1e-9), "{:?} {:?}", one, other);
        }
    }
}
