//! What may happen outside: workers come and go, processes end, messages arrive late, doubled, out of
//! order or never.

use std::fmt;

use proptest::prelude::*;

use super::super::message::Input;
use super::cells::WORKERS;
use super::machine::Machine;
use super::world::World;
use crate::tools::How;

/// Something that may happen. Does nothing where it cannot: a worker that is absent does not leave.
///
/// `nth` counts from 0, over and over. As text an action is a sentence, so that a history that fails
/// reads as a story.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Action {
    WorkerJoins(&'static str, Machine),
    WorkerVanishes(&'static str),
    WorkerRestarts(&'static str, Machine),
    /// Its pod goes on; what was under way may be lost.
    SessionIsCut {
        worker: &'static str,
        loses_mail: bool,
    },
    /// It obeys no order any more.
    WorkerHangs(&'static str),
    ClusterGivesUpWorker(&'static str),
    NextMessageArrives,
    NextMessageArrivesTwice,
    MessageOvertakes {
        nth: usize,
    },
    OldMessageArrivesAgain {
        nth: usize,
    },
    MessageIsLost {
        nth: usize,
    },
    ServerBecomesReady {
        nth: usize,
    },
    ServerEnds {
        nth: usize,
        how: How,
    },
    ClientEnds {
        nth: usize,
        how: How,
    },
    NewestTimerFires,
    TimerFires {
        nth: usize,
    },
    UserCancels,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkerJoins(worker, on) => write!(f, "{worker} joins {on}"),
            Self::WorkerVanishes(worker) => write!(f, "{worker} vanishes"),
            Self::WorkerRestarts(worker, on) => write!(f, "{worker} vanishes and joins {on}"),
            Self::SessionIsCut { worker, loses_mail } => {
                write!(f, "the session of {worker} is cut")?;
                f.write_str(if *loses_mail {
                    " with its messages"
                } else {
                    ""
                })
            }
            Self::WorkerHangs(worker) => write!(f, "{worker} stops obeying orders"),
            Self::ClusterGivesUpWorker(worker) => {
                write!(f, "the cluster reports that {worker} will not come back")
            }
            Self::NextMessageArrives => f.write_str("the next message arrives"),
            Self::NextMessageArrivesTwice => {
                f.write_str("the next message arrives, and will again")
            }
            Self::MessageOvertakes { nth } => {
                write!(f, "message {nth} under way overtakes all others")
            }
            Self::OldMessageArrivesAgain { nth } => {
                write!(f, "message {nth} of the past arrives again")
            }
            Self::MessageIsLost { nth } => write!(f, "message {nth} under way is lost"),
            Self::ServerBecomesReady { nth } => write!(f, "server {nth} becomes ready"),
            Self::ServerEnds { nth, how } => write!(f, "server {nth} ends by itself: {how:?}"),
            Self::ClientEnds { nth, how } => write!(f, "client {nth} ends: {how:?}"),
            Self::NewestTimerFires => f.write_str("the newest timer fires"),
            Self::TimerFires { nth } => write!(f, "timer {nth} fires"),
            Self::UserCancels => f.write_str("the user cancels the run"),
        }
    }
}

impl World {
    pub(super) fn perform(&mut self, action: Action) {
        let nth_of = |nth: usize, len: usize| (len > 0).then(|| nth % len.max(1));
        match action {
            Action::WorkerJoins(worker, machine) => {
                if !self.sessions.contains_key(worker) {
                    self.join(worker, machine);
                }
            }
            Action::WorkerVanishes(worker) => self.vanish(worker),
            Action::WorkerRestarts(worker, machine) => {
                self.vanish(worker);
                self.join(worker, machine);
            }
            Action::SessionIsCut { worker, loses_mail } => self.cut(worker, loses_mail),
            Action::WorkerHangs(worker) => self.deaf.extend(self.sessions.get(worker)),
            Action::ClusterGivesUpWorker(worker) => self.mail.push(Input::WorkerGivenUp {
                worker: worker.to_owned(),
                reason: "gone".to_owned(),
            }),
            Action::NextMessageArrives => {
                if !self.mail.is_empty() {
                    let input = self.mail.remove(0);
                    self.deliver(input);
                }
            }
            Action::NextMessageArrivesTwice => {
                if let Some(input) = self.mail.first() {
                    self.deliver(input.clone());
                }
            }
            Action::MessageOvertakes { nth } => {
                if let Some(nth) = nth_of(nth, self.mail.len()) {
                    let input = self.mail.remove(nth);
                    self.deliver(input);
                }
            }
            Action::OldMessageArrivesAgain { nth } => {
                if let Some(nth) = nth_of(nth, self.delivered.len()) {
                    self.deliver(self.delivered[nth].clone());
                }
            }
            Action::MessageIsLost { nth } => {
                if let Some(nth) = nth_of(nth, self.mail.len()) {
                    self.mail.remove(nth);
                }
            }
            Action::ServerBecomesReady { nth } => self.ready(nth),
            Action::ServerEnds { nth, how } => {
                if let Some(nth) = nth_of(nth, self.servers.len()) {
                    self.end_server(self.servers[nth].0, how);
                }
            }
            Action::ClientEnds { nth, how } => {
                if let Some(nth) = nth_of(nth, self.clients.len()) {
                    self.end_client(self.clients[nth].0, how);
                }
            }
            Action::NewestTimerFires => {
                if let Some(&timer) = self.timers.last() {
                    self.deliver(Input::TimerFired(timer));
                }
            }
            Action::TimerFires { nth } => {
                if let Some(nth) = nth_of(nth, self.timers.len()) {
                    self.deliver(Input::TimerFired(self.timers[nth]));
                }
            }
            Action::UserCancels => self.deliver(Input::Cancel),
        }
    }
}

/// Histories. Two numbers make an action, which is much faster than a strategy for each kind.
pub(super) fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = (0..55_u8, 0..1000_usize).prop_map(|(kind, nth)| action(kind, nth));
    prop::collection::vec(action, 0..250)
}

/// Histories in which nobody cancels the run.
pub(super) fn actions_without_cancel() -> impl Strategy<Value = Vec<Action>> {
    actions().prop_map(|mut actions| {
        actions.retain(|action| *action != Action::UserCancels);
        actions
    })
}

/// The action of these numbers. Smaller kinds are the simpler ones, which failures shrink to.
fn action(kind: u8, nth: usize) -> Action {
    let worker = WORKERS[nth % WORKERS.len()];
    let machine = Machine {
        node: nth / 7 % 4,
        has_tool: nth % 7 != 1,
        has_cluster_ip: !nth.is_multiple_of(11),
    };
    match kind {
        0..=11 => Action::NextMessageArrives,
        12..=17 => Action::WorkerJoins(worker, machine),
        18..=25 => Action::ServerBecomesReady { nth },
        26..=33 => {
            let how = match nth % 9 {
                0..=4 => How::Code(0),
                5 => How::Deadline,
                6 => How::Signal(9),
                7 => How::NotFound("client".to_owned()),
                _ => How::Code(i32::try_from(nth / 9).unwrap_or(1).max(1)),
            };
            Action::ClientEnds { nth, how }
        }
        34..=35 => {
            let how = match nth % 3 {
                0 => How::Code(1),
                1 => How::Deadline,
                _ => How::NotStarted("no".to_owned()),
            };
            Action::ServerEnds { nth, how }
        }
        36 => Action::NewestTimerFires,
        37 => Action::TimerFires { nth },
        38..=41 => Action::MessageOvertakes { nth },
        42..=44 => Action::OldMessageArrivesAgain { nth },
        45 => Action::NextMessageArrivesTwice,
        46 => Action::MessageIsLost { nth },
        47 => Action::WorkerVanishes(worker),
        48 => Action::WorkerRestarts(worker, machine),
        49 => Action::WorkerHangs(worker),
        50 => Action::ClusterGivesUpWorker(worker),
        51..=53 => Action::SessionIsCut {
            worker,
            loses_mail: nth / 5 % 2 == 1,
        },
        _ if nth.is_multiple_of(8) => Action::UserCancels,
        _ => Action::NextMessageArrives,
    }
}
