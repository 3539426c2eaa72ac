//! The difference of two means: how large it is, how sure, and what would have been found.

use serde::Serialize;

use super::{Interval, Summary, student};

/// How often a change of the reported size is found; see [`Difference::detectable`].
pub const POWER: f64 = 0.9;

/// A difference of two means, or another estimate that is about normal, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Of the new mean to the base's.
    pub value: f64,
    /// The standard error of `value`.
    pub error: f64,
    /// Degrees of freedom of `error`; at least 1.
    pub freedom: f64,
}

/// How much single values spread, known from so many of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The standard deviation.
    pub deviation: f64,
    /// Degrees of freedom: one less than the values that it is known from.
    pub freedom: f64,
}

impl Difference {
    /// The mean of `new` less the mean of `base`, by Welch. The two may spread differently.
    ///
    /// None with fewer than two values on a side.
    #[must_use]
    pub fn welch(base: &[f64], new: &[f64]) -> Option<Difference> {
        Difference::welch_at_least(base, new, 0.0)
    }

    /// The same where the values of each side are taken to have a standard deviation of at least `least`.
    #[must_use]
    pub fn welch_at_least(base: &[f64], new: &[f64], least: f64) -> Option<Difference> {
        let (of, to) = (summary(new)?, summary(base)?);
        let variance = |s: &Summary| s.stddev.map(|sd| sd.max(least).powi(2) / s.count as f64);
        let (error, freedom) = welch((variance(&to)?, to.count), (variance(&of)?, of.count));
        Difference {
            value: of.mean - to.mean,
            error,
            freedom,
        }
        .checked()
    }

    /// The same where single values of both sides are known to spread so much: the error is
    /// s · √(1/n + 1/m). One value a side will do.
    ///
    /// None without a value on a side.
    #[must_use]
    pub fn with_spread(base: &[f64], new: &[f64], spread: Spread) -> Option<Difference> {
        let (of, to) = (summary(new)?, summary(base)?);
        let share = 1.0 / of.count as f64 + 1.0 / to.count as f64;
        Difference {
            value: of.mean - to.mean,
            error: spread.deviation * share.sqrt(),
            freedom: spread.freedom,
        }
        .checked()
    }

    /// None where a value is not finite.
    pub(super) fn checked(self) -> Option<Difference> {
        let is_known = self.value.is_finite() && self.error.is_finite() && self.freedom >= 1.0;
        is_known.then_some(self)
    }

    /// The probability of a difference at least this far from 0 where there is none.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        (2.0 * self.tail(self.value.abs())).min(1.0)
    }

    /// The probability of a difference at least this high where the true one is `bound`: small if the true
    /// one is above it.
    #[must_use]
    pub fn p_above(&self, bound: f64) -> f64 {
        self.tail(self.value - bound)
    }

    /// The probability of a difference at least this low where the true one is `bound`.
    #[must_use]
    pub fn p_below(&self, bound: f64) -> f64 {
        self.tail(bound - self.value)
    }

    /// That chance goes so far.
    fn tail(&self, distance: f64) -> f64 {
        if self.error > 0.0 {
            student::tail(distance / self.error, self.freedom)
        } else {
            // No spread at all: what differs, differs.
            match distance {
                d if d > 0.0 => 0.0,
                d if d < 0.0 => 1.0,
                _ => 0.5,
            }
        }
    }

    /// The two-sided interval at the level 1 − `alpha`. None unless 0 < `alpha` < 1.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> Option<Interval> {
        let half = self.half_width(alpha)?;
        Some(Interval {
            low: self.value - half,
            high: self.value + half,
        })
    }

    /// Half of the width of [`Difference::interval`].
    #[must_use]
    pub fn half_width(&self, alpha: f64) -> Option<f64> {
        let half = student::critical(alpha, self.freedom)? * self.error;
        half.is_finite().then_some(half)
    }

    /// The size of a true change that this comparison, with its own error, would have found with the
    /// probability [`POWER`], where "found" means that the estimate is further than `threshold` from 0:
    /// threshold + t(0.9, ν) · error.
    ///
    /// Exact for normal values: the estimate less the true change, in units of the error, is Student's t with
    /// ν degrees of freedom, whatever the true spread. It is a statement about this comparison. Another one
    /// with fresh values has another error.
    #[must_use]
    pub fn detectable(&self, threshold: f64) -> Option<f64> {
        let room = student::critical(2.0 * (1.0 - POWER), self.freedom)? * self.error;
        let size = threshold + room;
        size.is_finite().then_some(size)
    }
}

