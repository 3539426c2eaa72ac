//! A list of gaps that does not grow without a bound.

use crate::probe::clock::Nanos;

/// How many are kept of each kind of traffic. More are counted.
const MOST: usize = 100;

/// A time without answers, or a stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) struct Gap<D> {
    /// The last good answer before it.
    pub from: Nanos,
    pub length: Nanos,
    /// What else is known of it.
    pub detail: D,
}

/// The longest gaps, and the sums over all.
#[derive(Clone, Debug)]
pub(in crate::probe) struct Gaps<D> {
    kept: Vec<Gap<D>>,
    pub count: u64,
    pub total: Nanos,
    pub longest: Nanos,
}

impl<D> Default for Gaps<D> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            count: 0,
            total: 0,
            longest: 0,
        }
    }
}

impl<D: Copy> Gaps<D> {
    /// Adds one. Of too many the shortest is left out.
    pub(in crate::probe) fn add(&mut self, gap: Gap<D>) {
        self.count += 1;
        self.total = self.total.saturating_add(gap.length);
        self.longest = self.longest.max(gap.length);
        if self.kept.len() < MOST {
            self.kept.push(gap);
            return;
        }
        let shortest = self.kept.iter_mut().min_by_key(|kept| kept.length);
        if let Some(shortest) = shortest.filter(|shortest| shortest.length < gap.length) {
            *shortest = gap;
        }
    }

    /// Those that are kept, in the order of time.
    pub(in crate::probe) fn in_order(&self) -> Vec<Gap<D>> {
        let mut gaps = self.kept.clone();
        gaps.sort_by_key(|gap| gap.from);
        gaps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_longest_are_kept_and_all_are_counted(lengths in prop::collection::vec(1_u64..1_000, 0..300)) {
            let mut gaps = Gaps::default();
            for (from, length) in lengths.iter().enumerate() {
                gaps.add(Gap { from: from as u64, length: *length, detail: () });
            }
            prop_assert_eq!(gaps.count, lengths.len() as u64);
            prop_assert_eq!(gaps.total, lengths.iter().sum::<u64>());
            prop_assert_eq!(gaps.longest, lengths.iter().copied().max().unwrap_or(0));
            let kept = gaps.in_order();
            prop_assert!(kept.is_sorted_by_key(|gap| gap.from));
            let mut expected = lengths;
            expected.sort_unstable_by(|one, other| other.cmp(one));
            expected.truncate(MOST);
            let mut found: Vec<u64> = kept.iter().map(|gap| gap.length).collect();
            found.sort_unstable_by(|one, other| other.cmp(one));
            prop_assert_eq!(found, expected);
        }
    }
}
