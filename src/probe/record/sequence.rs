//! Which of the numbered packets came back.

/// How many of the latest numbers are remembered. With a packet each 100 µs it is the last 104 seconds.
const WINDOW: u64 = 1 << 20;
const WORD: u64 = u64::BITS as u64;

/// What came back, in constant memory.
#[derive(Clone, Debug)]
pub(in crate::probe) struct Sequence {
    /// A bit for each number of the window; number `n` has the bit `n % WINDOW`.
    seen: Vec<u64>,
    /// One more than the highest number so far.
    end: u64,
    /// Different packets.
    pub arrived: u64,
    /// Packets that had come before.
    pub duplicates: u64,
    /// Packets that came after one with a higher number.
    pub reordered: u64,
}

impl Default for Sequence {
    fn default() -> Self {
        Self {
            seen: vec![0; usize::try_from(WINDOW / WORD).unwrap_or_default()],
            end: 0,
            arrived: 0,
            duplicates: 0,
            reordered: 0,
        }
    }
}

impl Sequence {
    /// Notes a packet; whether it is the first with its number. One that is older than the window counts as that.
    pub(in crate::probe) fn arrive(&mut self, number: u64) -> bool {
        if number >= self.end {
            let forgotten_from = self.end.max((number + 1).saturating_sub(WINDOW));
            for passed in forgotten_from..=number {
                self.set(passed, false);
            }
            self.end = number + 1;
        } else {
            if self.end - number <= WINDOW && self.is_set(number) {
                self.duplicates += 1;
                return false;
            }
            self.reordered += 1;
        }
        if self.end - number <= WINDOW {
            self.set(number, true);
        }
        self.arrived += 1;
        true
    }

    fn place(number: u64) -> (usize, u64) {
        let bit = number % WINDOW;
        (
            usize::try_from(bit / WORD).unwrap_or_default(),
            1 << (bit % WORD),
        )
    }

    fn is_set(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        self.seen.get(word).is_some_and(|word| word & bit != 0)
    }

    fn set(&mut self, number: u64, value: bool) {
        let (word, bit) = Self::place(number);
        if let Some(word) = self.seen.get_mut(word) {
            if value {
                *word |= bit;
            } else {
                *word &= !bit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_beyond_the_window_takes_the_place_of_an_older_one() {
        let mut sequence = Sequence::default();
        assert!(sequence.arrive(5));
        assert!(sequence.arrive(5 + WINDOW));
        assert!(!sequence.arrive(5 + WINDOW));
        // Too old to be known.
        assert!(sequence.arrive(4));
        // A jump of many windows forgets all.
        assert!(sequence.arrive(40 * WINDOW + 5));
        assert_eq!(
            (sequence.arrived, sequence.duplicates, sequence.reordered),
            (4, 1, 1)
        );
    }

    proptest! {
        #[test]
        fn it_counts_as_a_set_does(numbers in prop::collection::vec(0_u64..200, 0..300)) {
            let mut sequence = Sequence::default();
            let mut model = BTreeSet::new();
            let mut reordered = 0;
            for number in &numbers {
                let behind = model.last().is_some_and(|last| number < last);
                let is_new = model.insert(*number);
                reordered += u64::from(is_new && behind);
                prop_assert_eq!(sequence.arrive(*number), is_new);
            }
            prop_assert_eq!(sequence.arrived, model.len() as u64);
            prop_assert_eq!(sequence.duplicates, (numbers.len() - model.len()) as u64);
            prop_assert_eq!(sequence.reordered, reordered);
        }
    }
}
