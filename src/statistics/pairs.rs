//! Two configurations measured in the same rounds, compared in pairs.
//!
//! Within a round both are measured next to each other, so what drifts more slowly than a round takes
//! cancels in the difference of their logarithms. The estimate is the mean of these differences with
//! Student's interval (Student 1908); the unit is the round.

use super::{Difference, Summary};

/// Fewer pairs say nothing about an order effect.
const ORDER_FROM: usize = 4;
/// A cell with fewer pairs shows no spread.
const LEAST_PAIRS: usize = 2;

/// The results of one cell under both configurations, by round. A round without a value is dropped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rounds {
    pub rounds: Vec<Round>,
}

/// What a round measured of one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// Of the base: finite and positive, else the pair is dropped.
    pub base: Option<f64>,
    /// Of the other configuration; the same.
    pub other: Option<f64>,
    /// By how many places the other configuration came after the base in this round, negative if before; or the
    /// sign of that.
    pub later_by: i32,
}

/// The ratio of one configuration to its base over some cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pairs {
    /// Of the logarithms: ln(other / base).
    pub difference: Difference,
    /// Rounds with a pair of a cell that is compared.
    pub rounds: usize,
    /// Pairs of all cells that both configurations measured.
    pub pairs: usize,
    /// Pairs with a missing side.
    pub dropped: usize,
    /// How much the logarithm changes for each place that a sample comes later in its round.
    pub order_effect: Option<Difference>,
}

impl Round {
    /// ln(other / base).
    fn log_ratio(&self) -> Option<f64> {
        let is_positive = |value: &f64| value.is_finite() && *value > 0.0;
        let base = self.base.filter(is_positive)?;
        let other = self.other.filter(is_positive)?;
        Some((other / base).ln())
    }
}

impl Pairs {
    /// The mean over the cells of the mean of each one's differences. Cells with fewer than two pairs are left out.
    ///
    /// Differences of one round may share a disturbance, so the variance is by rounds: with e the difference less its
    /// cell's mean, C cells and n pairs in a cell, it is Σ over rounds of (Σ over cells of √(n / (n − 1)) · e / (C n))².
    /// The degrees of freedom are those of the cell with the fewest pairs, n − 1. Where every pair is there, this is
    /// Student's interval of the rounds' mean differences.
    ///
    /// None if no cell has two pairs.
    #[must_use]
    pub fn from_cells(cells: &[Rounds]) -> Option<Pairs> {
        let found: Vec<Vec<Option<f64>>> = cells
            .iter()
            .map(|cell| cell.rounds.iter().map(Round::log_ratio).collect())
            .collect();
        let planned: usize = found.iter().map(Vec::len).sum();
        let pairs = found.iter().flatten().flatten().count();
        let compared: Vec<(&Vec<Option<f64>>, Summary)> = found
            .iter()
            .filter_map(|cell| Some((cell, Summary::from_values(cell.iter().flatten().copied())?)))
            .filter(|(_, mean)| mean.count >= LEAST_PAIRS)
            .collect();
        let fewest = compared.iter().map(|(_, mean)| mean.count).min()?;
        let count = compared.len() as f64;
        let value = compared.iter().map(|(_, mean)| mean.mean).sum::<f64>() / count;
        let longest = found.iter().map(Vec::len).max().unwrap_or_default();
        let mut deviations = vec![None; longest];
        for (cell, mean) in &compared {
            let n = mean.count as f64;
            let scale = (n / (n - 1.0)).sqrt() / (count * n);
            for (round, difference) in deviations.iter_mut().zip(*cell) {
                if let Some(difference) = difference {
                    let share = (difference - mean.mean) * scale;
                    *round = Some(round.unwrap_or(0.0) + share);
                }
            }
        }
        let rounds = deviations.iter().flatten().count();
        let squares: f64 = deviations.iter().flatten().map(|share| share * share).sum();
        let difference = Difference {
            value,
            error: squares.sqrt(),
            freedom: fewest as f64 - 1.0,
        };
        Some(Pairs {
            difference: difference.checked()?,
            rounds,
            pairs,
            dropped: planned - pairs,
            order_effect: order_effect(cells),
        })
    }

    /// How much the other configuration has of the base.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.difference.value.exp()
    }
}

