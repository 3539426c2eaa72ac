//! What became of the packets, or connections, of each interval of a measurement.
//!
//! They count in the interval in which they left: an answer that comes late says that the path was slow when its packet left.

use std::collections::VecDeque;

use hdrhistogram::Histogram;

use crate::probe::clock::Nanos;
use crate::tools::{MOST_INTERVALS, probe_output};

/// Medians are kept to this many decimal digits.
const DIGITS: u8 = 2;
/// Medians are multiples of it.
const UNIT: Nanos = 100;
/// Intervals whose answers still count for their median, which takes some kilobytes for each: those with missing answers, of
/// them the latest.
const MOST_OPEN: usize = 64;

/// The intervals of a measurement, in constant memory.
#[derive(Clone, Debug)]
pub(in crate::probe) struct Intervals {
    start: Nanos,
    end: Nanos,
    length: Nanos,
    all: Vec<Interval>,
    open: VecDeque<Open>,
}

#[derive(Clone, Debug, Default)]
struct Interval {
    sent: u64,
    answered: u64,
    median: Option<Nanos>,
    longest: Option<Nanos>,
}

/// An interval whose median is not known yet.
#[derive(Clone, Debug)]
struct Open {
    index: usize,
    /// In units of [`UNIT`].
    latencies: Histogram<u32>,
}

impl Open {
    fn median(&self) -> Option<Nanos> {
        let units = self.latencies.value_at_quantile(0.5);
        (!self.latencies.is_empty()).then(|| units.saturating_mul(UNIT))
    }
}

impl Intervals {
    /// Intervals of this length from `start` to `end`; the last one may be shorter. Of too many the last are not recorded.
    pub(in crate::probe) fn new(start: Nanos, end: Nanos, length: Nanos) -> Self {
        let length = length.max(1);
        let count = end.saturating_sub(start).div_ceil(length);
        let count = usize::try_from(count.min(MOST_INTERVALS)).unwrap_or_default();
        Self {
            start,
            end,
            length,
            all: vec![Interval::default(); count],
            open: VecDeque::new(),
        }
    }

    /// A packet leaves.
    pub(in crate::probe) fn send(&mut self, at: Nanos) {
        let index = self.index(at);
        let Some(interval) = self.all.get_mut(index) else {
            return;
        };
        interval.sent += 1;
        if self.open.back().is_none_or(|open| open.index < index) {
            self.close();
            if let Ok(latencies) = Histogram::new(DIGITS) {
                self.open.push_back(Open { index, latencies });
            }
        }
    }

    /// The first answer arrives to a packet that left at `sent`; without its latency where nobody knows when it came.
    pub(in crate::probe) fn answer(&mut self, sent: Nanos, latency: Option<Nanos>) {
        let index = self.index(sent);
        let Some(interval) = self.all.get_mut(index) else {
            return;
        };
        interval.answered += 1;
        let Some(latency) = latency else {
            return;
        };
        interval.longest = interval.longest.max(Some(latency));
        let mut open = self.open.iter_mut().rev();
        if let Some(open) = open.find(|open| open.index == index) {
            // It grows with the values.
            let _ = open.latencies.record((latency / UNIT).max(1));
        }
    }

    /// A packet that is late by less than an interval leaves after the end.
    fn index(&self, at: Nanos) -> usize {
        let at = at.min(self.end.saturating_sub(1));
        let index = at.saturating_sub(self.start) / self.length;
        usize::try_from(index).unwrap_or(usize::MAX)
    }

    /// Closes the intervals that have all of their answers, and the oldest of too many.
    fn close(&mut self) {
        let all = &mut self.all;
        self.open.retain(|open| {
            let interval = all.get_mut(open.index);
            let complete = interval.filter(|interval| interval.answered >= interval.sent);
            let is_complete = complete.is_some();
            if let Some(interval) = complete {
                interval.median = open.median().min(interval.longest);
            }
            !is_complete
        });
        if self.open.len() >= MOST_OPEN
            && let Some(oldest) = self.open.pop_front()
            && let Some(interval) = self.all.get_mut(oldest.index)
        {
            interval.median = oldest.median().min(interval.longest);
        }
    }

    /// What became of the packets of each interval.
    pub(in crate::probe) fn summary(&self) -> probe_output::KindIntervals {
        let mut medians: Vec<Option<Nanos>> = self.all.iter().map(|one| one.median).collect();
        for open in &self.open {
            let closed = medians.get_mut(open.index).zip(self.all.get(open.index));
            if let Some((median, interval)) = closed {
                *median = open.median().min(interval.longest);
            }
        }
        let longest = self.all.iter().map(|one| one.longest);
        probe_output::KindIntervals {
            sent: self.all.iter().map(|one| one.sent).collect(),
            answered: self.all.iter().map(|one| one.answered).collect(),
            p50_us: medians.into_iter().map(tenths_of_us).collect(),
            max_us: longest.map(tenths_of_us).collect(),
        }
    }
}

