//! Makes new TCP connections at fixed times and resets them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::detail::Detail;
use super::packets::{Delays, LINGER};
use super::window::Window;
use crate::probe::clock::{Clock, Nanos, SECOND};
use crate::probe::connection::{Attempt, Break};
use crate::probe::cost::thread_cpu_time;
use crate::probe::record::intervals::Intervals;
use crate::probe::record::latency::Latencies;
use crate::probe::record::pace::Pace;
use crate::probe::record::silence::Silence;
use crate::tools::probe_output::Breaks;

/// How long an attempt may take. The kernel repeats its first packet after one second.
const WITHIN: Nanos = 3 * SECOND;

/// What came of the attempts of a measurement.
#[derive(Debug)]
pub(super) struct Record {
    pub tried: u64,
    pub made: u64,
    pub failed: Breaks,
    pub latencies: Latencies,
    pub silence: Silence<Detail>,
    pub intervals: Option<Intervals>,
    pub late: Delays,
    /// Of this thread.
    pub cpu: Duration,
}

/// Makes connections for this time. No more are under way than fit into [`WITHIN`].
pub(super) fn measure(to: SocketAddr, interval: Nanos, window: Window, clock: Clock) -> Record {
    let Window { start, end, .. } = window;
    let cpu_before = thread_cpu_time();
    let mut record = Record {
        tried: 0,
        made: 0,
        failed: Breaks::default(),
        latencies: Latencies::default(),
        silence: Silence::new(start, window.round_trip, interval),
        intervals: window.record(),
        late: Delays::default(),
        cpu: Duration::ZERO,
    };
    let mut pace = Pace::new(start, interval);
    let mut under_way: VecDeque<Attempt> = VecDeque::new();
    loop {
        let due = pace.due();
        let is_over = due >= end;
        if is_over && (under_way.is_empty() || due >= end + LINGER) {
            break;
        }
        wait(&under_way, due, clock);
        let now = clock.now();
        // Whoever did not run for so long does not know when answers came.
        let known = if now < due + interval {
            Some(now)
        } else {
            None
        };
        under_way.retain(|attempt| match attempt.result() {
            None if attempt.is_overdue(now, WITHIN) => {
                record.fail(Break::Timeout);
                false
            }
            None => true,
            Some(Ok(())) => {
                record.made += 1;
                let latency = known.map(|now| now.saturating_sub(attempt.begun));
                if let Some(latency) = latency {
                    record.latencies.add(latency);
                }
                if let Some(intervals) = &mut record.intervals {
                    intervals.answer(attempt.begun, latency);
                }
                let at = known.unwrap_or(due);
                record.silence.answer(at, attempt.begun, Detail::default());
                false
            }
            Some(Err(why)) => {
                record.fail(why);
                false
            }
        });
        if now < due {
            continue;
        }
        let turn = pace.take(now);
        record.late.note(due, turn.late, turn.missed, interval);
        if is_over {
            continue;
        }
        record.silence.send(due, turn.missed, now);
        record.tried += 1;
        if let Some(intervals) = &mut record.intervals {
            intervals.send(now);
        }
        match Attempt::begin(to, now) {
            Ok(attempt) => under_way.push_back(attempt),
            Err(why) => record.fail(why),
        }
    }
    let detail = Detail {
        open: true,
        ..Detail::default()
    };
    record.silence.end(end, detail);
    record.cpu = thread_cpu_time().saturating_sub(cpu_before);
    record
}

impl Record {
    fn fail(&mut self, why: Break) {
        let failed = &mut self.failed;
        match why {
            Break::Reset => failed.reset += 1,
            Break::Timeout => failed.timeout += 1,
            Break::Closed => failed.closed += 1,
            Break::Other => failed.other += 1,
        }
    }
}

/// Waits until an attempt has a result, or this time.
fn wait(under_way: &VecDeque<Attempt>, until: Nanos, clock: Clock) {
    if under_way.is_empty() {
        clock.sleep_until(until);
        return;
    }
    let events = PollFlags::POLLOUT;
    let sockets = under_way
        .iter()
        .map(|attempt| PollFd::new(attempt.socket.as_fd(), events));
    let mut sockets: Vec<PollFd<'_>> = sockets.collect();
    let left = Duration::from_nanos(until.saturating_sub(clock.now()));
    // A signal only makes it look again.
    let _ = ppoll(&mut sockets, Some(TimeSpec::from_duration(left)), None);
}
