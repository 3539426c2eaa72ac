//! When packets are sent.

use crate::probe::clock::Nanos;

/// The time in which packets are sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    pub start: Nanos,
    pub end: Nanos,
    /// How long a round trip took before it.
    pub round_trip: Nanos,
}
