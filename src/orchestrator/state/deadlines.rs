//! Deadlines, Cancel and the end of the run.

use std::time::Duration;

use super::lane::{Life, Stage};
use super::message::{Command, Order, Session, Timer};
use super::{Phase, State};
use crate::results::EventKind;
use crate::tools::{Cause, Failure};

impl State {
    pub(super) fn timer_fired(&mut self, fired: Timer) {
        match &self.phase {
            Phase::Gathering(timer) if *timer == fired => {
                let missing =
                    |at: &usize| self.workers[*at].present.is_none() && self.queue.needs(*at);
                let missing: Vec<usize> = (0..self.workers.len()).filter(missing).collect();
                self.give_up(&missing);
            }
            Phase::Waiting { task, timer } if *timer == fired => {
                let missing: Vec<usize> = self.absent(*task).collect();
                self.give_up(&missing);
            }
            Phase::Stragglers(timer) if *timer == fired => self.fill(),
            Phase::Cancelling(timer) if *timer == fired => self.finish(),
            Phase::Going => {
                let lane = self.lanes.iter().position(|lane| lane.timer() == fired);
                if let Some(lane) = lane {
                    self.lane_timed_out(lane);
                }
            }
            _ => {}
        }
    }

    fn lane_timed_out(&mut self, at: usize) {
        match &self.lanes[at].life {
            Life::Running(attempt) => {
                let path = self.tasks.at(self.lanes[at].task).path;
                let (cause, worker) = match attempt.stage {
                    Stage::Starting => (Cause::ServerFailed, &path.to),
                    Stage::Measuring { .. } => (Cause::Timeout, &path.from),
                };
                let words = format!("worker `{worker}` did not answer in time");
                self.fail(at, Failure::new(cause, &words), None);
            }
            Life::Clearing { processes, .. } => {
                let mut sessions: Vec<Session> = processes.iter().map(|p| p.session).collect();
                sessions.dedup();
                for session in sessions {
                    self.commands.push(Command::Disconnect { session });
                    if let Some(worker) = self.worker_of(session) {
                        self.lose(worker);
                    }
                }
            }
            Life::Cooling(_) => {
                let lane = self.lanes.swap_remove(at);
                self.queue.free(lane.seat);
            }
        }
        self.go_on();
    }

    /// Lets the cells of these workers wait for them no more.
    fn give_up(&mut self, workers: &[usize]) {
        for worker in workers {
            self.workers[*worker].given_up = true;
        }
        self.fill();
    }

    pub(super) fn cancel(&mut self) {
        if let Phase::Cancelling(_) | Phase::Ended = self.phase {
            return;
        }
        for at in (0..self.lanes.len()).rev() {
            match self.lanes[at].life {
                Life::Running(_) => self.clear(at, None, true, Duration::ZERO),
                Life::Clearing { .. } => self.release(at, None),
                Life::Cooling(_) => {
                    self.lanes.swap_remove(at);
                }
            }
        }
        let timer = self.set_timer(self.limits.cancel);
        self.phase = Phase::Cancelling(timer);
        self.go_on();
    }

    pub(super) fn finish(&mut self) {
        self.phase = Phase::Ended;
        // Whatever comes of them now comes too late.
        self.lanes.clear();
        let cancelled = self.ended < self.tasks.len();
        self.emit(EventKind::RunEnded { cancelled });
        let mut sessions: Vec<Session> = self
            .workers
            .iter()
            .filter_map(|worker| worker.present.as_ref())
            .map(|present| present.session)
            .collect();
        sessions.sort_unstable();
        for session in sessions {
            self.send(session, Order::Goodbye);
        }
        self.commands.push(Command::Finish);
    }
}
