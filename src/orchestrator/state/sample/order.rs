//! The order in which samples are taken: each sample has a rank.
//!
//! A rank is a pure function of the plan and of how far the cell has come, so a run that continues
//! after a restart keeps its order.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::super::progress::Progress;
use super::super::table::{CellIndex, Id as _};
use crate::plan::Order;
use crate::schedule::Member;

/// The rank of a cell's next attempt among those of all cells: the least comes next.
///
/// No two cells have the same rank. A sample that is tried again comes before all new ones, so that
/// it stays next to its first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Rank {
    /// 0 for what is tried again.
    round: u32,
    /// Within the round.
    place: u64,
    cell: CellIndex,
}

impl Rank {
    pub fn cell(self) -> CellIndex {
        self.cell
    }
}

/// In which order samples are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct SampleOrder {
    order: Order,
    seed: u64,
    /// For each cell its place among the same cells of other variants; empty without variants.
    members: Vec<Member>,
}

/// Of a place in a round so many bits are for the turn among the same cells of other variants, and so many for
/// the number of the sample.
const TURN_BITS: u32 = 16;
const SAMPLE_BITS: u32 = 20;

impl SampleOrder {
    pub fn new(order: Order, seed: u64, members: Vec<Member>) -> Self {
        Self {
            order,
            seed,
            members,
        }
    }

    /// The place of a cell among those of other variants.
    pub fn member(&self, cell: CellIndex) -> Option<Member> {
        self.members.get(cell.index()).copied()
    }

    /// The rank of a cell's next attempt.
    pub fn rank(&self, cell: CellIndex, progress: &Progress) -> Rank {
        if progress.was_tried() {
            return Rank {
                round: 0,
                place: 0,
                cell,
            };
        }
        let sample = progress.samples().saturating_add(1);
        let seed = self.seed;
        let (round, place) = match (self.order, self.member(cell)) {
            (Order::Listed, None) => (1, 0),
            (Order::Interleaved, None) => (sample, 0),
            (Order::Shuffled, None) => (sample, random_place(seed, sample, cell.number())),
            (order, Some(member)) => {
                let turn = u64::from(member.turn(seed, sample));
                let group = u64::from(member.group);
                match order {
                    // All rounds of a group before the next group.
                    Order::Listed => {
                        let sample_of_group = group << SAMPLE_BITS | u64::from(sample);
                        (1, sample_of_group << TURN_BITS | turn)
                    }
                    Order::Interleaved => (sample, group << TURN_BITS | turn),
                    Order::Shuffled => {
                        let place = random_place(seed, sample, member.group);
                        (sample, place >> TURN_BITS << TURN_BITS | turn)
                    }
                }
            }
        };
        Rank { round, place, cell }
    }
}

/// The random place in a round of a cell, or of a group of the same cells of variants.
///
/// Sorting by independent random numbers gives each permutation the same chance; 64 bits make ties
/// rare, and those go by the list. `ChaCha`'s output can be had at any place, and is the same in all
/// versions: key from the seed, one stream a round, one word pair a cell.
fn random_place(seed: u64, round: u32, number: u32) -> u64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(round));
    random.set_word_pos(2 * u128::from(number));
    random.next_u64()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn shuffled(seed: u64) -> SampleOrder {
        SampleOrder::new(Order::Shuffled, seed, Vec::new())
    }

    fn in_order(order: Order) -> SampleOrder {
        SampleOrder::new(order, 0, Vec::new())
    }

    /// The cells in the order of a round.
    fn round(order: &SampleOrder, round: u32, cells: usize) -> Vec<usize> {
        let progress = Progress::with_samples(round - 1);
        let cells = (0..cells).map(CellIndex::from_index);
        let mut ranks: Vec<Rank> = cells.map(|cell| order.rank(cell, &progress)).collect();
        ranks.sort_unstable();
        ranks.into_iter().map(|rank| rank.cell().index()).collect()
    }

    #[test]
    fn a_seed_always_gives_the_same_order() {
        let shuffled = shuffled(7);
        assert_eq!(round(&shuffled, 1, 8), FIRST);
        assert_eq!(round(&shuffled, 2, 8), SECOND);
    }

    const FIRST: [usize; 8] = [1, 4, 6, 3, 5, 7, 2, 0];
    const SECOND: [usize; 8] = [6, 2, 0, 3, 5, 1, 4, 7];

    /// Every place is as likely for every cell: χ² over 4 cells' places in 4000 rounds, 9 degrees
    /// of freedom; 99.9 % of its values lie below 27.88.
    #[test]
    fn no_cell_is_preferred() {
        let mut counts = [[0_u32; 4]; 4];
        for r in 1..=4000 {
            for (place, cell) in round(&shuffled(1), r, 4).iter().enumerate() {
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
            let all: HashSet<usize> = round(&shuffled(seed), r, cells).into_iter().collect();
            prop_assert_eq!(all.len(), cells);
            let listed: Vec<usize> = (0..cells).collect();
            prop_assert_eq!(round(&in_order(Order::Interleaved), r, cells), listed);
        }

        #[test]
        fn a_round_ends_before_the_next_begins(
            seed: u64,
            r in 1..50_u32,
            (a, b) in (0..40_usize, 0..40_usize),
        ) {
            let (now, next) = (Progress::with_samples(r - 1), Progress::with_samples(r));
            let (a, b) = (CellIndex::from_index(a), CellIndex::from_index(b));
            for order in [in_order(Order::Interleaved), shuffled(seed)] {
                prop_assert!(order.rank(a, &now) < order.rank(b, &next));
            }
            let listed = in_order(Order::Listed);
            prop_assert_eq!(listed.rank(a, &next) < listed.rank(b, &now), a < b);
        }
    }
}
