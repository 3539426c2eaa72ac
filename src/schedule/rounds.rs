//! Rounds: the cells of all variants that are measured next to each other, and in which order.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::cell::Schedule;
use crate::plan::Plan;

/// The place of a cell among those that differ in nothing but the variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Counts the groups of such cells in the schedule's order.
    pub group: u32,
    /// Counts the cells of the group.
    pub number: u32,
    /// How many cells the group has.
    pub size: u32,
}

impl Schedule {
    /// For each cell its place among the same cells of other variants. Empty for a plan without variants.
    #[must_use]
    pub fn members(&self, plan: &Plan) -> Vec<Member> {
        if plan.variants.is_empty() {
            return Vec::new();
        }
        let mut groups: HashMap<(usize, &str, usize, usize), u32> = HashMap::new();
        let mut sizes: Vec<u32> = Vec::new();
        let mut members = Vec::with_capacity(self.cells.len());
        let (mut row, mut nth) = (usize::MAX, 0);
        for cell in &self.cells {
            nth = if cell.row == row { nth + 1 } else { 0 };
            row = cell.row;
            let Some(of) = self.rows.get(row) else {
                continue;
            };
            let path = plan.paths.get(of.path).map_or("", |path| path.plain_name());
            let next = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            let group = *groups.entry((of.test, path, of.point, nth)).or_insert(next);
            if group == next && sizes.len() == group as usize {
                sizes.push(0);
            }
            let Some(size) = sizes.get_mut(group as usize) else {
                continue;
            };
            members.push(Member {
                group,
                number: *size,
                size: 0,
            });
            *size += 1;
        }
        for member in &mut members {
            member.size = sizes.get(member.group as usize).copied().unwrap_or(1);
        }
        members
    }
}

impl Member {
    /// The cell's turn in a round, which counts from 1, among the cells of its group: 0 for the first.
    ///
    /// As many rounds as there are cells make a Latin square: each cell has each turn once. The squares are those of
    /// Williams (1949, "Experimental designs balanced for the estimation of residual effects of treatments",
    /// Australian Journal of Scientific Research A 2), with rows and cells in random order: for an even number of
    /// cells each one follows each other one once in a square, for an odd number twice in two squares.
    #[must_use]
    pub fn turn(self, seed: u64, round: u32) -> u32 {
        let size = self.size.max(1);
        let (square, row) = (
            round.saturating_sub(1) / size,
            round.saturating_sub(1) % size,
        );
        // Squares of an odd size come in pairs, the second the mirror image of the first.
        let drawn = if size % 2 == 1 { square / 2 } else { square };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::from(self.group) << 32 | u64::from(drawn));
        let rows = permutation(&mut random, size);
        let cells = permutation(&mut random, size);
        let shift = rows.get(row as usize).copied().unwrap_or_default();
        let own = cells.get(self.number as usize).copied().unwrap_or_default();
        // The row has at turn t the cell w(t) + shift, with w = 0, 1, n - 1, 2, n - 2, …
        let wanted = (own + size - shift % size) % size;
        let turn = if wanted == 0 {
            0
        } else if wanted <= size / 2 {
            2 * wanted - 1
        } else {
            2 * (size - wanted)
        };
        if size % 2 == 1 && square % 2 == 1 {
            size - 1 - turn
        } else {
            turn
        }
    }
}

/// The numbers below `count` in random order (Fisher and Yates).
fn permutation(random: &mut ChaCha8Rng, count: u32) -> Vec<u32> {
    let mut all: Vec<u32> = (0..count).collect();
    for last in (1..all.len()).rev() {
        // 64 random bits: the remainder prefers nothing that could be noticed.
        let other = random.next_u64() % (last as u64 + 1);
        all.swap(last, usize::try_from(other).unwrap_or_default());
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// The cells of a group in the order of a round.
    fn order(seed: u64, group: u32, size: u32, round: u32) -> Vec<u32> {
        let turn = |number| {
            Member {
                group,
                number,
                size,
            }
            .turn(seed, round)
        };
        let mut numbers: Vec<u32> = (0..size).collect();
        numbers.sort_by_key(|number| turn(*number));
        let turns: Vec<u32> = numbers.iter().map(|number| turn(*number)).collect();
        assert_eq!(turns, (0..size).collect::<Vec<_>>());
        numbers
    }

    proptest! {
        #[test]
        fn each_cell_has_each_turn_once_in_a_square(
            seed: u64, group in 0..1000_u32, size in 1..21_u32, square in 0..50_u32,
        ) {
            let rounds: Vec<Vec<u32>> =
                (1..=size).map(|row| order(seed, group, size, square * size + row)).collect();
            for turn in 0..size as usize {
                let mut at_turn: Vec<u32> = rounds.iter().map(|round| round[turn]).collect();
                at_turn.sort_unstable();
                prop_assert_eq!(at_turn, (0..size).collect::<Vec<_>>());
            }
        }

        #[test]
        fn each_cell_follows_each_other_equally_often(
            seed: u64, group in 0..1000_u32, size in 2..13_u32, pair in 0..9_u32,
        ) {
            let mut follows: BTreeMap<(u32, u32), u32> = BTreeMap::new();
            let squares = 1 + size % 2;
            let rounds = squares * size;
            for round in pair * rounds + 1..=(pair + 1) * rounds {
                for two in order(seed, group, size, round).windows(2) {
                    *follows.entry((two[0], two[1])).or_default() += 1;
                }
            }
            prop_assert_eq!(follows.len(), (size * (size - 1)) as usize);
            prop_assert!(follows.values().all(|times| *times == squares), "{:?}", follows);
        }
    }

    #[test]
    fn a_seed_always_gives_the_same_order() {
        let orders: Vec<Vec<u32>> = (1..=4).map(|round| order(7, 3, 4, round)).collect();
        assert_eq!(orders, FIRST_SQUARE);
    }

    const FIRST_SQUARE: [[u32; 4]; 4] = [[2, 0, 1, 3], [0, 3, 2, 1], [3, 1, 0, 2], [1, 2, 3, 0]];
}
