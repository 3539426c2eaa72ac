//! Where a series changed its level.

/// A possible change: the series from `at` on against what is before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// The position of the first value after the change, at least 1.
    pub at: usize,
    /// Pettitt's K: the largest |U|.
    pub k: f64,
    /// The probability of a K at least as large in a series without a change: 2 · exp(−6 K² / (n³ + n²)), at
    /// most 1. An approximation that is good to two digits below 0.5, and too large below 20 values.
    pub p: f64,
}

/// Pettitt's test (1979, "A non-parametric approach to the change-point problem", Applied Statistics 28):
/// for each t, U(t) = Σ sgn(x(i) − x(j)) over i ≤ t < j, and the change is where |U| is largest; where
/// several are, at the first. It uses ranks alone, so outliers weigh no more than others.
///
/// Looks only for changes that have `margin` values (at least one) on either side. None of fewer than twice
/// as many values, or of values that are not finite.
#[must_use]
pub fn pettitt(values: &[f64], margin: usize) -> Option<ChangePoint> {
    let u = rank_balance(values)?;
    let (at, k) = largest(values.len(), margin, |at| u.get(at).map(|u| u.abs()))?;
    let n = values.len() as f64;
    let p = 2.0 * (-6.0 * k * k / (n.powi(3) + n.powi(2))).exp();
    Some(ChangePoint {
        at,
        k,
        p: p.min(1.0),
    })
}

/// Where a series most likely changed: the position at which Pettitt's |U| is largest in its own standard
/// deviations, √(t (n − t) (n + 1) / 3) for values without ties (that of Mann and Whitney's statistic, doubled).
/// Pettitt's K itself prefers changes in the middle. `margin` and None as in [`pettitt`].
#[must_use]
pub fn likeliest_change(values: &[f64], margin: usize) -> Option<usize> {
    let u = rank_balance(values)?;
    let n = values.len();
    let deviations = |at: usize| {
        let spread = (at as f64 * (n - at) as f64 * (n + 1) as f64 / 3.0).sqrt();
        Some(u.get(at)?.abs() / spread)
    };
    largest(n, margin, deviations).map(|(at, _)| at)
}

/// U by t, from 0 to n. None of values that are not finite.
fn rank_balance(values: &[f64]) -> Option<Vec<f64>> {
    if !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let n = values.len();
    // Pairs within the first t cancel, so U(t) = Σ over i ≤ t of (values below x(i) − values above x(i)).
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut balance = vec![0.0; n];
    let mut below = 0;
    for equal in order.chunk_by(|a, b| values[*a].total_cmp(&values[*b]).is_eq()) {
        let above = n - below - equal.len();
        for at in equal {
            balance[*at] = below as f64 - above as f64;
        }
        below += equal.len();
    }
    let sums = balance.iter().scan(0.0, |u, balance| {
        *u += balance;
        Some(*u)
    });
    Some([0.0].into_iter().chain(sums).collect())
}

/// The first position with the largest score, `margin` from both ends.
fn largest(n: usize, margin: usize, score: impl Fn(usize) -> Option<f64>) -> Option<(usize, f64)> {
    let margin = margin.max(1);
    let positions = margin..=n.checked_sub(margin)?;
    let scored = positions.filter_map(|at| Some((at, score(at)?)));
    scored.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The annual flow of the Nile at Aswan, 1871 to 1970 (R's `datasets::Nile`): the dam was built in 1899.
    pub(crate) const NILE: [f64; 100] = [
        1120., 1160., 963., 1210., 1160., 1160., 813., 1230., 1370., 1140., 995., 935., 1110.,
        994., 1020., 960., 1180., 799., 958., 1140., 1100., 1210., 1150., 1250., 1260., 1220.,
        1030., 1100., 774., 840., 874., 694., 940., 833., 701., 916., 692., 1020., 1050., 969.,
        831., 726., 456., 824., 702., 1120., 1100., 832., 764., 821., 768., 845., 864., 862., 698.,
        845., 744., 796., 1040., 759., 781., 865., 845., 944., 984., 897., 822., 1010., 771., 676.,
        649., 846., 812., 742., 801., 1040., 860., 874., 848., 890., 744., 749., 838., 1050., 918.,
        986., 797., 923., 975., 815., 1020., 906., 901., 1170., 912., 746., 919., 718., 714., 740.,
    ];
    /// A step after seven values, with ties.
    pub(crate) const STEP: [f64; 14] = [
        5.1, 4.9, 5.0, 5.2, 5.0, 4.8, 5.1, 5.6, 5.7, 5.5, 5.8, 5.6, 5.7, 5.6,
    ];

    /// K and its place by `pyhomogeneity.pettitt_test` 1.1 (of the Nile), and by the sums as they are
    /// written, in Python; p by the formula.
    #[test]
    fn changes_are_those_of_the_reference() {
        for (values, at, k, p) in [
            (&NILE[..], 28, 1617.0, 3.591_022_176_936e-7),
            (&STEP[..], 7, 49.0, 0.014_893_166_141_848),
        ] {
            let found = pettitt(values, 1).unwrap();
            assert_eq!((found.at, found.k), (at, k));
            assert!((found.p / p - 1.0).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn a_margin_keeps_off_the_ends() {
        let mut values = [1.0; 20];
        values[18..].fill(9.0);
        assert_eq!(pettitt(&values, 1).unwrap().at, 18);
        assert!(pettitt(&values, 5).unwrap().at <= 15);
        assert_eq!(pettitt(&values[..9], 5), None);
        assert_eq!(pettitt(&[1.0, f64::NAN], 1), None);
        assert_eq!(pettitt(&[], 0), None);
        assert_eq!(likeliest_change(&[1.0, f64::NAN], 1), None);
        // All alike: no change, and no certainty.
        assert!(pettitt(&[2.0; 12], 1).unwrap().p >= 1.0);
    }

    #[test]
    fn a_change_near_an_end_is_found_there() {
        let mut values: Vec<f64> = (0..60).map(|at| f64::from(at * 7 % 11)).collect();
        for value in &mut values[52..] {
            *value -= 12.0;
        }
        assert_eq!(likeliest_change(&values, 5), Some(52));
        assert_eq!(likeliest_change(&STEP, 1), Some(7));
    }

    proptest! {
        #[test]
        fn ranks_give_the_sums_of_signs(values in prop::collection::vec(0u8..20, 2..30)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let u = |t: usize| {
                let pairs = values[..t].iter().flat_map(|a| values[t..].iter().map(move |b| (a, b)));
                pairs.map(|(a, b)| f64::from(i8::from(a > b) - i8::from(a < b))).sum::<f64>()
            };
            let k = (1..values.len()).map(|t| u(t).abs()).fold(0.0, f64::max);
            let found = pettitt(&values, 1).unwrap();
            prop_assert!((found.k - k).abs() < 1e-9);
            prop_assert!((u(found.at).abs() - k).abs() < 1e-9);
        }

        #[test]
        fn only_the_order_of_values_counts(values in prop::collection::vec(-1e3f64..1e3, 4..40)) {
            let curved: Vec<f64> = values.iter().map(|value| value.powi(3) + 7.0).collect();
            prop_assert_eq!(pettitt(&values, 2), pettitt(&curved, 2));
        }
    }
}
