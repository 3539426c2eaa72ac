//! Which segments of TCP let the receiver read on: those that arrive in order, and those that fill a hole.

use std::collections::{BTreeMap, HashMap};

/// Segments behind a hole that are remembered of each connection.
const MOST_AHEAD: usize = 65_536;
/// Connections that are followed.
const MOST_CONNECTIONS: usize = 1_024;

/// A segment with payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The port that it goes to, which tells connections apart.
    pub to: u16,
    pub sequence: u32,
    pub length: u32,
}

/// What has arrived of the connections of one port.
#[derive(Debug, Default)]
pub struct InOrder(HashMap<u16, Stream>);

/// What has arrived of a connection.
#[derive(Debug)]
struct Stream {
    /// All before it has arrived.
    next: u32,
    /// By the distance of their begin from the first segment, where they end.
    ahead: BTreeMap<u64, u64>,
    /// The distance of `next` from the first segment.
    read: u64,
}

impl InOrder {
    /// A segment arrives. Whether there is more to read after it.
    pub fn arrive(&mut self, segment: Segment) -> bool {
        if !self.0.contains_key(&segment.to) && self.0.len() == MOST_CONNECTIONS {
            return false;
        }
        let stream = self.0.entry(segment.to).or_insert_with(|| Stream {
            next: segment.sequence,
            ahead: BTreeMap::new(),
            read: 0,
        });
        stream.arrive(segment)
    }
}

impl Stream {
    fn arrive(&mut self, segment: Segment) -> bool {
        // Sequence numbers wrap: what is more than half of them ahead is behind.
        let distance = segment.sequence.wrapping_sub(self.next);
        let begin = if distance < 1 << 31 {
            self.read + u64::from(distance)
        } else {
            self.read.saturating_sub(u64::from(distance.wrapping_neg()))
        };
        let end = if distance < 1 << 31 {
            begin + u64::from(segment.length)
        } else {
            (self.read + u64::from(segment.length))
                .saturating_sub(u64::from(distance.wrapping_neg()))
        };
        if self.ahead.len() < MOST_AHEAD || begin <= self.read {
            let known = self.ahead.entry(begin).or_default();
            *known = end.max(*known);
        }
        let before = self.read;
        while let Some(first) = self.ahead.first_entry() {
            if *first.key() > self.read {
                break;
            }
            self.read = self.read.max(first.remove());
        }
        let advance = self.read - before;
        // Less than 2^31 at once, by the distance above.
        self.next = self.next.wrapping_add(u32::try_from(advance).unwrap_or(0));
        advance > 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(sequence: u32) -> Segment {
        Segment {
            to: 40_000,
            sequence,
            length: 10,
        }
    }

    #[test]
    fn what_lies_behind_a_hole_is_not_read_until_it_is_filled() {
        let mut all = InOrder::default();
        let mut arrive = |sequence| all.arrive(segment(sequence));
        assert!(arrive(u32::MAX - 9));
        assert!(arrive(0));
        assert!(!arrive(20));
        assert!(!arrive(0), "sent again");
        assert!(arrive(10));
        assert!(arrive(30));
    }

    proptest! {
        /// In any order, and some of them twice: exactly the bytes up to the first hole are read.
        #[test]
        fn as_much_is_read_as_has_arrived_without_a_hole(
            start: u32, order in prop::collection::vec(1_u32..12, 0..60),
        ) {
            let mut all = InOrder::default();
            prop_assert!(all.arrive(segment(start)));
            let mut seen = [false; 13];
            seen[0] = true;
            let read = |seen: &[bool; 13]| seen.iter().position(|seen| !seen).unwrap();
            for number in order {
                let before = read(&seen);
                seen[number as usize] = true;
                let advanced = all.arrive(segment(start.wrapping_add(number * 10)));
                prop_assert_eq!(advanced, read(&seen) > before);
            }
        }
    }
}
