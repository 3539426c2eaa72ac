//! Workers come and go, and with them what they ran.

use super::message::{Command, Order, Place, Session};
use super::{Phase, Present, State};
use crate::results::EventKind;
use crate::tools::{Cause, Failure};

impl State {
    pub(super) fn joined(&mut self, name: &str, session: Session, place: Place) {
        let Some(&at) = self.names.get(name) else {
            return;
        };
        let worker = &mut self.workers[at];
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
        worker.end = None;
        let old = worker.present.replace(Present {
            session,
            place: place.clone(),
            since: self.now,
        });
        self.sessions.insert(session, at);
        if let Some(old) = &old {
            self.sessions.remove(&old.session);
            // It came back before its old stream was seen to break.
            self.commands.push(Command::Disconnect {
                session: old.session,
            });
            self.emit(EventKind::WorkerLeft {
                worker: name.to_owned(),
            });
        }
        self.queue.place(at, &place.node);
        self.emit(EventKind::WorkerJoined {
            worker: name.to_owned(),
            node: place.node,
            pod_ip: place.pod_ip,
            cluster_ip: place.cluster_ip,
            peer_ip: place.peer_ip,
            environment: place.environment,
        });
        if let Some(old) = old {
            self.bury(at, old.session);
        }
        self.go_on();
    }

    pub(super) fn left(&mut self, name: &str, session: Session) {
        let Some(&at) = self.names.get(name) else {
            return;
        };
        let worker = &mut self.workers[at];
        worker.newest = worker.newest.max(Some(session));
        if worker
            .present
            .as_ref()
            .is_some_and(|p| p.session == session)
        {
            self.lose(at);
            self.go_on();
        }
    }

    /// Lets the cells of a worker wait for it no more, because its pod will not be started again. As
    /// long as its session has not been seen to end, it counts.
    pub(super) fn will_not_come(&mut self, name: &str, words: String) {
        if let Some(&at) = self.names.get(name) {
            let worker = &mut self.workers[at];
            worker.given_up = true;
            worker.end = Some(words);
            self.go_on();
        }
    }

    /// Ends a worker's session for the run.
    pub(super) fn lose(&mut self, worker: usize) {
        let Some(present) = self.workers[worker].present.take() else {
            return;
        };
        self.sessions.remove(&present.session);
        if let Phase::Ended = self.phase {
            return;
        }
        self.queue.displace(worker);
        self.emit(EventKind::WorkerLeft {
            worker: self.workers[worker].name.clone(),
        });
        self.bury(worker, present.session);
    }

    /// Takes leave of all that ran in a session: it is gone with it.
    fn bury(&mut self, worker: usize, session: Session) {
        let words = format!(
            "worker `{}` left while the sample was under way",
            self.workers[worker].name
        );
        for at in 0..self.lanes.len() {
            if self.lanes[at].runs_in(session) {
                self.fail(at, Failure::new(Cause::WorkerLost, &words), None);
            }
            self.lanes[at].forget(|process| process.session == session);
        }
    }

    /// Begins when all are there that will come.
    pub(super) fn go_on_when_gathered(&mut self) {
        let is_there = |at: usize| {
            let worker = &self.workers[at];
            worker.present.is_some() || worker.given_up
        };
        let mut all = 0..self.workers.len();
        if !all.clone().all(|at| is_there(at) || !self.queue.needs(at)) {
            return;
        }
        if self.queue.is_empty() || all.all(is_there) {
            self.fill();
        } else if let Phase::Gathering(_) = self.phase {
            self.phase = Phase::Stragglers(self.set_timer(self.limits.others));
        }
    }

    pub(super) fn never_came(&self, worker: usize) -> Failure {
        let worker = &self.workers[worker];
        let name = &worker.name;
        let words = if let Some(end) = &worker.end {
            format!("worker `{name}` will not come back: {end}")
        } else if worker.newest.is_some() {
            // How long that was depends on whether the first sample had begun.
            format!("worker `{name}` left and did not come back in time")
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