/// The standard error of the difference of two means, and its degrees of freedom; of each mean its variance s²/n
/// and n: √(u + v) and (u + v)² / (u² / (n − 1) + v² / (m − 1)) (Welch 1947, "The generalization of 'Student's'
/// problem when several different population variances are involved", Biometrika 34; Satterthwaite 1946, Biometrics
/// Bulletin 2). Where neither spreads, any number of degrees will do.
pub(super) fn welch((u, n): (f64, usize), (v, m): (f64, usize)) -> (f64, f64) {
    let lost = u * u / (n as f64 - 1.0) + v * v / (m as f64 - 1.0);
    let freedom = if lost > 0.0 {
        (u + v).powi(2) / lost
    } else {
        1.0
    };
    ((u + v).sqrt(), freedom)
}

fn summary(values: &[f64]) -> Option<Summary> {
    let summary = Summary::from_values(values.iter().copied())?;
    (summary.count == values.len()).then_some(summary)
}

impl Spread {
    /// Of values around their mean. None below two.
    #[must_use]
    pub fn from_values(values: &[f64]) -> Option<Spread> {
        let summary = summary(values)?;
        Some(Spread {
            deviation: summary.stddev?,
            freedom: summary.count as f64 - 1.0,
        })
    }

    /// The same with a standard deviation of at least `least`.
    #[must_use]
    pub fn at_least(self, least: f64) -> Spread {
        Spread {
            deviation: self.deviation.max(least),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unreadable_literal,
        reason = "figures as the reference prints them"
    )]

    use super::*;
    use proptest::prelude::*;

    /// `scipy.stats.ttest_ind(new, base, equal_var=False)` and its `confidence_interval(0.95)`, scipy 1.17.1.
    struct Reference {
        base: &'static [f64],
        new: &'static [f64],
        t: f64,
        freedom: f64,
        p: f64,
        interval: (f64, f64),
    }

    const SCIPY: [Reference; 3] = [
        Reference {
            base: &[
                27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7,
                21.4,
            ],
            new: &[27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2],
            t: 2.4876881750536515,
            freedom: 22.384268696642604,
            p: 0.02077228647354835,
            interval: (0.4145920789565811, 4.545407921043427),
        },
        Reference {
            base: &[9.877, 9.884, 9.887, 9.881, 9.862],
            new: &[9.833, 9.829, 9.841, 9.812, 9.835],
            t: -7.338494411785362,
            freedom: 7.899740603069204,
            p: 8.619366054807732e-05,
            interval: (-0.06337960157857087, -0.03302039842143184),
        },
        Reference {
            base: &[4.1, 4.9, 5.6],
            new: &[3.0, 3.05],
            t: -4.242944752121336,
            freedom: 2.013291158456944,
            p: 0.05071733458756262,
            interval: (-3.697484423227693, 0.014151089894360425),
        },
    ];

    #[test]
    fn welch_is_what_scipy_finds() {
        for it in SCIPY {
            let found = Difference::welch(it.base, it.new).unwrap();
            let interval = found.interval(0.05).unwrap();
            for (found, expected) in [
                (found.value / found.error, it.t),
                (found.freedom, it.freedom),
                (found.p_value(), it.p),
                (interval.low, it.interval.0),
                (interval.high, it.interval.1),
            ] {
                assert!(
                    (found - expected).abs() <= 1e-8 * expected.abs(),
                    "{found} instead of {expected}"
                );
            }
        }
    }

