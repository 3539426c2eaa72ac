//! The start and the end of a stream of any length, in bounded memory.

use std::collections::VecDeque;

use crate::tools::{CUT_MARK_BYTES, cut_mark};

/// Keeps the start and the end of what is pushed. The end gets more room: tools print their result
/// and their error last.
#[derive(Debug)]
pub(in crate::worker) struct BoundedOutput {
    start: Vec<u8>,
    end: VecDeque<u8>,
    start_limit: usize,
    end_limit: usize,
    /// Bytes that were pushed.
    pushed: u64,
}

impl BoundedOutput {
    /// Keeps at most `limit` bytes, the mark of what was left out included.
    pub(in crate::worker) fn new(limit: usize) -> Self {
        let room = limit.saturating_sub(CUT_MARK_BYTES);
        let start_limit = room / 4;
        Self {
            start: Vec::new(),
            end: VecDeque::new(),
            start_limit,
            end_limit: room - start_limit,
            pushed: 0,
        }
    }

    /// Takes the next piece of the stream.
    pub(in crate::worker) fn push(&mut self, piece: &[u8]) {
        self.pushed = self.pushed.saturating_add(piece.len() as u64);
        let room = self.start_limit.saturating_sub(self.start.len());
        let (start, rest) = piece.split_at(room.min(piece.len()));
        self.start.extend_from_slice(start);
        let (_, rest) = rest.split_at(rest.len().saturating_sub(self.end_limit));
        let surplus = (self.end.len() + rest.len()).saturating_sub(self.end_limit);
        self.end.drain(..surplus);
        self.end.extend(rest);
    }

    /// What is kept, with a mark where bytes were left out, and how many they were. Leaves nothing.
    pub(in crate::worker) fn take(&mut self) -> (Vec<u8>, u64) {
        let mut kept = std::mem::take(&mut self.start);
        let end = std::mem::take(&mut self.end);
        let pushed = std::mem::take(&mut self.pushed);
        let cut = pushed.saturating_sub((kept.len() + end.len()) as u64);
        if cut > 0 {
            kept.extend_from_slice(cut_mark(cut).as_bytes());
        }
        let (one, other) = end.as_slices();
        kept.extend_from_slice(one);
        kept.extend_from_slice(other);
        (kept, cut)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However a stream comes in pieces: all of it is kept where it has room, else its start and
        /// its end, and never more than the limit.
        #[test]
        fn start_and_end_are_kept_within_the_limit(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..12),
            limit in 0_usize..400,
        ) {
            let mut output = BoundedOutput::new(limit);
            for piece in &pieces {
                output.push(piece);
            }
            let all = pieces.concat();
            let (kept, cut) = output.take();
            prop_assert!(kept.len() <= limit.max(CUT_MARK_BYTES));
            if all.len() <= limit.saturating_sub(CUT_MARK_BYTES) {
                prop_assert_eq!(cut, 0);
            }
            if cut == 0 {
                prop_assert_eq!(kept, all);
            } else {
                let mark = cut_mark(cut);
                let room = limit.saturating_sub(CUT_MARK_BYTES);
                let (start, end) = (room / 4, room - room / 4);
                let expected = [&all[..start], mark.as_bytes(), &all[all.len() - end..]].concat();
                prop_assert_eq!(kept, expected);
                prop_assert_eq!(cut, (all.len() - room) as u64);
            }
            prop_assert_eq!(output.take(), (Vec::new(), 0));
        }
    }
}
