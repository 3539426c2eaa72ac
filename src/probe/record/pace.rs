//! When a probe sends.

use crate::probe::clock::Nanos;

/// Fixed times at equal distances. They do not depend on answers, so that a slow answer holds no request up: there is no
/// coordinated omission.
#[derive(Clone, Debug)]
pub(in crate::probe) struct Pace {
    start: Nanos,
    interval: Nanos,
    /// The next slot; slot 0 is at `start`.
    next: u64,
}

/// A turn of a probe to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) struct Turn {
    /// How much later it is than it should be.
    pub late: Nanos,
    /// The time for which the probe did not send because it did not run: a whole number of intervals.
    pub missed: Nanos,
}

impl Pace {
    pub(in crate::probe) fn new(start: Nanos, interval: Nanos) -> Self {
        Self {
            start,
            interval: interval.max(1),
            next: 0,
        }
    }

    /// When the next turn is due.
    pub(in crate::probe) fn due(&self) -> Nanos {
        self.start
            .saturating_add(self.interval.saturating_mul(self.next))
    }

    /// Takes the turn that is due at `now`. Slots that have passed meanwhile are left out: the probe did not run, which says
    /// nothing about the network.
    pub(in crate::probe) fn take(&mut self, now: Nanos) -> Turn {
        let late = now.saturating_sub(self.due());
        let missed_slots = late / self.interval;
        self.next += missed_slots + 1;
        Turn {
            late,
            missed: missed_slots * self.interval,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_late_turn_leaves_out_what_has_passed() {
        let mut pace = Pace::new(100, 10);
        assert_eq!(pace.due(), 100);
        assert_eq!(pace.take(103), Turn { late: 3, missed: 0 });
        assert_eq!(pace.due(), 110);
        assert_eq!(
            pace.take(145),
            Turn {
                late: 35,
                missed: 30
            }
        );
        assert_eq!(pace.due(), 150);
    }

    proptest! {
        #[test]
        fn turns_and_missed_time_fill_the_whole_time(
            start in 0_u64..1_000, interval in 1_u64..50, delays in prop::collection::vec(0_u64..200, 1..50),
        ) {
            let mut pace = Pace::new(start, interval);
            let (mut turns, mut missed) = (0, 0);
            for delay in delays {
                let now = pace.due() + delay;
                let turn = pace.take(now);
                prop_assert_eq!(turn.late, delay);
                prop_assert!(pace.due() > now && pace.due() <= now + interval);
                turns += 1;
                missed += turn.missed;
            }
            prop_assert_eq!(pace.due(), start + turns * interval + missed);
        }
    }
}
