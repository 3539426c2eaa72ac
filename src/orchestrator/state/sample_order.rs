//! Whose turn it is: each sample that is to be taken has its place in the run's order.
//!
//! A turn is a pure function of the plan and of how far the cell has come, so a run that goes on
//! after a restart goes on in the same order.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::progress::Progress;
use crate::plan;

/// The place of a cell's next attempt among those of all cells: the least is the next.
///
/// No two cells have the same turn, and a sample that failed comes before all that are new: what
/// is tried again stays next to what was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// 0 for what is tried again.
    round: u32,
    /// Within the round.
    rank: u64,
    task: u32,
}

impl Turn {
    pub fn task(self) -> usize {
        self.task as usize
    }
}

/// In which order samples are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turns {
    Listed,
    Interleaved,
    Shuffled { seed: u64 },
}

impl Turns {
    pub fn of(order: plan::Order, seed: u64) -> Self {
        match order {
            plan::Order::Listed => Self::Listed,
            plan::Order::Interleaved => Self::Interleaved,
            plan::Order::Shuffled => Self::Shuffled { seed },
        }
    }

    /// The turn of a cell's next attempt.
    pub fn turn(self, task: usize, progress: &Progress) -> Turn {
        // A schedule has far fewer cells than fit: the language allows a million.
        let task = u32::try_from(task).unwrap_or(u32::MAX);
        if progress.was_tried() {
            return Turn {
                round: 0,
                rank: 0,
                task,
            };
        }
        let sample = progress.samples().saturating_add(1);
        let (round, rank) = match self {
            Self::Listed => (1, 0),
            Self::Interleaved => (sample, 0),
            Self::Shuffled { seed } => (sample, rank(seed, sample, task)),
        };
        Turn { round, rank, task }
    }
}

/// A cell's random place in a round.
///
/// Sorting by independent random numbers gives each permutation the same chance; 64 bits make ties
/// rare, and those go by the list. `ChaCha`'s output can be had at any place, and is the same in all
/// versions: key from the seed, one stream a round, one word pair a cell.
fn rank(seed: u64, round: u32, task: u32) -> u64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(round));
    random.set_word_pos(2 * u128::from(task));
    random.next_u64()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// The cells in the order of a round.
    fn round(turns: Turns, round: u32, cells: usize) -> Vec<usize> {
        let progress = Progress::with_samples(round - 1);
        let mut turns: Vec<Turn> = (0..cells).map(|i| turns.turn(i, &progress)).collect();
        turns.sort_unstable();
        turns.into_iter().map(Turn::task).collect()
    }

    #[test]
    fn a_seed_gives_the_same_order_for_ever() {
        let shuffled = Turns::Shuffled { seed: 7 };
        assert_eq!(round(shuffled, 1, 8), FIRST);
        assert_eq!(round(shuffled, 2, 8), SECOND);
    }

    const FIRST: [usize; 8] = [1, 4, 6, 3, 5, 7, 2, 0];
    const SECOND: [usize; 8] = [6, 2, 0, 3, 5, 1, 4, 7];

    /// Every place is as likely for every cell: χ² over 4 cells' places in 4000 rounds, 9 degrees
    /// of freedom, of which 99.9 % lie below 27.88.
    #[test]
    fn no_cell_is_preferred() {
        let mut counts = [[0_u32; 4]; 4];
        for r in 1..=4000 {
            for (place, cell) in round(Turns::Shuffled { seed: 1 }, r, 4).iter().enumerate() {
                counts[*cell][place] += 1;
            }
        }
        let chi: f64 = counts
            .as_flattened()
            .iter()
            .map(|n| (f64::from(*n) - 1000.0).powi(2) / 1000.0)
            .sum();
        assert!(chi < 27.88, "{chi}");
    }

    proptest! {
        #[test]
        fn each_round_is_a_permutation(seed: u64, r in 1..50_u32, cells in 1..40_usize) {
            let all: HashSet<usize> = round(Turns::Shuffled { seed }, r, cells).into_iter().collect();
            prop_assert_eq!(all.len(), cells);
            let listed: Vec<usize> = (0..cells).collect();
            prop_assert_eq!(round(Turns::Interleaved, r, cells), listed);
        }

        #[test]
        fn a_round_ends_before_the_next_begins(
            seed: u64,
            r in 1..50_u32,
            (a, b) in (0..40_usize, 0..40_usize),
        ) {
            let (now, next) = (Progress::with_samples(r - 1), Progress::with_samples(r));
            for turns in [Turns::Interleaved, Turns::Shuffled { seed }] {
                prop_assert!(turns.turn(a, &now) < turns.turn(b, &next));
            }
            prop_assert_eq!(Turns::Listed.turn(a, &next) < Turns::Listed.turn(b, &now), a < b);
        }
    }
}
