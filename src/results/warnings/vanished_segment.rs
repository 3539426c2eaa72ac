//! A full TCP segment that vanished before the first sample.

use std::fmt;

use crate::catalog::Direction;

/// A full TCP segment that did not arrive on a path where small packets did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VanishedSegment {
    pub direction: Direction,
    pub payload_bytes: u32,
}

impl fmt::Display for VanishedSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, TCP segments with {} bytes of payload without an ICMP answer",
            self.direction.word(),
            self.payload_bytes
        )
    }
}
