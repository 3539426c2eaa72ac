//! How long packets wait for this process.

use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::time::TimeSpec;

use crate::probe::clock::{nanos, wall_clock};

/// The longest time so far, in microseconds, of all threads.
static LONGEST_US: AtomicU32 = AtomicU32::new(0);

/// How long a packet with this stamp has waited, in microseconds.
pub(super) fn held_us(stamp: Option<TimeSpec>) -> u32 {
    let Some(stamp) = stamp else { return 0 };
    let waited = wall_clock().saturating_sub(nanos(stamp.into()));
    let waited = u32::try_from(waited / 1_000).unwrap_or(u32::MAX);
    LONGEST_US.fetch_max(waited, Ordering::Relaxed);
    waited
}

pub(super) fn longest_us() -> u32 {
    LONGEST_US.load(Ordering::Relaxed)
}
