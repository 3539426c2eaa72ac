//! Workers come and go, and with them what they ran.

use super::message::{Command, Order, Place, Session};
use super::{Phase, Present, State};
use crate::results::EventKind;
use crate::tools::{Cause, Failure};

impl State {
    pub(super) fn joined(&mut self, name: &str, session: Session, place: Place) {
        let Some(worker) = self.workers.get_mut(name) else {
            return;
        };
        if worker.newest >= Some(session) {
            return;
        }
        worker.newest = Some(session);
        if let Phase::Ended = self.phase {
            let since = self.now;
            worker.present = Some(Present {
                session,
                place,
                since,
            });
            self.send(session, Order::Goodbye);
            return;
        }
        worker.given_up = false;
        let old = worker.present.replace(Present {
            session,
            place: place.clone(),
            since: self.now,
        });
        if let Some(old) = &old {
            // It came back before its old stream was seen to break.
            self.commands.push(Command::Disconnect {
                session: old.session,
            });
            self.emit(EventKind::WorkerLeft {
                worker: name.to_owned(),
            });
        }
        self.emit(EventKind::WorkerJoined {
            worker: name.to_owned(),
            node: place.node,
            pod_ip: place.pod_ip,
            cluster_ip: place.cluster_ip,
            environment: place.environment,
        });
        if let Some(old) = old {
            self.bury(name, old.session);
        }
        match self.phase {
            Phase::Gathering(_) | Phase::Stragglers(_) => self.advance_when_gathered(),
            Phase::Waiting { task, .. } if self.absent(task).is_empty() => self.advance(),
            _ => {}
        }
    }

    pub(super) fn left(&mut self, name: &str, session: Session) {
        let Some(worker) = self.workers.get_mut(name) else {
            return;
        };
        worker.newest = worker.newest.max(Some(session));
        if worker
            .present
            .as_ref()
            .is_some_and(|p| p.session == session)
        {
            self.lose(name);
        }
    }

    /// Ends a worker's session for the run.
    pub(super) fn lose(&mut self, name: &str) {
        let Some(present) = self.workers.get_mut(name).and_then(|w| w.present.take()) else {
            return;
        };
        if let Phase::Ended = self.phase {
            return;
        }
        self.emit(EventKind::WorkerLeft {
            worker: name.to_owned(),
        });
        self.bury(name, present.session);
    }

    /// Takes leave of all that ran in a session: it is gone with it.
    pub(super) fn bury(&mut self, name: &str, session: Session) {
        match &mut self.phase {
            Phase::Running(attempt) => {
                if attempt.from == session || attempt.to == session {
                    let words = format!("worker `{name}` left while the sample was under way");
                    self.fail(Cause::WorkerLost, &words, None);
                }
            }
            Phase::Clearing { processes, .. } | Phase::Cancelling { processes, .. } => {
                processes.retain(|process| process.session != session);
                self.when_clear();
            }
            Phase::Gathering(_)
            | Phase::Stragglers(_)
            | Phase::Waiting { .. }
            | Phase::Cooling(_)
            | Phase::Ended => {}
        }
    }

    pub(super) fn never_came(&self, name: &str) -> Failure {
        let came_once = self.workers.get(name).is_some_and(|w| w.newest.is_some());
        let words = if came_once {
            let limit = self.limits.reconnect.as_secs();
            format!("worker `{name}` left and did not come back within {limit} s")
        } else {
            let limit = self.limits.start.as_secs();
            format!("worker `{name}` did not join within {limit} s")
        };
        Failure {
            cause: Cause::WorkerLost,
            words,
        }
    }
}