/// The slope of the differences over `later_by`, both less their cell's mean, by least squares. In whole Latin
/// squares `later_by` is 0 on the average, so the ratio itself does not depend on this effect.
fn order_effect(cells: &[Rounds]) -> Option<Difference> {
    let mut points = Vec::new();
    let mut measured = 0;
    for cell in cells {
        let own: Vec<(f64, f64)> = cell
            .rounds
            .iter()
            .filter_map(|round| Some((f64::from(round.later_by), round.log_ratio()?)))
            .collect();
        let (Some(place), Some(difference)) = (
            Summary::from_values(own.iter().map(|point| point.0)),
            Summary::from_values(own.iter().map(|point| point.1)),
        ) else {
            continue;
        };
        measured += 1;
        points.extend(
            own.iter()
                .map(|(x, y)| (x - place.mean, y - difference.mean)),
        );
    }
    let spread: f64 = points.iter().map(|(x, _)| x * x).sum();
    if points.len() < ORDER_FROM || spread <= 0.0 {
        return None;
    }
    let value = points.iter().map(|(x, y)| x * y).sum::<f64>() / spread;
    let rest: f64 = points.iter().map(|(x, y)| (y - value * x).powi(2)).sum();
    let freedom = points.len() as f64 - f64::from(measured) - 1.0;
    Difference {
        value,
        error: (rest / freedom / spread).sqrt(),
        freedom,
    }
    .checked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::ALPHA;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng as _;
    use rand_distr::{Distribution as _, StandardNormal};

    fn round(base: f64, other: f64, later_by: i32) -> Round {
        Round {
            base: Some(base),
            other: Some(other),
            later_by,
        }
    }

    fn rounds(all: impl IntoIterator<Item = Round>) -> Rounds {
        Rounds {
            rounds: all.into_iter().collect(),
        }
    }

    /// Of a cell's differences as they are.
    fn from_logs(logs: &[f64]) -> Rounds {
        rounds(logs.iter().map(|log| round(1.0, log.exp(), 1)))
    }

    #[test]
    fn drift_that_both_share_cancels() {
        let cell = rounds(
            [(100.0, 1), (50.0, -1), (200.0, 1), (130.0, -1)]
                .map(|(machine, later_by)| round(machine, machine * 0.97, later_by)),
        );
        let found = Pairs::from_cells(&[cell]).unwrap();
        assert!((found.ratio() - 0.97).abs() < 1e-12);
        assert!(found.difference.error < 1e-12, "{found:?}");
        assert_eq!((found.rounds, found.pairs, found.dropped), (4, 4, 0));
    }

    #[test]
    fn an_example_by_hand() {
        // Differences 0.01, 0.03, 0.05: mean 0.03, s = 0.02, s / √3 = 0.011547; t(0.975, 2) = 4.302653.
        let found = Pairs::from_cells(&[from_logs(&[0.01, 0.03, 0.05])]).unwrap();
        assert!((found.difference.value - 0.03).abs() < 1e-12);
        let half = found.difference.half_width(0.05).unwrap();
        assert!((half - 4.302_653 * 0.011_547).abs() < 1e-6, "{half}");
    }

    #[test]
    fn a_round_with_a_missing_or_impossible_value_is_dropped() {
        let missing = Round {
            base: Some(1.0),
            other: None,
            later_by: 1,
        };
        let cell = rounds([
            round(1.0, 1.1, 1),
            missing,
            round(1.0, 0.0, -1),
            round(f64::NAN, 1.0, 1),
            round(1.0, 1.2, -1),
        ]);
        let found = Pairs::from_cells(std::slice::from_ref(&cell)).unwrap();
        assert_eq!((found.rounds, found.pairs, found.dropped), (2, 2, 3));
        let only = rounds(cell.rounds.into_iter().take(2));
        assert_eq!(Pairs::from_cells(&[only]), None);
        assert_eq!(Pairs::from_cells(&[]), None);
    }

    #[test]
    fn a_disturbance_of_a_whole_round_counts_once() {
        // Two cells that always say the same are one cell.
        let logs = [0.01, -0.02, 0.04, 0.00];
        let one = Pairs::from_cells(&[from_logs(&logs)]).unwrap();
        let two = Pairs::from_cells(&[from_logs(&logs), from_logs(&logs)]).unwrap();
        assert!((one.difference.error - two.difference.error).abs() < 1e-15);
        assert_eq!((two.pairs, two.rounds), (8, 4));
    }

    #[test]
    fn a_cell_with_a_single_pair_is_left_out() {
        let whole = from_logs(&[0.01, -0.02, 0.04, 0.00]);
        let alone = Pairs::from_cells(std::slice::from_ref(&whole)).unwrap();
        let with_single = Pairs::from_cells(&[whole, from_logs(&[0.5])]).unwrap();
        assert_eq!(with_single.difference, alone.difference);
        assert_eq!((with_single.rounds, with_single.pairs), (4, 5));
        let singles = [from_logs(&[0.5]), from_logs(&[0.4])];
        assert_eq!(Pairs::from_cells(&singles), None);
    }

    /// How often the 95 % interval of equal variants leaves 1 out, with so many rounds in each cell.
    fn false_alarms(rounds: &[usize]) -> f64 {
        const RUNS: u32 = 4000;
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let mut alarms = 0;
        for _ in 0..RUNS {
            let mut cell = |rounds: &usize| {
                let logs = (0..*rounds).map(|_| -> f64 { StandardNormal.sample(&mut rng) });
                from_logs(&logs.map(|log| log * 0.03).collect::<Vec<_>>())
            };
            let cells: Vec<Rounds> = rounds.iter().map(&mut cell).collect();
            let interval = Pairs::from_cells(&cells)
                .unwrap()
                .difference
                .interval(ALPHA);
            alarms += u32::from(!interval.unwrap().contains(0.0));
        }
        f64::from(alarms) / f64::from(RUNS)
    }

    #[test]
    fn cells_of_different_lengths_raise_few_alarms() {
        for rounds in [
            &[20, 4, 4, 4, 4][..],
            &[12, 4],
            &[20, 2],
            &[10, 9, 8],
            &[6, 6],
        ] {
            let share = false_alarms(rounds);
            assert!(share <= 0.065, "{rounds:?}: {share}");
        }
    }

    #[test]
    fn a_later_place_that_is_faster_shows_as_an_order_effect() {
        let log = |later_by: i32, noise: f64| 0.02 + 0.05 * f64::from(later_by) + noise;
        let cell = rounds(
            [(1, 0.001), (-1, -0.002), (-1, 0.002), (1, -0.001)]
                .map(|(later_by, noise)| round(1.0, log(later_by, noise).exp(), later_by)),
        );
        let effect = Pairs::from_cells(&[cell]).unwrap().order_effect.unwrap();
        assert!((effect.value - 0.05).abs() < 0.002, "{effect:?}");
        assert!(effect.p_value() < 0.01, "{effect:?}");
    }

    proptest! {
        #[test]
        fn of_whole_rounds_it_is_the_interval_of_the_rounds_means(
            logs in prop::collection::vec(prop::collection::vec(-0.5f64..0.5, 6), 1..5),
        ) {
            let cells: Vec<Rounds> = logs.iter().map(|logs| from_logs(logs)).collect();
            let found = Pairs::from_cells(&cells).unwrap();
            let means = (0..6).map(|at| logs.iter().map(|cell| cell[at]).sum::<f64>() / logs.len() as f64);
            let summary = Summary::from_values(means).unwrap();
            prop_assert!((found.difference.value - summary.mean).abs() < 1e-9);
            let half = summary.half_width(0.05).unwrap();
            prop_assert!((found.difference.half_width(0.05).unwrap() - half).abs() < 1e-9);
        }

        #[test]
        fn exchanging_both_sides_inverts_the_ratio(
            values in prop::collection::vec((0.1f64..10.0, 0.1f64..10.0, -3i32..4), 2..9),
        ) {
            let there = rounds(values.iter().map(|(a, b, by)| round(*a, *b, *by)));
            let back = rounds(values.iter().map(|(a, b, by)| round(*b, *a, -by)));
            let (there, back) = (Pairs::from_cells(&[there]).unwrap(), Pairs::from_cells(&[back]).unwrap());
            prop_assert!((there.ratio() * back.ratio() - 1.0).abs() < 1e-9);
            prop_assert!((there.difference.error - back.difference.error).abs() < 1e-9);
            prop_assert_eq!(there.order_effect.is_some(), back.order_effect.is_some());
        }

        #[test]
        fn any_floats_never_panic(
            values in prop::collection::vec((any::<Option<f64>>(), any::<Option<f64>>(), any::<i16>()), 0..9),
        ) {
            let cell = rounds(values.iter().map(|(base, other, by)| Round {
                base: *base,
                other: *other,
                later_by: i32::from(*by),
            }));
            if let Some(found) = Pairs::from_cells(&[cell.clone(), cell]) {
                prop_assert!(found.difference.error >= 0.0);
                prop_assert_eq!(found.pairs + found.dropped, 2 * values.len());
            }
        }
    }
}
