//! The time of a probe: nanoseconds of the monotonic clock since its start.

use std::time::Duration;

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

/// Nanoseconds.
pub(super) type Nanos = u64;

pub(super) const MILLISECOND: Nanos = 1_000_000;
pub(super) const SECOND: Nanos = 1_000 * MILLISECOND;

/// A duration in nanoseconds.
pub(super) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A clock that starts at zero and that nobody sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    zero: Nanos,
}

impl Clock {
    /// It is zero now.
    pub(super) fn start() -> Self {
        Self {
            zero: read(ClockId::CLOCK_MONOTONIC),
        }
    }

    pub(super) fn now(self) -> Nanos {
        read(ClockId::CLOCK_MONOTONIC).saturating_sub(self.zero)
    }

    /// Sleeps until a time; not at all when it has passed.
    pub(super) fn sleep_until(self, time: Nanos) {
        let until = TimeSpec::from_duration(Duration::from_nanos(self.zero.saturating_add(time)));
        let absolute = ClockNanosleepFlags::TIMER_ABSTIME;
        while clock_nanosleep(ClockId::CLOCK_MONOTONIC, absolute, &until) == Err(Errno::EINTR) {}
    }

    /// When a packet arrived, by the kernel's stamp, which is of the clock that people set. Somebody who sets it between
    /// arrival and this call can move the time only within `after` and now.
    pub(super) fn arrival(self, stamp: Option<TimeSpec>, after: Nanos) -> Nanos {
        let now = self.now();
        let Some(stamp) = stamp else { return now };
        let age = wall_clock().saturating_sub(nanos(Duration::from(stamp)));
        now.saturating_sub(age).clamp(after.min(now), now)
    }
}

/// Nanoseconds since 1970 by the clock that people set.
pub(super) fn wall_clock() -> Nanos {
    read(ClockId::CLOCK_REALTIME)
}

/// All of Linux has the clocks that are read here.
fn read(clock: ClockId) -> Nanos {
    clock_gettime(clock).map_or(0, |time| nanos(Duration::from(time)))
}
