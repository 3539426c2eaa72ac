//! When no answer arrived for a long time.

use std::collections::VecDeque;

use super::gaps::{Gap, Gaps};
use crate::probe::clock::{MILLISECOND, Nanos};

/// How many stalls are remembered whose packets are not answered yet: any of the latest may be the last one of a silence.
const STALLS: usize = 64;

/// Finds the gaps between answers.
///
/// A gap runs from the last good answer to the first good one, less one interval, which lies between answers in any case. It
/// counts arrivals: an answer that is late is not lost, but while no answer comes, traffic has stopped for whoever waits for
/// it.
///
/// The time in which the probe itself did not run, before the first packet without an answer and before the first one with an
/// answer again, is taken off: nothing is known of it. Between two packets without an answer it is a part of the gap.
#[derive(Clone, Debug)]
pub(in crate::probe) struct Silence<D> {
    interval: Nanos,
    /// The last answer, or the start.
    last: Nanos,
    /// When the latest packet left that was answered.
    last_sent: Nanos,
    /// Those after which packets left that have no answer yet.
    stalls: VecDeque<Stall>,
    pub gaps: Gaps<D>,
}

/// A time in which the probe did not run, although a packet was due.
#[derive(Clone, Copy, Debug)]
struct Stall {
    due: Nanos,
    length: Nanos,
    /// When a packet left after it.
    sent: Nanos,
}

/// The shortest gap that is listed, for probes at this interval: a single lost packet is a loss, and no gap.
pub(in crate::probe) fn shortest_gap(interval: Nanos) -> Nanos {
    (10 * MILLISECOND).max(interval.saturating_mul(2))
}

impl<D: Copy> Silence<D> {
    /// Probes at this interval, from `start` on, on a path whose first answer is expected after this round trip.
    pub(in crate::probe) fn new(start: Nanos, round_trip: Nanos, interval: Nanos) -> Self {
        Self {
            interval,
            last: start.saturating_add(round_trip),
            last_sent: start,
            stalls: VecDeque::new(),
            gaps: Gaps::default(),
        }
    }

    /// A packet leaves at `now`, that was due at `due`, after a stall of this length; 0 for none.
    pub(in crate::probe) fn send(&mut self, due: Nanos, stall: Nanos, now: Nanos) {
        if stall == 0 {
            return;
        }
        if self.stalls.len() == STALLS {
            // The first one may matter, the latest ones may, but none between them.
            self.stalls.remove(1);
        }
        self.stalls.push_back(Stall {
            due,
            length: stall,
            sent: now,
        });
    }

    /// An answer arrived, to a packet that left at `sent`. Whether a gap ends with it, of which `detail` says more.
    pub(in crate::probe) fn answer(&mut self, at: Nanos, sent: Nanos, detail: D) -> bool {
        if at < self.last {
            return false;
        }
        let is_gap = self.ends(at, sent, detail);
        self.last = at;
        self.last_sent = self.last_sent.max(sent);
        self.stalls.retain(|stall| stall.sent > sent);
        is_gap
    }

    /// Nothing more is sent: a gap that is open ends here.
    pub(in crate::probe) fn end(&mut self, at: Nanos, detail: D) {
        self.ends(at.max(self.last), Nanos::MAX, detail);
        self.last = at.max(self.last);
    }

