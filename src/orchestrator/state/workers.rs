//! Workers that join, leave, or will not come back.

use super::lane::{Attempt, LaneId};
use super::message::{Command, Order, Place, Session};
use super::table::WorkerId;
use super::{Phase, Present, State};
use crate::results::EventKind;
use crate::tools::{Cause, Failure};

impl State {
    pub(super) fn worker_joined(&mut self, name: &str, session: Session, mut place: Place) {
        let Some(&id) = self.names.get(name) else {
            return;
        };
        let since = self.now;
        self.copies.set_changed();
        let worker = &mut self.workers[id];
        if worker.newest >= Some(session) {
            return;
        }
        worker.newest = Some(session);
        let kept = std::mem::take(&mut place.kept);
        let present = Present {
            session,
            place: place.clone(),
            since,
        };
        let old = worker.present.replace(present);
        let obeys_another = place.claim.obeyed > self.copies.epoch();
        // A run that has ended leaves nothing to decide.
        if obeys_another && !matches!(self.phase, Phase::Ended) {
            self.commands.push(Command::StepDown(place.claim.obeyed));
        }
        match self.phase {
            Phase::Ended => {
                if !obeys_another && !self.keeps_holder(id, session, place.claim.copy) {
                    self.send(session, Order::Goodbye);
                }
                return;
            }
            // Nothing follows the run's end.
            Phase::Closing(_) => {
                self.sessions.insert(session, id);
                return;
            }
            _ => {}
        }
        worker.given_up = false;
        worker.end = None;
        let last = worker.last.replace(session);
        self.sessions.insert(session, id);
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
        self.queue.place_worker(id, &place.node);
        self.emit(EventKind::WorkerJoined {
            worker: name.to_owned(),
            node: place.node,
            pod_ip: place.pod_ip,
            cluster_ip: place.cluster_ip,
            other_pod_ip: place.other_pod_ip,
            other_cluster_ip: place.other_cluster_ip,
            peer_ip: place.peer_ip,
            environment: place.environment,
        });
        if let Some(old) = old {
            self.end_session(id, old.session);
        }
        self.adopt(id, last, session, &kept);
        self.advance();
    }

    pub(super) fn worker_left(&mut self, name: &str, session: Session) {
        let Some(&id) = self.names.get(name) else {
            return;
        };
        let worker = &mut self.workers[id];
        worker.newest = worker.newest.max(Some(session));
        if worker
            .present
            .as_ref()
            .is_some_and(|present| present.session == session)
        {
            self.remove_worker(id);
            self.advance();
        }
    }

    /// Lets no cell wait for this worker any longer, because its pod will not be started again. A
    /// session counts until it is seen to end.
    pub(super) fn worker_given_up(&mut self, name: &str, reason: String) {
        if let Some(&id) = self.names.get(name) {
            let worker = &mut self.workers[id];
            worker.given_up = true;
            worker.end = Some(reason);
            if let (None, Some(last)) = (&worker.present, worker.last) {
                self.end_session(id, last);
            }
            self.advance();
        }
    }

    /// Takes a worker that is present out of the run.
    pub(super) fn remove_worker(&mut self, id: WorkerId) {
        let Some(present) = self.workers[id].present.take() else {
            return;
        };
        self.copies.set_changed();
        self.sessions.remove(&present.session);
        if let Phase::Closing(_) | Phase::Ended = self.phase {
            return;
        }
        self.queue.remove_worker(id);
        self.emit(EventKind::WorkerLeft {
            worker: self.workers[id].name.clone(),
        });
        self.end_session(id, present.session);
    }

    /// Fails the attempts that ran in a session, except for those that outlive it. The other processes have ended with
    /// it.
    fn end_session(&mut self, worker: WorkerId, session: Session) {
        let name = self.workers[worker].name.clone();
        self.end_policy_checks_in(session, &name);
        self.end_path_check_in(session);
        let comes_back = self.workers[worker].end.is_none();
        let lost = self.lanes.iter().filter(|(_, lane)| {
            lane.runs_in(session) && !(comes_back && lane.running().is_some_and(Attempt::outlives))
        });
        for id in lost.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.lose_attempt(id, worker);
        }
        self.keep_strays_of(session, comes_back);
        for lane in self.lanes.values_mut() {
            lane.remove_processes(|process| process.session == session);
        }
    }

    /// Fails an attempt whose worker has left.
    pub(super) fn lose_attempt(&mut self, id: LaneId, worker: WorkerId) {
        let text = format!(
            "worker `{}` left while the sample was under way",
            self.workers[worker].name
        );
        self.fail_attempt(id, Failure::new(Cause::WorkerLost, &text), None);
    }

    /// Starts the first sample when all workers that will come are present.
    pub(super) fn start_when_gathered(&mut self) {
        let is_settled = |id: WorkerId| {
            let worker = &self.workers[id];
            worker.present.is_some() || worker.given_up
        };
        let mut all = self.workers.ids();
        if !all
            .clone()
            .all(|id| is_settled(id) || !self.queue.needs(id))
        {
            return;
        }
        if self.queue.is_empty() || all.all(is_settled) {
            self.start_samples();
        } else if let Phase::AwaitingNeeded(_) = self.phase {
            self.phase = Phase::AwaitingOthers(self.set_timer(self.limits.others));
        }
    }

    /// Why cells fail that need this absent worker.
    pub(super) fn absence(&self, id: WorkerId) -> Failure {
        let worker = &self.workers[id];
        let name = &worker.name;
        let text = if let Some(end) = &worker.end {
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
            words: text,
            note: String::new(),
        }
    }
}
