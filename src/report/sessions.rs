//! The parts of a run that was cut off and resumed, and the idle time between them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::results::{Event, EventKind};

/// How many times a run was resumed, and for how long nothing was under way.
///
/// No event says that an orchestrator has started again. Its workers do: one that joins without having
/// left was not seen to leave, because nobody watched; and where all have left, the next one that joins
/// begins anew. The longest pause among such events is the idle time: workers join shortly after each
/// other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    resumed: u32,
    idle: Duration,
    /// The workers that are there; `None` before the first has joined.
    present: Option<BTreeSet<String>>,
    last: Option<Timestamp>,
    /// The events of workers since any other event.
    arrivals: Arrivals,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Arrivals {
    longest_pause: Duration,
    begin_anew: bool,
}

impl Sessions {
    /// Takes the next event of the run.
    pub fn take(&mut self, event: &Event) {
        let last = self.last.replace(event.at).unwrap_or(event.at);
        let pause = Duration::try_from(event.at.duration_since(last)).unwrap_or_default();
        match &event.kind {
            EventKind::WorkerJoined { worker, .. } => {
                let all_have_left = self.present.as_ref().is_some_and(BTreeSet::is_empty);
                let is_new = self.present.get_or_insert_default().insert(worker.clone());
                self.arrivals.begin_anew |= all_have_left || !is_new;
                self.arrivals.longest_pause = self.arrivals.longest_pause.max(pause);
            }
            EventKind::WorkerLeft { worker } => {
                if let Some(present) = &mut self.present {
                    present.remove(worker);
                }
            }
            _ => {
                let arrivals = std::mem::take(&mut self.arrivals);
                self.resumed += u32::from(arrivals.begin_anew);
                self.idle += arrivals.idle();
            }
        }
    }

    /// How many times the run was resumed.
    #[must_use]
    pub fn resumed(&self) -> u32 {
        self.resumed + u32::from(self.arrivals.begin_anew)
    }

    /// For how long nothing was under way.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.idle + self.arrivals.idle()
    }
}

impl Arrivals {
    fn idle(self) -> Duration {
        if self.begin_anew {
            self.longest_pause
        } else {
            Duration::ZERO
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{VERSION, WorkerEnvironment};
    use crate::schedule::CellId;

    /// `w1+` joins, `w1-` leaves, `.` is any other event; each with its second.
    fn sessions(events: &[(&str, i64)]) -> Sessions {
        let mut sessions = Sessions::default();
        for (seq, (what, second)) in (0..).zip(events) {
            let name = what.trim_end_matches(['+', '-']).to_owned();
            let kind = match what.chars().last() {
                Some('+') => EventKind::WorkerJoined {
                    worker: name,
                    node: "n".to_owned(),
                    pod_ip: "10.0.0.1".to_owned(),
                    cluster_ip: None,
                    other_pod_ip: None,
                    other_cluster_ip: None,
                    peer_ip: None,
                    environment: WorkerEnvironment::default(),
                },
                Some('-') => EventKind::WorkerLeft { worker: name },
                _ => EventKind::SampleStarted {
                    cell: CellId("a/b".to_owned()),
                    sample: 1,
                    attempt: 1,
                },
            };
            sessions.take(&Event {
                v: VERSION,
                seq,
                at: Timestamp::from_second(*second).unwrap(),
                kind,
            });
        }
        sessions
    }

    fn found(events: &[(&str, i64)]) -> (u32, u64) {
        let sessions = sessions(events);
        (sessions.resumed(), sessions.idle().as_secs())
    }

    const START: [(&str, i64); 4] = [(".", 0), ("w1+", 90), ("w2+", 91), (".", 92)];

    fn after_start(events: &[(&'static str, i64)]) -> (u32, u64) {
        found(&[&START, events].concat())
    }

    #[test]
    fn only_the_time_between_sessions_is_idle() {
        // The start-up is part of the run.
        assert_eq!(after_start(&[(".", 99)]), (0, 0));
        // Killed; interrupted in order, once with a worker that did not leave any more.
        let killed = [("w1+", 1000), ("w2+", 1001), (".", 1002)];
        assert_eq!(after_start(&killed), (1, 908));
        let left = [("w1-", 93), ("w2-", 93), ("w2+", 1000), ("w1+", 1001)];
        assert_eq!(after_start(&left), (1, 907));
        let one_left = [("w1-", 93), ("w1+", 1000), ("w2+", 1003), (".", 1004)];
        assert_eq!(after_start(&one_left), (1, 907));
        // Twice.
        let again = [("w2+", 2000), ("w1+", 2000), (".", 2001)];
        assert_eq!(after_start(&[killed, again].concat()), (2, 908 + 998));
    }

    #[test]
    fn a_worker_that_comes_back_resumes_no_run() {
        assert_eq!(
            after_start(&[("w1-", 93), (".", 94), ("w1+", 130), (".", 131)]),
            (0, 0)
        );
        assert_eq!(after_start(&[("w1-", 93), ("w1+", 93), (".", 131)]), (0, 0));
        // A clock that was set back.
        assert_eq!(after_start(&[("w1+", 3), ("w2+", 4), (".", 5)]), (1, 1));
    }
}
