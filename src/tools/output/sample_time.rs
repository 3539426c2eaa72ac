//! The times of a sample in the units of the tools.

use std::time::Duration;

use crate::plan::Timing;

/// Duration and warm-up in whole seconds, as plans have them. A duration of 0 would never end.
pub(in crate::tools) fn seconds(timing: &Timing) -> (u64, u64) {
    (
        timing.duration.0.as_secs().max(1),
        timing.warmup.0.as_secs(),
    )
}

/// Whether a tool that was asked for `duration` measured so much shorter that something must have
/// ended it.
pub(in crate::tools) fn too_short(elapsed_s: f64, duration: Duration) -> bool {
    elapsed_s < duration.as_secs_f64() * 0.9 - 0.1
}