    #[test]
    fn one_value_a_side_needs_a_known_spread() {
        assert_eq!(Difference::welch(&[1.0], &[1.1, 1.2]), None);
        let spread = Spread {
            deviation: 0.02,
            freedom: 9.0,
        };
        let found = Difference::with_spread(&[1.0], &[1.1], spread).unwrap();
        assert!((found.value - 0.1).abs() < 1e-12);
        assert!((found.error - 0.02 * 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(Difference::with_spread(&[], &[1.1], spread), None);
        assert_eq!(Difference::with_spread(&[f64::NAN], &[1.1], spread), None);
    }

    #[test]
    fn values_that_do_not_spread_are_what_they_are() {
        let same = Difference::welch(&[2.0, 2.0], &[2.0, 2.0]).unwrap();
        assert_eq!((same.p_value(), same.half_width(0.05)), (1.0, Some(0.0)));
        let moved = Difference::welch(&[2.0, 2.0], &[1.0, 1.0]).unwrap();
        let p = [moved.p_value(), moved.p_below(-0.5), moved.p_above(-0.5)];
        assert!(
            p.iter()
                .zip([0.0, 0.0, 1.0])
                .all(|(p, expected)| (p - expected).abs() < f64::EPSILON),
            "{p:?}"
        );
    }

    #[test]
    fn what_would_have_been_found_is_found_as_often_as_it_says() {
        // Without a true change the estimate is t · error; a change of the reported size moves it by as much.
        let found = Difference {
            value: 0.0,
            error: 1.0,
            freedom: 8.0,
        };
        let threshold = found.half_width(0.05 / 30.0).unwrap();
        let size = found.detectable(threshold).unwrap();
        let missed = student::tail(size - threshold, 8.0);
        assert!((missed - (1.0 - POWER)).abs() < 1e-9, "{missed}");
    }

    proptest! {
        #[test]
        fn sides_can_be_swapped(
            base in prop::collection::vec(-1e3f64..1e3, 2..9),
            new in prop::collection::vec(-1e3f64..1e3, 2..9),
        ) {
            let there = Difference::welch(&base, &new).unwrap();
            let back = Difference::welch(&new, &base).unwrap();
            prop_assert!((there.value + back.value).abs() < 1e-9);
            prop_assert!((there.error - back.error).abs() < 1e-9);
            prop_assert!((there.p_value() - back.p_value()).abs() < 1e-9);
            prop_assert!((there.p_above(0.3) - back.p_below(-0.3)).abs() < 1e-9);
            let fewer = (base.len().min(new.len()) - 1) as f64;
            let all = (base.len() + new.len() - 2) as f64;
            prop_assert!(there.freedom >= fewer - 1e-6 && there.freedom <= all + 1e-6);
        }

        #[test]
        fn the_interval_excludes_0_when_the_p_value_is_below_the_level(
            base in prop::collection::vec(0f64..1.0, 2..9),
            new in prop::collection::vec(0f64..2.0, 2..9),
            alpha in 0.0001f64..0.5,
        ) {
            let found = Difference::welch(&base, &new).unwrap();
            let interval = found.interval(alpha).unwrap();
            prop_assume!((found.p_value() - alpha).abs() > 1e-6);
            prop_assert_eq!(!interval.contains(0.0), found.p_value() < alpha);
        }

        #[test]
        fn any_floats_never_panic(
            base in prop::collection::vec(any::<f64>(), 0..6),
            new in prop::collection::vec(any::<f64>(), 0..6),
        ) {
            if let Some(found) = Difference::welch(&base, &new) {
                prop_assert!((0.0..=1.0).contains(&found.p_value()));
            }
        }
    }
}
