//! When packets are sent.

use crate::probe::clock::Nanos;
use crate::probe::record::intervals::Intervals;

/// The time in which packets are sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    pub start: Nanos,
    pub end: Nanos,
    /// How long a round trip took before it.
    pub round_trip: Nanos,
    /// The length of the intervals that are recorded.
    pub intervals: Option<Nanos>,
}

impl Window {
    /// A record of its intervals, where they are to be recorded.
    pub(super) fn record(self) -> Option<Intervals> {
        let length = self.intervals?;
        Some(Intervals::new(self.start, self.end, length))
    }
}
