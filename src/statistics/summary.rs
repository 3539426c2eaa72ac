//! The figures that sum up the samples of a cell.

/// What a handful of samples says.
///
/// Figures are of the size of measurements: with magnitudes above 1e150 the squares overflow and
/// the spread is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub count: usize,
    /// Arithmetic mean: Σx / n.
    pub mean: f64,
    /// The middle value; between the two middle ones when the count is even.
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// Sample standard deviation, √(Σ(x − mean)² / (n − 1)) (Bessel's correction, since the samples
    /// estimate the spread of all runs that might have been). None below two samples.
    pub stddev: Option<f64>,
    /// Coefficient of variation: the standard deviation as a share of the mean's magnitude. None
    /// without a standard deviation or around a mean of 0.
    pub cv: Option<f64>,
}

impl Summary {
    /// Sums up; values that are not finite count for nothing. None without any value.
    #[must_use]
    pub fn from_values(values: impl IntoIterator<Item = f64>) -> Option<Summary> {
        let mut values = values.into_iter().filter(|v| v.is_finite());
        let first = values.next()?;
        let Some(second) = values.next() else {
            return Some(Summary::from_value(first));
        };
        let mut sorted: Vec<f64> = [first, second].into_iter().chain(values).collect();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let count = sorted.len();
        let middle = count / 2;
        let median = if count.is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        // Dividing first keeps the sum from overflowing; the clamp takes back what rounding adds.
        let mean = sorted
            .iter()
            .map(|v| v / count as f64)
            .sum::<f64>()
            .clamp(min, max);
        let squares: f64 = sorted.iter().map(|v| (v - mean).powi(2)).sum();
        let stddev = Some((squares / (count - 1) as f64).sqrt()).filter(|s| s.is_finite());
        let cv = stddev
            .filter(|_| mean != 0.0)
            .map(|s| s / mean.abs())
            .filter(|c| c.is_finite());
        Some(Summary {
            count,
            mean,
            median,
            min,
            max,
            stddev,
            cv,
        })
    }

    /// Of a single value. Most cells of a large run have one sample.
    fn from_value(value: f64) -> Summary {
        Summary {
            count: 1,
            mean: value,
            median: value,
            min: value,
            max: value,
            stddev: None,
            cv: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_known_example() {
        let s = Summary::from_values([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!((s.count, s.min, s.max), (8, 2.0, 9.0));
        assert!((s.mean - 5.0).abs() < 1e-12 && (s.median - 4.5).abs() < 1e-12);
        assert!((s.stddev.unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert!((s.cv.unwrap() - (32.0f64 / 7.0).sqrt() / 5.0).abs() < 1e-12);
    }

    #[test]
    fn one_sample_has_no_spread_and_none_has_nothing() {
        let one = Summary::from_values([3.5]).unwrap();
        assert_eq!(
            (one.mean, one.median, one.stddev, one.cv),
            (3.5, 3.5, None, None)
        );
        assert_eq!(Summary::from_values([]), None);
        assert_eq!(Summary::from_values([f64::NAN, f64::INFINITY]), None);
        assert_eq!(Summary::from_values([0.0, 0.0]).unwrap().cv, None);
    }

    proptest! {
        #[test]
        fn figures_stay_within_their_bounds(values in prop::collection::vec(-1e12f64..1e12, 1..50)) {
            let s = Summary::from_values(values.iter().copied()).unwrap();
            prop_assert_eq!(s.count, values.len());
            prop_assert!(s.min <= s.median && s.median <= s.max);
            prop_assert!(s.min <= s.mean && s.mean <= s.max);
            prop_assert_eq!(s.stddev.is_some(), values.len() > 1);
            if let Some(stddev) = s.stddev {
                // No sample lies further out than the whole range; n/(n-1) is at most 2.
                prop_assert!(stddev >= 0.0 && stddev <= (s.max - s.min) * 1.0001 + 1e-9);
            }
        }

        #[test]
        fn order_does_not_matter(mut values in prop::collection::vec(-1e9f64..1e9, 1..30)) {
            let before = Summary::from_values(values.iter().copied());
            values.reverse();
            prop_assert_eq!(before, Summary::from_values(values));
        }

        #[test]
        fn shifting_moves_the_mean_and_keeps_the_spread(
            values in prop::collection::vec(0f64..1e6, 2..30),
            by in -1e6f64..1e6,
        ) {
            let a = Summary::from_values(values.iter().copied()).unwrap();
            let b = Summary::from_values(values.iter().map(|v| v + by)).unwrap();
            prop_assert!((a.mean + by - b.mean).abs() < 1e-6);
            prop_assert!((a.stddev.unwrap() - b.stddev.unwrap()).abs() < 1e-6);
        }

        #[test]
        fn any_floats_never_panic(values in prop::collection::vec(any::<f64>(), 0..20)) {
            if let Some(s) = Summary::from_values(values) {
                prop_assert!(s.mean.is_finite());
            }
        }
    }
}
