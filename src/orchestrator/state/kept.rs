//! What outlives the session of a worker: tools that want it, see [`outlives_session`].
//!
//! An attempt whose client runs stays open while its workers are away. A worker that comes back names what it has kept, and
//! the attempt continues in the new session. Whatever else it names is stopped, and so is the client of an attempt that
//! has failed meanwhile: until it has ended, it is a stray.
//!
//! [`outlives_session`]: crate::tools::Tool::outlives_session

use std::time::Duration;

use jiff::Timestamp;

use super::State;
use super::lane::{Attempt, LaneId, LanePhase};
use super::message::{Command, KeptStep, Order, Process, Session, Step, Timer};
use super::table::{CellIndex, WorkerId};

/// A process that nobody waits for and that may still run.
#[derive(Debug)]
pub(super) struct Stray {
    process: Process,
    is_client: bool,
    /// Its worker has killed it by then.
    ends_by: Timestamp,
    timer: Timer,
}

impl Stray {
    pub fn is(&self, process: Process) -> bool {
        self.process == process
    }

    pub fn waits_for(&self, timer: Timer) -> bool {
        self.timer == timer
    }
}

impl State {
    /// How long to wait for the end of a process that outlives sessions: its worker may have to come back first.
    pub(super) fn patience_for(&self, deadline: Duration) -> Duration {
        deadline + self.limits.answer + self.limits.reconnect
    }

    /// Takes over what has outlived the last session of a worker that has joined, and stops what nobody waits for.
    pub(super) fn adopt(
        &mut self,
        worker: WorkerId,
        old: Option<Session>,
        session: Session,
        kept: &[KeptStep],
    ) {
        let epoch = self.epoch();
        let is_kept = |step: &Step| {
            kept.iter()
                .any(|kept| kept.epoch == epoch && kept.step == *step)
        };
        let mut adopted: Vec<Step> = Vec::new();
        if let Some(old) = old {
            let mut lost: Vec<LaneId> = Vec::new();
            for (&id, lane) in &mut self.lanes {
                let Some(attempt) = lane.running_mut() else {
                    continue;
                };
                let steps = attempt.steps_in(old);
                if steps.iter().all(is_kept) {
                    attempt.move_to(old, session);
                    adopted.extend(steps);
                } else {
                    lost.push(id);
                }
            }
            for id in lost {
                self.lose_attempt(id, worker);
            }
            // Those that still run are among what it has kept.
            self.strays.retain(|stray| stray.process.session != old);
        }
        for kept in kept {
            let KeptStep { step, .. } = *kept;
            if kept.epoch == epoch && adopted.contains(&step) {
                continue;
            }
            if kept.is_running {
                self.send(session, Order::Stop { step });
                let timer = self.set_timer(self.limits.stop);
                self.strays.push(Stray {
                    process: Process { session, step },
                    is_client: kept.is_client,
                    ends_by: self.now + kept.ends_within,
                    timer,
                });
            } else {
                self.send(session, Order::Forget { step });
            }
        }
    }

    /// Lets a worker forget the end of a process that outlives sessions, which has arrived.
    pub(super) fn forget_if_kept(&mut self, process: Process) {
        let Process { session, step } = process;
        let mut lanes = self.lanes.values();
        let is_kept = lanes.any(|lane| lane.keeps(process))
            || self.strays.iter().any(|stray| stray.is(process));
        if is_kept && self.is_present(session) {
            self.send(session, Order::Forget { step });
        }
    }

    /// Waits for the end of a client whose worker is away: until the worker is back, or must have killed it.
    pub(super) fn keep_stray(&mut self, process: Process, ends_by: Timestamp) {
        let left = ends_by.duration_since(self.now);
        if left.is_positive() {
            let timer = self.set_timer(left.unsigned_abs());
            self.strays.push(Stray {
                process,
                is_client: true,
                ends_by,
                timer,
            });
        }
    }

    /// A session has ended. Its clients that outlive it may still run, unless the worker is gone for good. A server
    /// disturbs nobody while its worker is away.
    pub(super) fn keep_strays_of(&mut self, session: Session, comes_back: bool) {
        let mut clients: Vec<(Process, Timestamp)> = Vec::new();
        self.strays.retain(|stray| {
            let is_over = stray.process.session == session;
            if is_over && stray.is_client {
                clients.push((stray.process, stray.ends_by));
            }
            !is_over
        });
        for lane in self.lanes.values() {
            if let LanePhase::Stopping {
                kept_client: Some((client, ends_by)),
                processes,
                ..
            } = &lane.phase
                && client.session == session
                && processes.contains(client)
            {
                clients.push((*client, *ends_by));
            }
        }
        if comes_back {
            for (client, ends_by) in clients {
                self.keep_stray(client, ends_by);
            }
        }
    }

    /// A stray has not ended in time: its worker does not do what it is told, or has killed it by now.
    pub(super) fn stray_timed_out(&mut self, nth: usize) {
        let session = self.strays[nth].process.session;
        if let Some(worker) = self.worker_of(session) {
            self.commands.push(Command::Disconnect { session });
            self.remove_worker(worker);
        } else {
            self.strays.remove(nth);
        }
        self.advance();
    }

    /// An end of an attempt whose worker is away.
    pub(super) fn absent_end_of(&self, cell: CellIndex, attempt: &Attempt) -> Option<WorkerId> {
        let [to, from] = self.ends(cell);
        let ends = [(from, attempt.from), (to, attempt.to)];
        let absent = ends
            .into_iter()
            .find(|(_, session)| !self.is_present(*session));
        absent.map(|(worker, _)| worker)
    }
}
