//! Confidence intervals.

use serde::Serialize;

use super::{Summary, student};

/// How often a 95 % interval may miss.
pub const ALPHA: f64 = 0.05;

/// From where to where a true value is thought to lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Half of its width: the figure behind a ±.
    #[must_use]
    pub fn half(self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// The interval of the value in a unit that is `divisor` times as large.
    #[must_use]
    pub fn divided_by(self, divisor: f64) -> Interval {
        Interval {
            low: self.low / divisor,
            high: self.high / divisor,
        }
    }

    /// Its ends count.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

impl Summary {
    /// Half the width of the mean's interval at the level 1 − `alpha`: t(1 − α/2, n − 1) · s / √n
    /// (Student 1908). It takes the samples as independent and about normal. None below two samples.
    #[must_use]
    pub fn half_width(&self, alpha: f64) -> Option<f64> {
        let n = self.count as f64;
        let half = student::critical(alpha, n - 1.0)? * self.stddev? / n.sqrt();
        half.is_finite().then_some(half)
    }

    /// The mean's interval at the level 1 − `alpha`; with [`ALPHA`] the 95 % interval of a number of
    /// samples that was fixed beforehand. For one that was not see
    /// [`stopping_rule`](super::stopping_rule).
    #[must_use]
    pub fn interval(&self, alpha: f64) -> Option<Interval> {
        let half = self.half_width(alpha)?;
        Some(Interval {
            low: self.mean - half,
            high: self.mean + half,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_published_example() {
        // NIST e-Handbook 1.3.5.2, ZARR13.DAT: N = 195, mean 9.261460, s 0.022789; the 95 %
        // interval is 9.258242 to 9.264679.
        let zarr13 = Summary {
            count: 195,
            mean: 9.261_460,
            stddev: Some(0.022_789),
            ..Summary::from_values([9.261_460]).unwrap()
        };
        let interval = zarr13.interval(ALPHA).unwrap();
        assert!((interval.low - 9.258_242).abs() < 1e-6, "{interval:?}");
        assert!((interval.high - 9.264_679).abs() < 1e-6, "{interval:?}");
    }

    #[test]
    fn one_sample_has_no_interval() {
        assert_eq!(Summary::from_values([3.0]).unwrap().interval(ALPHA), None);
        let same = Summary::from_values([3.0, 3.0])
            .unwrap()
            .interval(ALPHA)
            .unwrap();
        assert_eq!((same.low, same.high), (3.0, 3.0));
    }

    proptest! {
        #[test]
        fn an_interval_lies_around_the_mean(values in prop::collection::vec(-1e9f64..1e9, 2..40)) {
            let summary = Summary::from_values(values).unwrap();
            let interval = summary.interval(ALPHA).unwrap();
            prop_assert!(interval.contains(summary.mean));
            let wider = summary.interval(0.01).unwrap();
            prop_assert!(wider.low <= interval.low && interval.high <= wider.high);
        }

        #[test]
        fn any_floats_never_panic(values in prop::collection::vec(any::<f64>(), 0..20)) {
            if let Some(interval) = Summary::from_values(values).and_then(|s| s.interval(ALPHA)) {
                prop_assert!(interval.low <= interval.high);
            }
        }
    }
}
