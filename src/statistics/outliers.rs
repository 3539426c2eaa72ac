//! Samples far from the rest. They are marked, never dropped: an outlier may be the
//! network's own behaviour.

use super::Summary;

/// With fewer samples none is called an outlier: two that happen to be alike make any third look
/// odd.
pub const OUTLIERS_FROM: usize = 5;

/// Which values are outliers, in the order of `values`.
///
/// The modified z-score of Iglewicz & Hoaglin (1993, "How to Detect and Handle Outliers", ASQC):
/// 0.6745 · |x − median| / MAD, MAD being the median of |x − median|; where more than half of the
/// values are the same, so that MAD is 0, |x − median| / (1.2533 · the mean of |x − median|). Their
/// limit of 3.5 is meant for long series: of 5 to 10 normal samples it marks one in every fifth to
/// eighth series. Here the limit is 3.5 + 14 / n, by which about one series in twenty that has no
/// outlier gets a mark (found by simulation, as Davies & Gather 1993 do for the like rule of
/// Hampel).
#[must_use]
pub fn outliers(values: &[f64]) -> Vec<bool> {
    let none = vec![false; values.len()];
    let Some(summary) = Summary::from_values(values.iter().copied()) else {
        return none;
    };
    let n = summary.count as f64;
    let distance = |value: &f64| (value - summary.median).abs();
    let Some(distances) = Summary::from_values(values.iter().map(distance)) else {
        return none;
    };
    // What a distance is in standard deviations, were the samples normal.
    let unit = if distances.median > 0.0 {
        distances.median / 0.6745
    } else {
        distances.mean * 1.253_314
    };
    if summary.count < OUTLIERS_FROM || unit <= 0.0 {
        return none;
    }
    let limit = 3.5 + 14.0 / n;
    values
        .iter()
        .map(|value| value.is_finite() && distance(value) / unit > limit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONE: [f64; 0] = [];

    fn marked(values: &[f64]) -> Vec<f64> {
        let marks = outliers(values);
        let both = values.iter().zip(marks);
        both.filter_map(|(value, mark)| mark.then_some(*value))
            .collect()
    }

    #[test]
    fn what_stands_far_out_is_marked() {
        assert_eq!(marked(&[9.4, 9.5, 9.5, 9.4, 2.1, 9.6]), [2.1]);
        assert_eq!(marked(&[9.4, 9.5, 9.5, 9.4, 9.3, 9.6]), NONE);
        assert_eq!(
            marked(&[1.0, 1.1, 0.9, 50.0, 1.0, 1.05, 0.95, -50.0]),
            [50.0, -50.0]
        );
    }

    #[test]
    fn few_or_equal_samples_have_none() {
        assert_eq!(marked(&[1.0, 1.0, 1.01, 90.0]), NONE);
        assert_eq!(marked(&[5.0; 9]), NONE);
        assert_eq!(outliers(&[]), [] as [bool; 0]);
        // More than half are the same: the mean distance takes the median's place.
        assert_eq!(marked(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 6.0]), [6.0]);
    }

    proptest! {
        #[test]
        fn marks_stay_when_all_is_scaled_and_shifted(
            values in prop::collection::vec(0f64..1e3, 0..30),
            scale in 0.25f64..4.0,
        ) {
            // A power of two scales without rounding.
            let scale = scale.log2().round().exp2();
            let scaled: Vec<f64> = values.iter().map(|v| v * scale).collect();
            prop_assert_eq!(outliers(&values), outliers(&scaled));
        }

        #[test]
        fn never_most_of_them(values in prop::collection::vec(any::<f64>(), 0..30)) {
            let marks = outliers(&values);
            prop_assert_eq!(marks.len(), values.len());
            prop_assert!(marks.iter().filter(|mark| **mark).count() * 2 <= values.len());
        }
    }
}
