//! The likeliest step in some values, and whether a drift describes them better.

use std::ops::Range;

use crate::statistics::{
    ChangePoint, Difference, Spread, likeliest_change, mann_kendall, pettitt, theil_sen,
};

/// A step has so many values on either side.
pub const MARGIN: usize = 5;

/// Where the values changed, if they did, and the probability that they did not. None of fewer than ten values.
///
/// Three tests, corrected by Bonferroni: Pettitt's, which outliers do not disturb but which is blind near the
/// ends; Student's comparison of both sides where Pettitt's U is most unlikely; and the same in shorter
/// intervals, where a change that is undone later can be seen.
pub fn likeliest_step(values: &[f64]) -> Option<(usize, f64)> {
    let ChangePoint { at, p, .. } = pettitt(values, MARGIN)?;
    let all = step(values).into_iter();
    let intervals = intervals(values.len());
    let positions: usize = intervals.iter().map(|it| self::positions(it.len())).sum();
    let within = intervals.into_iter().filter_map(|interval| {
        let searched = self::positions(interval.len()).max(1);
        let (at, p) = step(values.get(interval.clone())?)?;
        Some((interval.start + at, p * positions as f64 / searched as f64))
    });
    let tests = [(at, p)].into_iter().chain(all).chain(within);
    let (at, p) = tests.min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    Some((at, (3.0 * p).min(1.0)))
}

/// Whether there is a trend, and a line describes the values better than the likeliest step. Else a drift would be
/// found as steps.
pub fn is_drift(values: &[f64], level: f64) -> bool {
    let trend = mann_kendall(values).filter(|trend| trend.p <= level);
    let step = likeliest_change(values, MARGIN).and_then(|at| values.split_at_checked(at));
    let (Some(_), Some((before, after)), Some(slope)) = (trend, step, theil_sen(values)) else {
        return false;
    };
    let flat = values.iter().enumerate();
    let flat: Vec<f64> = flat.map(|(at, value)| value - slope * at as f64).collect();
    squares(&flat) < squares(before) + squares(after)
}

/// The likeliest step, and its probability where there is none, corrected for the positions that it was chosen
/// from.
fn step(values: &[f64]) -> Option<(usize, f64)> {
    let at = likeliest_change(values, MARGIN)?;
    let (before, after) = values.split_at_checked(at)?;
    let p = pooled(before, after)?.p_value() * positions(values.len()) as f64;
    Some((at, p))
}

/// How many positions a step can have among so many values.
fn positions(values: usize) -> usize {
    (values + 1).saturating_sub(2 * MARGIN)
}

/// Shorter intervals of so many values, from long to short, that overlap by half or more (seeded binary segmentation;
/// Kovács, Bühlmann, Li and Munk 2023, Biometrika 110, with a decay of √½).
fn intervals(values: usize) -> Vec<Range<usize>> {
    let mut intervals = Vec::new();
    let mut length = values as f64;
    loop {
        length *= std::f64::consts::FRAC_1_SQRT_2;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not longer than the values"
        )]
        let whole = length.ceil() as usize;
        if whole < 2 * MARGIN || whole >= values {
            return intervals;
        }
        let room = values - whole;
        let steps = room.div_ceil(whole / 2);
        intervals.extend((0..=steps).map(|step| {
            let start = room * step / steps;
            start..start + whole
        }));
    }
}

/// Student's comparison of two means whose values spread alike.
fn pooled(before: &[f64], after: &[f64]) -> Option<Difference> {
    let freedom = (before.len() + after.len()).checked_sub(2)? as f64;
    let squares = squares(before) + squares(after);
    let spread = Spread {
        deviation: (squares / freedom).sqrt(),
        freedom,
    };
    Difference::with_spread(before, after, spread)
}

/// The sum of the squared distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let spread = Spread::from_values(values);
    spread.map_or(0.0, |spread| spread.deviation.powi(2) * spread.freedom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_shorter_and_cover_all_values() {
        for values in 0..80 {
            let intervals = intervals(values);
            for interval in &intervals {
                assert!(
                    interval.end <= values && interval.len() < values,
                    "{interval:?}"
                );
                assert!(interval.len() >= 2 * MARGIN, "{interval:?}");
            }
            let is_covered = |at: usize| intervals.iter().any(|it| it.contains(&at));
            assert!(
                intervals.is_empty() || (0..values).all(is_covered),
                "{values}"
            );
        }
        assert_eq!(intervals(15), [0..11, 4..15]);
    }
}
