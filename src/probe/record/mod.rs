//! What the packets of a probe mean: pure.

pub(super) mod gaps;
pub(super) mod intervals;
pub(super) mod latency;
pub(super) mod pace;
pub(super) mod sequence;
pub(super) mod silence;
