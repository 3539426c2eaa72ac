//! Corrections for many tests at once: of a hundred true hypotheses five are rejected at 5 % each.

/// Adjusted p-values by Holm (1979, "A simple sequentially rejective multiple test procedure",
/// Scandinavian Journal of Statistics 6): rejecting what is at most α rejects any true hypothesis with
/// probability α at most, however the tests depend on each other. In the order of `p`.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut highest = 0.0f64;
    let steps = ascending(p).into_iter().enumerate().map(|(rank, at)| {
        let left = (p.len() - rank) as f64;
        highest = highest.max((p[at] * left).min(1.0));
        (at, highest)
    });
    in_order(p.len(), steps)
}

/// The level at which Holm's procedure tests each hypothesis: α / m for the smallest p-value, α / (m − 1) for
/// the next, and so on while hypotheses are rejected; the first that is not, and all after it, have the
/// level of that step. Intervals at these levels exclude what Holm rejects, and nothing else.
#[must_use]
pub fn holm_levels(p: &[f64], alpha: f64) -> Vec<f64> {
    let mut left = p.len();
    let mut rejects = true;
    let steps = ascending(p).into_iter().map(|at| {
        let level = alpha / left as f64;
        rejects = rejects && p[at] <= level;
        if rejects {
            left -= 1;
        }
        (at, level)
    });
    in_order(p.len(), steps)
}

/// Adjusted p-values by Benjamini and Hochberg (1995, "Controlling the false discovery rate", Journal of
/// the Royal Statistical Society B 57): of what is rejected at q at most, a share of q is rejected wrongly
/// on the average, for tests that are independent or depend on each other positively. In the order of `p`.
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let all = p.len() as f64;
    let mut lowest = 1.0f64;
    let order = ascending(p).into_iter().enumerate().rev();
    let steps = order.map(|(rank, at)| {
        lowest = lowest.min(p[at] * all / (rank + 1) as f64);
        (at, lowest)
    });
    in_order(p.len(), steps)
}

/// Positions from the smallest p-value to the largest; equal ones as they come.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

fn in_order(count: usize, steps: impl Iterator<Item = (usize, f64)>) -> Vec<f64> {
    let mut values = vec![1.0; count];
    for (at, value) in steps {
        values[at] = value;
    }
    values
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unreadable_literal,
        reason = "figures as the reference prints them"
    )]

    use super::*;
    use proptest::prelude::*;

    /// Adjusted by `statsmodels.stats.multitest.multipletests`, statsmodels 0.15.0, methods `holm` and
    /// `fdr_bh`. The p-values are those of Benjamini & Hochberg 1995, section 3.2.
    const P: [f64; 15] = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0,
    ];
    const HOLM: [f64; 15] = [
        0.0015,
        0.0056,
        0.0247,
        0.11399999999999999,
        0.2211,
        0.27799999999999997,
        0.27799999999999997,
        0.27799999999999997,
        0.32130000000000003,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
    ];
    const BH: [f64; 15] = [
        0.0015,
        0.003,
        0.0095,
        0.035625,
        0.0603,
        0.06385714285714286,
        0.06385714285714286,
        0.0645,
        0.07650000000000001,
        0.48600000000000004,
        0.5811818181818182,
        0.7148749999999999,
        0.7532307692307693,
        0.8132142857142857,
        1.0,
    ];

    #[test]
    fn corrections_are_those_of_statsmodels() {
        // Any order will do.
        let turned: Vec<f64> = P.iter().rev().copied().collect();
        for (found, expected) in [(holm(&turned), HOLM), (benjamini_hochberg(&turned), BH)] {
            for (found, expected) in found.iter().rev().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{found} is not {expected}"
                );
            }
        }
    }

    #[test]
    fn levels_widen_as_hypotheses_are_rejected() {
        let levels = holm_levels(&[0.9, 0.001, 0.02, 0.6], 0.05);
        let expected = [0.05 / 3.0, 0.05 / 4.0, 0.05 / 3.0, 0.05 / 3.0];
        assert_eq!(levels, expected);
        assert!(holm_levels(&[], 0.05).is_empty());
        assert_eq!(holm(&[0.04]), [0.04]);
    }

    proptest! {
        #[test]
        fn levels_reject_what_holm_rejects(
            p in prop::collection::vec(prop_oneof![0f64..1.0, 0f64..0.01, Just(0.0)], 0..30),
            alpha in 0.001f64..0.5,
        ) {
            let (adjusted, levels) = (holm(&p), holm_levels(&p, alpha));
            for ((p, adjusted), level) in p.iter().zip(&adjusted).zip(&levels) {
                prop_assume!((adjusted - alpha).abs() > 1e-9);
                prop_assert_eq!(*adjusted <= alpha, p <= level, "{} {} {}", p, adjusted, level);
                prop_assert!(*level <= alpha && *level >= alpha / levels.len() as f64);
            }
        }

        #[test]
        fn corrections_only_raise_and_keep_the_order(p in prop::collection::vec(0f64..1.0, 1..40)) {
            let (holm, bh) = (holm(&p), benjamini_hochberg(&p));
            for i in 0..p.len() {
                prop_assert!(p[i] <= bh[i] + 1e-12 && bh[i] <= holm[i] + 1e-12 && holm[i] <= 1.0);
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || (holm[i] <= holm[j] && bh[i] <= bh[j]));
                }
            }
        }
    }
}