/// In microseconds, with a decimal.
fn tenths_of_us(nanos: Option<Nanos>) -> Option<f64> {
    nanos.map(|nanos| (nanos as f64 / 100.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::probe::clock::MILLISECOND;

    const MS: u64 = MILLISECOND;

    #[test]
    fn a_packet_counts_in_the_interval_in_which_it_left() {
        let mut intervals = Intervals::new(100 * MS, 350 * MS, 100 * MS);
        for (sent, latency) in [
            (100, Some(1)),
            (150, Some(3)),
            (199, Some(2)),
            (200, None),
            (320, Some(900)),
            (351, Some(4)),
        ] {
            intervals.send(sent * MS);
            if let Some(latency) = latency {
                intervals.answer(sent * MS, Some(latency * MS));
            }
        }
        let found = intervals.summary();
        assert_eq!(found.sent, [3, 1, 2]);
        assert_eq!(found.answered, [3, 0, 2]);
        assert_eq!(found.max_us, [Some(3_000.0), None, Some(900_000.0)]);
        // To two digits.
        let p50: Vec<Option<f64>> = found
            .p50_us
            .iter()
            .map(|us| us.map(|us| (us / 100.0).round() / 10.0))
            .collect();
        assert_eq!(p50, [Some(2.0), None, Some(4.0)]);
        // The answer to the packet of the second interval comes at last.
        intervals.answer(200 * MS, Some(5_000 * MS));
        let found = intervals.summary();
        assert_eq!(found.answered, [3, 1, 2]);
        assert_eq!(found.max_us[1], Some(5_000_000.0));
        assert!(found.p50_us[1].is_some_and(|us| (4_950_000.0..5_050_000.0).contains(&us)));
    }

    #[test]
    fn a_day_takes_as_much_memory_as_a_minute() {
        let day = 86_400_000 * MS;
        let mut intervals = Intervals::new(0, day, 100 * MS);
        for at in (0..day).step_by(60_000_000_000) {
            intervals.send(at);
        }
        assert_eq!(intervals.summary().sent.len() as u64, MOST_INTERVALS);
        assert!(intervals.open.len() <= MOST_OPEN);
    }

    proptest! {
        #[test]
        fn medians_and_maxima_are_those_of_the_packets(
            packets in prop::collection::vec((0_u64..1_000, prop::option::of(1_u64..50_000)), 1..300), length in 1_u64..200,
        ) {
            let mut packets = packets;
            packets.sort_unstable();
            let mut intervals = Intervals::new(0, 1_000 * MS, length * MS);
            // Each answer after all packets, as late as can be.
            for (sent, _) in &packets {
                intervals.send(sent * MS);
            }
            for (sent, latency) in &packets {
                if let Some(us) = latency {
                    intervals.answer(sent * MS, Some(us * 1_000));
                }
            }
            let found = intervals.summary();
            prop_assert_eq!(found.sent.len() as u64, 1_000_u64.div_ceil(length));
            let last_open = packets.iter().map(|(sent, _)| sent / length).collect::<std::collections::BTreeSet<_>>();
            for index in 0..found.sent.len() {
                let own = || packets.iter().filter(|(sent, _)| sent / length == index as u64);
                let mut latencies: Vec<u64> = own().filter_map(|(_, latency)| *latency).collect();
                latencies.sort_unstable();
                prop_assert_eq!(found.sent[index], own().count() as u64);
                prop_assert_eq!(found.answered[index], latencies.len() as u64);
                prop_assert_eq!(found.max_us[index], latencies.last().map(|us| *us as f64));
                let newer = last_open.iter().filter(|other| **other > index as u64).count();
                if newer < MOST_OPEN {
                    let median = latencies.get(latencies.len().saturating_sub(1) / 2);
                    prop_assert_eq!(found.p50_us[index].is_some(), median.is_some());
                    prop_assert!(found.p50_us[index] <= found.max_us[index]);
                    if let (Some(found), Some(median)) = (found.p50_us[index], median) {
                        let median = *median as f64;
                        prop_assert!((found - median).abs() <= median / 50.0 + 0.2, "{} {}", found, median);
                    }
                }
            }
        }
    }
}
