//! Deadlines, Cancel and the end of the run.

use std::time::Duration;

use super::lane::{LaneId, LanePhase, Stage};
use super::message::{Command, Order, Session, Timer};
use super::table::WorkerId;
use super::{Phase, State};
use crate::results::EventKind;
use crate::tools::{Cause, Failure};

impl State {
    pub(super) fn timer_fired(&mut self, fired: Timer) {
        if let Some(stray) = self.strays.iter().position(|stray| stray.waits_for(fired)) {
            return self.stray_timed_out(stray);
        }
        match &self.phase {
            Phase::AwaitingNeeded(timer) if *timer == fired && self.is_isolated() => {
                self.phase = Phase::AwaitingNeeded(self.set_timer(self.limits.start));
                self.commands.push(Command::StepAside);
            }
            Phase::AwaitingReturn { cell, timer } if *timer == fired && self.is_isolated() => {
                let cell = *cell;
                let timer = self.set_timer(self.limits.reconnect);
                self.phase = Phase::AwaitingReturn { cell, timer };
                self.commands.push(Command::StepAside);
            }
            Phase::AwaitingNeeded(timer) if *timer == fired => {
                let missing =
                    |id: &WorkerId| self.workers[*id].present.is_none() && self.queue.needs(*id);
                let missing: Vec<WorkerId> = self.workers.ids().filter(missing).collect();
                self.give_up(&missing);
            }
            Phase::AwaitingReturn { cell, timer } if *timer == fired => {
                let missing: Vec<WorkerId> = self.absent_for(*cell);
                self.give_up(&missing);
            }
            Phase::AwaitingOthers(timer) if *timer == fired => self.start_samples(),
            Phase::TryingForbidden(timer) if *timer == fired => {
                self.end_policy_checks();
                self.start_samples();
            }
            Phase::CheckingPaths(timer) if *timer == fired => self.path_check_timed_out(),
            Phase::Cancelling(timer) if *timer == fired => self.finish(),
            Phase::Closing(timer) if *timer == fired => {
                self.reject_holder();
                self.phase = Phase::Closing(self.set_timer(self.limits.copy));
            }
            Phase::Running => {
                let lane = self.lanes.iter().find(|(_, lane)| lane.timer() == fired);
                if let Some((&lane, _)) = lane {
                    self.lane_timed_out(lane);
                }
            }
            _ => {}
        }
    }

    fn lane_timed_out(&mut self, id: LaneId) {
        let lane = &self.lanes[&id];
        match &lane.phase {
            LanePhase::Running(attempt) => {
                if let Some(worker) = self.absent_end_of(lane.cell, attempt) {
                    self.lose_attempt(id, worker);
                    return self.advance();
                }
                let path = self.tasks.at(lane.cell).path;
                let (cause, worker) = match attempt.stage {
                    // Another worker takes the copy, or the clients start without one.
                    Stage::Copying => return self.reject_holder_for(id),
                    // The other servers have timers of their own.
                    Stage::Ready => return self.wait_for_others(id),
                    Stage::Starting => (Cause::ServerFailed, &path.to),
                    Stage::Loading => {
                        let words = "the traffic of a load did not arrive in time";
                        return self.fail_lane(id, Cause::LoadFailed, words);
                    }
                    Stage::Measuring { .. } => (Cause::Timeout, &path.from),
                    Stage::Unloading(_) => {
                        let words = "a load did not end in time";
                        return self.fail_lane(id, Cause::LoadFailed, words);
                    }
                };
                let text = format!("worker `{worker}` did not answer in time");
                self.fail_attempt(id, Failure::new(cause, &text), None);
            }
            LanePhase::Stopping { processes, .. } => {
                let mut sessions: Vec<Session> = processes.iter().map(|p| p.session).collect();
                sessions.dedup();
                for session in sessions {
                    self.disconnect(session);
                }
            }
            LanePhase::Cooling(_) => self.close_lane(id),
        }
        self.advance();
    }

    /// Takes a worker out of the run that does not do what it is told.
    pub(super) fn disconnect(&mut self, session: Session) {
        self.commands.push(Command::Disconnect { session });
        if let Some(worker) = self.worker_of(session) {
            self.remove_worker(worker);
        }
    }

    fn fail_lane(&mut self, id: LaneId, cause: Cause, words: &str) {
        self.fail_attempt(id, Failure::new(cause, words), None);
        self.advance();
    }

    /// Lets no cell wait for these workers any longer.
    fn give_up(&mut self, workers: &[WorkerId]) {
        for worker in workers {
            self.workers[*worker].given_up = true;
        }
        self.start_samples();
    }

    pub(super) fn cancel(&mut self) {
        if let Phase::Cancelling(_) | Phase::Closing(_) | Phase::Ended = self.phase {
            return;
        }
        for id in self.lane_ids() {
            match self.lanes[&id].phase {
                LanePhase::Running(_) => self.stop_processes(id, None, true, Duration::ZERO),
                LanePhase::Stopping { .. } => self.publish_pending_in(id, None),
                LanePhase::Cooling(_) => self.close_lane(id),
            }
        }
        let timer = self.set_timer(self.limits.cancel);
        self.phase = Phase::Cancelling(timer);
        self.advance();
    }

    pub(super) fn finish(&mut self) {
        // What comes of them now comes too late.
        self.lanes.clear();
        self.strays.clear();
        let cancelled = self.ended < self.tasks.len();
        self.emit(EventKind::RunEnded { cancelled });
        let timer = self.set_timer(self.limits.copy);
        self.phase = Phase::Closing(timer);
    }

    /// Releases the workers once the copy has the run's end; all but the one that holds it.
    pub(super) fn close_when_copied(&mut self) {
        if !matches!(self.phase, Phase::Closing(_)) || !self.copies.is_current() {
            return;
        }
        self.phase = Phase::Ended;
        let present = self.workers.iter();
        let present = present.filter_map(|(_, worker)| worker.present.as_ref());
        let mut sessions: Vec<Session> = present.map(|present| present.session).collect();
        sessions.sort_unstable();
        for session in sessions {
            if !self.is_holder(session) {
                self.send(session, Order::Goodbye);
            }
        }
        self.commands.push(Command::Finish);
    }

    /// Takes another holder, and lets this lane's client wait for it.
    fn reject_holder_for(&mut self, id: LaneId) {
        self.reject_holder();
        self.set_copy_timer_of(id);
    }

    /// Lets whatever waits for the copy wait longer: its holder is slow, and not silent.
    pub(super) fn renew_copy_timers(&mut self) {
        if let Phase::Closing(_) = self.phase {
            self.phase = Phase::Closing(self.set_timer(self.limits.copy));
        }
        for id in self.copying_lanes() {
            self.set_copy_timer_of(id);
        }
    }

    /// Lets a client wait longer for the servers of the paths that are measured with its own.
    fn wait_for_others(&mut self, id: LaneId) {
        self.set_timer_of(id, self.limits.ready + self.limits.answer);
    }

    pub(super) fn set_copy_timer_of(&mut self, id: LaneId) {
        self.set_timer_of(id, self.limits.copy);
    }

    /// Sets the time that the attempt of a lane has from now on.
    pub(super) fn set_timer_of(&mut self, id: LaneId, after: Duration) {
        let timer = self.set_timer(after);
        if let Some(attempt) = self.attempt_mut(id) {
            attempt.timer = timer;
        }
    }
}
