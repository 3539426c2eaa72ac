//! How much tools print about the intervals of a sample.

use super::Direction;

/// A line of text about an interval, of any tool.
const LINE_BYTES: u64 = 150;
/// A stream, or the sum of streams, in an interval of an iperf3 client: an object of indented JSON.
const OBJECT_BYTES: u64 = 450;

/// What a tool prints about an interval of its sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalOutput {
    /// One line.
    Line,
    /// Of what the client sends the server prints a line for each stream, and one for the sum of several; of what it receives the
    /// client prints an object for each stream and one for the sum.
    LinesOrObjects,
}

impl IntervalOutput {
    /// The most bytes about an interval.
    #[must_use]
    pub fn bytes(self, streams: u64, direction: Direction) -> u64 {
        if self == IntervalOutput::Line {
            return LINE_BYTES;
        }
        let lines = if streams == 1 { 1 } else { streams + 1 };
        let lines = LINE_BYTES * lines;
        let objects = OBJECT_BYTES * (streams + 1);
        match direction {
            Direction::Forward => lines,
            Direction::Reverse => objects,
            Direction::Both => 2 * (lines + objects),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_directions_add_up() {
        use Direction::{Both, Forward, Reverse};
        let bytes = |streams, direction| IntervalOutput::LinesOrObjects.bytes(streams, direction);
        assert_eq!(
            [Forward, Reverse, Both].map(|one| bytes(1, one)),
            [150, 900, 2_100]
        );
        assert_eq!(
            [Forward, Reverse, Both].map(|one| bytes(4, one)),
            [750, 2_250, 6_000]
        );
        assert_eq!(IntervalOutput::Line.bytes(4, Both), 150);
    }
}
