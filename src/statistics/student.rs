//! Student's t distribution (Student 1908, "The probable error of a mean", Biometrika 6).

use statrs::distribution::{ContinuousCDF as _, Normal, StudentsT};

/// The two-sided critical value: |T| of `freedom` degrees exceeds it with probability `alpha`. The
/// degrees need not be whole (Welch–Satterthwaite gives fractions).
///
/// None unless 0 < `alpha` < 1 and `freedom` is finite and at least 1, which is what the samples of
/// two or more measurements have.
#[must_use]
pub fn critical(alpha: f64, freedom: f64) -> Option<f64> {
    let sensible = alpha > 0.0 && alpha < 1.0 && freedom.is_finite() && freedom >= 1.0;
    if !sensible {
        return None;
    }
    let p = 1.0 - alpha / 2.0;
    let value = if freedom <= 1000.0 {
        StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(p)
    } else {
        // The inverse of the incomplete beta function loses digits; the expansion around the normal
        // distribution has more than enough of them (Abramowitz & Stegun 26.7.5).
        let z = Normal::standard().inverse_cdf(p);
        z + (z.powi(3) + z) / (4.0 * freedom)
            + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * freedom * freedom)
    };
    value.is_finite().then_some(value)
}

/// The probability that T of `freedom` degrees is above `t`. `freedom` is at least 1.
#[must_use]
pub fn tail(t: f64, freedom: f64) -> f64 {
    let p = if freedom <= 1000.0 {
        StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |student| student.sf(t))
    } else {
        // The inverse of the expansion in `critical` to a thousandth (Abramowitz & Stegun 26.7.8).
        let z = t * (1.0 - 1.0 / (4.0 * freedom)) / (1.0 + t * t / (2.0 * freedom)).sqrt();
        Normal::standard().sf(z)
    };
    if p.is_finite() { p } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, "Critical Values of the
    /// Student's-t Distribution": the columns 0.95, 0.975, 0.99 and 0.995.
    const NIST: [(f64, [f64; 4]); 14] = [
        (1.0, [6.314, 12.706, 31.821, 63.657]),
        (2.0, [2.920, 4.303, 6.965, 9.925]),
        (3.0, [2.353, 3.182, 4.541, 5.841]),
        (4.0, [2.132, 2.776, 3.747, 4.604]),
        (5.0, [2.015, 2.571, 3.365, 4.032]),
        (6.0, [1.943, 2.447, 3.143, 3.707]),
        (8.0, [1.860, 2.306, 2.896, 3.355]),
        (9.0, [1.833, 2.262, 2.821, 3.250]),
        (10.0, [1.812, 2.228, 2.764, 3.169]),
        (15.0, [1.753, 2.131, 2.602, 2.947]),
        (19.0, [1.729, 2.093, 2.539, 2.861]),
        (30.0, [1.697, 2.042, 2.457, 2.750]),
        (60.0, [1.671, 2.000, 2.390, 2.660]),
        (100.0, [1.660, 1.984, 2.364, 2.626]),
    ];

    #[test]
    fn critical_values_are_those_of_the_published_table() {
        for (freedom, row) in NIST {
            for (alpha, published) in [0.10, 0.05, 0.02, 0.01].into_iter().zip(row) {
                let found = critical(alpha, freedom).unwrap();
                assert!(
                    (found - published).abs() <= 0.000_501,
                    "alpha {alpha}, {freedom} degrees: {found} instead of {published}"
                );
            }
        }
        // The table's last row: the normal distribution.
        for freedom in [1e6, 1e12] {
            assert!((critical(0.05, freedom).unwrap() - 1.959_964).abs() < 1e-5);
        }
    }

    #[test]
    fn a_tail_is_the_inverse_of_the_critical_value() {
        for freedom in [1.0, 2.5, 8.0, 30.0, 999.0, 1001.0, 1e5] {
            for alpha in [0.5, 0.05, 0.001, 1e-5] {
                let t = critical(alpha, freedom).unwrap();
                for (t, expected) in [(t, alpha / 2.0), (-t, 1.0 - alpha / 2.0)] {
                    let found = tail(t, freedom);
                    let error = (found - expected).abs();
                    assert!(error <= 1e-3 * expected, "{alpha}, {freedom}: {found}");
                }
            }
        }
        assert!((tail(0.0, 5.0) - 0.5).abs() < 1e-12 && tail(f64::INFINITY, 5.0) == 0.0);
    }

    #[test]
    fn two_degrees_have_a_closed_form() {
        // F⁻¹(p) = (2p − 1) / √(2 p (1 − p)).
        for alpha in [0.2, 0.05, 0.015, 0.001] {
            let p: f64 = 1.0 - alpha / 2.0;
            let exact = (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
            assert!((critical(alpha, 2.0).unwrap() - exact).abs() < 1e-9 * exact);
        }
    }

    #[test]
    fn nonsense_has_no_critical_value() {
        for (alpha, freedom) in [
            (0.0, 5.0),
            (1.0, 5.0),
            (f64::NAN, 5.0),
            (0.05, 0.0),
            (0.05, f64::NAN),
            (0.05, f64::INFINITY),
        ] {
            assert_eq!(critical(alpha, freedom), None);
        }
    }

    #[test]
    fn the_two_ways_meet() {
        for alpha in [0.1, 0.05, 0.02, 0.001] {
            let (below, above) = (critical(alpha, 1000.0), critical(alpha, 1000.0 + 1e-6));
            assert!((below.unwrap() - above.unwrap()).abs() < 1e-6, "{alpha}");
        }
    }

    proptest! {
        #[test]
        fn more_samples_and_less_certainty_need_less(
            freedom in 1f64..2e3,
            more in 0.01f64..1e4,
            alpha in 0.001f64..0.5,
        ) {
            let here = critical(alpha, freedom).unwrap();
            prop_assert!(critical(alpha, freedom + more).unwrap() <= here * (1.0 + 1e-7));
            prop_assert!(critical(alpha * 1.01, freedom).unwrap() < here);
        }
    }
}
