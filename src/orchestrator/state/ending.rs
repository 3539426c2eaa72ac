//! Deadlines, Cancel and the end of the run.

use super::message::{Command, Order, Session, Timer};
use super::{Phase, Stage, State};
use crate::results::EventKind;
use crate::tools::Cause;

impl State {
    pub(super) fn timer_fired(&mut self, fired: Timer) {
        match &self.phase {
            Phase::Gathering(timer) if *timer == fired => {
                let tasks: Vec<usize> = self.turns.iter().map(|turn| turn.0.task()).collect();
                self.give_up(&tasks);
            }
            Phase::Waiting { task, timer } if *timer == fired => {
                let task = *task;
                self.give_up(&[task]);
            }
            Phase::Running(attempt) if attempt.timer == fired => {
                let task = &self.tasks[attempt.task];
                let (cause, worker) = match attempt.stage {
                    Stage::Starting => (Cause::ServerFailed, &task.to),
                    Stage::Measuring { .. } => (Cause::Timeout, &task.from),
                };
                let words = format!("worker `{worker}` did not answer in time");
                self.fail(cause, &words, None);
            }
            Phase::Clearing {
                processes, timer, ..
            } if *timer == fired => {
                let mut sessions: Vec<Session> = processes.iter().map(|p| p.session).collect();
                sessions.dedup();
                for session in sessions {
                    self.commands.push(Command::Disconnect { session });
                    let name = self.worker_of(session).map(str::to_owned);
                    if let Some(name) = name {
                        self.lose(&name);
                    }
                }
            }
            Phase::Stragglers(timer) | Phase::Cooling(timer) if *timer == fired => self.advance(),
            Phase::Cancelling { timer, .. } if *timer == fired => self.finish(),
            _ => {}
        }
    }

    pub(super) fn give_up(&mut self, tasks: &[usize]) {
        for &task in tasks {
            for name in self.absent(task) {
                if let Some(worker) = self.workers.get_mut(&name) {
                    worker.given_up = true;
                }
            }
        }
        self.advance();
    }

    pub(super) fn cancel(&mut self) {
        self.release(None);
        let (attempt, processes) = match std::mem::replace(&mut self.phase, Phase::Ended) {
            phase @ (Phase::Cancelling { .. } | Phase::Ended) => {
                self.phase = phase;
                return;
            }
            Phase::Running(attempt) => {
                let processes = self.stop(attempt.processes());
                (Some(attempt), processes)
            }
            Phase::Clearing { processes, .. } => (None, processes),
            Phase::Gathering(_)
            | Phase::Stragglers(_)
            | Phase::Waiting { .. }
            | Phase::Cooling(_) => (None, Vec::new()),
        };
        let timer = self.set_timer(self.limits.cancel);
        self.phase = Phase::Cancelling {
            attempt,
            processes,
            timer,
        };
        self.when_clear();
    }

    pub(super) fn finish(&mut self) {
        self.phase = Phase::Ended;
        let (ended, all) = self.count();
        let cancelled = ended < all;
        self.emit(EventKind::RunEnded { cancelled });
        let mut sessions: Vec<Session> = self
            .workers
            .values()
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
