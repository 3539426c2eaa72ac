//! The ratio of two means.

use serde::Serialize;

use super::difference::welch;
use super::{Interval, Summary, student};

/// How much one mean is of another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    pub value: f64,
    /// None when one of the two has a single sample.
    pub interval: Option<Interval>,
}

/// The ratio of the means of `of` and `to` with its interval at the level 1 − `alpha`.
///
/// Welch's interval of the difference of the means' logarithms: by the delta method the variance of
/// ln x̄ is s² / (n x̄²), so the ratio is exp(ln x̄ − ln ȳ ± t(1 − α/2, ν) · √(u + v)) with u and v
/// the two variances and ν degrees of freedom; see [`welch`]. Unlike Fieller's it is
/// always finite and positive, and the interval of the inverse ratio is its inverse; where the
/// means are known to a few percent the two agree.
///
/// The samples are not paired, also where interleaved rounds would allow it: drift that both share
/// makes this interval wider than it need be, never narrower.
///
/// None unless both means are positive.
#[must_use]
pub fn ratio(of: &Summary, to: &Summary, alpha: f64) -> Option<Ratio> {
    let value = of.mean / to.mean;
    let sensible = of.mean > 0.0 && to.mean > 0.0 && value.is_finite() && value > 0.0;
    sensible.then(|| Ratio {
        value,
        interval: half_width(of, to, alpha).map(|half| Interval {
            low: value * (-half).exp(),
            high: value * half.exp(),
        }),
    })
}

/// Of the logarithm of the ratio.
fn half_width(of: &Summary, to: &Summary, alpha: f64) -> Option<f64> {
    let variance = |s: &Summary| s.cv.map(|cv| cv * cv / s.count as f64);
    let (u, v) = (variance(of)?, variance(to)?);
    let (error, freedom) = welch((u, of.count), (v, to.count));
    if error == 0.0 {
        return Some(0.0);
    }
    let half = student::critical(alpha, freedom)? * error;
    half.is_finite().then_some(half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn summary(values: &[f64]) -> Summary {
        Summary::from_values(values.iter().copied()).unwrap()
    }

    #[test]
    fn an_example_by_hand() {
        // Relative variances of the means: (0.01)²/4 and (0.02)²/4; ν = (5e-4/4)² / ((1e-4/4)²/3 +
        // (4e-4/4)²/3) = 3 · 25 / 17 = 4.412; t(0.975, 4.412) = 2.677.
        let of = Summary {
            count: 4,
            mean: 80.0,
            stddev: Some(0.8),
            cv: Some(0.01),
            ..summary(&[80.0])
        };
        let to = Summary {
            count: 4,
            mean: 100.0,
            stddev: Some(2.0),
            cv: Some(0.02),
            ..summary(&[100.0])
        };
        let found = ratio(&of, &to, 0.05).unwrap();
        let interval = found.interval.unwrap();
        let half = 2.677 * (5e-4f64 / 4.0).sqrt();
        assert!((found.value - 0.8).abs() < 1e-12);
        assert!(
            (interval.low - 0.8 * (-half).exp()).abs() < 1e-4,
            "{interval:?}"
        );
        assert!(
            (interval.high - 0.8 * half.exp()).abs() < 1e-4,
            "{interval:?}"
        );
    }

    #[test]
    fn what_has_no_ratio_and_what_no_interval() {
        let (a, b) = (summary(&[8.0, 9.0]), summary(&[10.0]));
        assert_eq!(ratio(&a, &summary(&[0.0]), 0.05), None);
        assert_eq!(ratio(&summary(&[0.0, 0.0]), &b, 0.05), None);
        assert_eq!(ratio(&a, &summary(&[-1.0, -2.0]), 0.05), None);
        let single = ratio(&a, &b, 0.05).unwrap();
        assert_eq!((single.value, single.interval), (0.85, None));
        let same = ratio(&summary(&[2.0, 2.0]), &summary(&[4.0, 4.0]), 0.05).unwrap();
        assert_eq!(
            same.interval,
            Some(Interval {
                low: 0.5,
                high: 0.5
            })
        );
    }

    proptest! {
        #[test]
        fn the_inverse_has_the_inverse_interval(
            a in prop::collection::vec(1f64..100.0, 2..10),
            b in prop::collection::vec(1f64..100.0, 2..10),
        ) {
            let there = ratio(&summary(&a), &summary(&b), 0.05).unwrap();
            let back = ratio(&summary(&b), &summary(&a), 0.05).unwrap();
            let (i, j) = (there.interval.unwrap(), back.interval.unwrap());
            prop_assert!((there.value * back.value - 1.0).abs() < 1e-9);
            prop_assert!((i.low * j.high - 1.0).abs() < 1e-9 && (i.high * j.low - 1.0).abs() < 1e-9);
            prop_assert!(i.contains(there.value));
        }

        #[test]
        fn any_floats_never_panic(
            a in prop::collection::vec(any::<f64>(), 1..9),
            b in prop::collection::vec(any::<f64>(), 1..9),
        ) {
            if let (Some(a), Some(b)) = (Summary::from_values(a), Summary::from_values(b))
                && let Some(found) = ratio(&a, &b, 0.05)
                && let Some(interval) = found.interval
            {
                prop_assert!(interval.low <= interval.high);
            }
        }
    }
}