    fn ends(&mut self, at: Nanos, sent: Nanos, detail: D) -> bool {
        // The next packet after the last good one was due by then.
        let next_due = self
            .last_sent
            .saturating_add(self.interval.saturating_mul(2));
        let first = self.stalls.front().filter(|stall| stall.due <= next_due);
        let before = first.map_or(0, |stall| stall.length);
        let last = self.stalls.iter().skip(usize::from(first.is_some()));
        let mut last = last.filter(|stall| stall.sent == sent);
        let after = last.next().map_or(0, |stall| stall.length);
        let length = (at - self.last)
            .saturating_sub(self.interval)
            .saturating_sub(before)
            .saturating_sub(after);
        let is_gap = length >= shortest_gap(self.interval);
        if is_gap {
            self.gaps.add(Gap {
                from: self.last.saturating_add(before),
                length,
                detail,
            });
        }
        is_gap
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::probe::record::pace::Pace;

    const MS: u64 = MILLISECOND;

    fn gaps(silence: &Silence<()>) -> Vec<(u64, u64)> {
        let gaps = silence.gaps.in_order();
        gaps.iter()
            .map(|gap| (gap.from / MS, gap.length / MS))
            .collect()
    }

    #[test]
    fn a_gap_is_what_lies_between_answers_less_one_interval() {
        let mut silence = Silence::new(0, 0, MS);
        for at in [0, 1, 2, 203, 204] {
            silence.send(at * MS, 0, at * MS);
            silence.answer(at * MS, at * MS, ());
        }
        silence.end(205 * MS, ());
        assert_eq!(gaps(&silence), [(2, 200)]);
        // A gap that does not end is one until the end.
        silence.end(305 * MS, ());
        assert_eq!(gaps(&silence), [(2, 200), (205, 99)]);
    }

    #[test]
    fn a_stall_counts_only_between_packets_without_an_answer() {
        let mut silence = Silence::new(0, 0, MS);
        silence.answer(MS, MS, ());
        silence.send(2 * MS, 298 * MS, 300 * MS);
        silence.answer(300 * MS, 300 * MS, ());
        assert_eq!(gaps(&silence), []);
        // No answer to what leaves after the stalls of 10, 30 and 40 ms; an answer after that of 20 ms.
        silence.send(301 * MS, 10 * MS, 311 * MS);
        silence.send(312 * MS, 30 * MS, 342 * MS);
        silence.send(343 * MS, 40 * MS, 383 * MS);
        silence.send(384 * MS, 20 * MS, 404 * MS);
        silence.answer(404 * MS, 404 * MS, ());
        assert_eq!(gaps(&silence), [(310, 404 - 300 - 1 - 10 - 20)]);
    }

    /// What a client at this interval sees of a path that is cut from `cut.0` to `cut.1` and takes `rtt`. It is late for a
    /// turn by what `delays` say.
    fn seen(interval: u64, rtt: u64, cut: (u64, u64), delays: &[u64], turns: usize) -> Silence<()> {
        let mut silence = Silence::new(0, rtt, interval);
        let mut pace = Pace::new(0, interval);
        let mut under_way: VecDeque<u64> = VecDeque::new();
        for turn in 0..turns {
            let due = pace.due();
            let now = due + delays[turn % delays.len()];
            let missed = pace.take(now).missed;
            while let Some(sent) = under_way.front().copied().filter(|sent| sent + rtt <= now) {
                silence.answer(sent + rtt, sent, ());
                under_way.pop_front();
            }
            silence.send(due, missed, now);
            if now + rtt < cut.0 || now >= cut.1 {
                under_way.push_back(now);
            }
        }
        silence
    }

    proptest! {
        #[test]
        fn a_cut_is_measured_within_an_interval(
            interval in (MS / 10)..(5 * MS), at in 0_u64..(50 * MS), length in (20 * MS)..(900 * MS), rtt in 0_u64..MS,
        ) {
            let from = at + 2 * interval + 2 * rtt;
            let to = from + length;
            let turns = usize::try_from(to / interval).unwrap() + 20;
            let found = seen(interval, rtt, (from, to), &[0], turns).gaps.in_order();
            prop_assert_eq!(found.len(), 1);
            let difference = found[0].length.abs_diff(length);
            prop_assert!(difference <= interval + rtt, "{difference}");
        }

        #[test]
        fn a_probe_that_stalls_sees_no_gap_on_a_good_path(
            interval in (MS / 10)..(5 * MS), rtt in 0_u64..(100 * MS), delays in prop::collection::vec(0_u64..(100 * MS), 1..20),
        ) {
            let never = (u64::MAX, u64::MAX);
            let found = seen(interval, rtt, never, &delays, 300).gaps.in_order();
            prop_assert_eq!(found.len(), 0, "{:?}", found);
        }

        #[test]
        fn a_stall_within_a_cut_does_not_shorten_it(
            rtt in 0_u64..MS, at in 0_u64..(50 * MS), delays in prop::collection::vec(0_u64..(30 * MS), 1..20),
        ) {
            let (interval, length) = (MS, 500 * MS);
            let from = at + 100 * MS;
            let found = seen(interval, rtt, (from, from + length), &delays, 900).gaps.in_order();
            prop_assert_eq!(found.len(), 1);
            // Nothing is known of the stalls at both ends, and a turn that is late by less than an interval is no stall.
            prop_assert!(found[0].length <= length + 2 * interval + rtt, "{}", found[0].length);
            prop_assert!(found[0].length + 2 * (30 * MS + interval) + rtt >= length, "{}", found[0].length);
        }
    }
}
