//! What follows an attempt: nothing of it is left, its nodes cool down, the next one begins.

use std::time::Duration;

use super::lane::{Life, Process, Stage};
use super::message::Order;
use super::outcome::{all_output, extension};
use super::progress::Next;
use super::{Phase, State};
use crate::plan::Via;
use crate::results::EventKind;
use crate::results::run_dir::raw_name;
use crate::tools::{Cause, Ended, Failure};

/// A Service that does not lead to its worker yet is tried again after this, then twice this, up to
/// eight times this.
const SERVICE_AGAIN: Duration = Duration::from_millis(250);

impl State {
    /// Ends an attempt without a measurement.
    pub(super) fn fail(&mut self, at: usize, failure: Failure, ended: Option<Ended>) {
        let lane = &self.lanes[at];
        let Some(attempt) = lane.running() else {
            return;
        };
        let index = lane.task;
        let (sample, number) = (attempt.sample, attempt.number);
        let cell = self.tasks.at(index).id();
        let over = ended.as_ref().and(attempt.client());
        let raw_cut_bytes = ended.as_ref().map_or(0, |ended| ended.cut.bytes());
        let raw = ended.and_then(all_output);
        let Failure { cause, words } = failure;
        let (cause, pause) = if self.service_may_come(index, cause) {
            let tries = self.progress[index].not_ready().min(3);
            (Cause::ServiceNotReady, SERVICE_AGAIN * 2_u32.pow(tries))
        } else {
            (cause, Duration::ZERO)
        };
        let event = EventKind::AttemptFailed {
            raw: raw
                .as_ref()
                .map(|raw| raw_name(&cell, sample, number, extension(raw))),
            cell,
            sample,
            attempt: number,
            failure: Failure { cause, words },
            raw_cut_bytes,
        };
        self.clear(at, over, false, pause);
        self.emit_of(index, event, raw);
        self.settle(index);
    }

    /// Ends the cell when it needs no further attempt; else the next one waits for its turn.
    pub(super) fn settle(&mut self, task: usize) {
        match self.next_of(task) {
            Next::End(outcome) => self.end_cell(task, outcome),
            Next::Attempt { .. } => self.queue.put(self.turns.turn(task, &self.progress[task])),
            Next::Nothing => {}
        }
    }

    /// Whether a failure only says that the nodes do not know yet where a Service leads. Nothing
    /// announces when they do: each learns it by itself, a moment after the worker's pod is there. Until then a
    /// tool's second connection may also lead to the pod that was there before, while its first one does not.
    fn service_may_come(&self, task: usize, cause: Cause) -> bool {
        let is_about_the_way = matches!(
            cause,
            Cause::Refused
                | Cause::ConnectTimeout
                | Cause::NoRoute
                | Cause::DataPortUnreachable
                | Cause::FirstDatagramLost
        );
        let is_new = |at: usize| {
            let present = self.workers[at].present.as_ref();
            present.is_some_and(|present| {
                self.now.duration_since(present.since).unsigned_abs() < self.limits.service
            })
        };
        self.tasks.at(task).path.via == Via::ClusterIp
            && is_about_the_way
            && self.ends(task).into_iter().any(is_new)
    }

    /// Leaves the attempt and stops all of its processes but `over`, which has ended. With `keep`
    /// a client that was done before still counts. What follows begins no earlier than `pause`
    /// after their end.
    pub(super) fn clear(&mut self, at: usize, over: Option<Process>, keep: bool, pause: Duration) {
        let Some(attempt) = self.lanes[at].running() else {
            return;
        };
        let cooldown = match attempt.stage {
            Stage::Starting => Duration::ZERO,
            Stage::Measuring { .. } => self.tasks.at(self.lanes[at].task).timing().cooldown.0,
        };
        let mut processes = attempt.processes();
        processes.retain(|process| Some(*process) != over && self.is_present(process.session));
        for process in &processes {
            self.send(process.session, Order::Stop { step: process.step });
        }
        let timer = self.set_timer(self.limits.stop);
        let new = Life::Clearing {
            last: None,
            processes,
            cooldown: cooldown.max(pause),
            timer,
            held: None,
        };
        let old = std::mem::replace(&mut self.lanes[at].life, new);
        if let (Life::Running(attempt), Life::Clearing { last, .. }) =
            (old, &mut self.lanes[at].life)
        {
            *last = keep.then_some(attempt);
        }
    }

    /// A process has ended.
    pub(super) fn gone(&mut self, process: Process) {
        for lane in &mut self.lanes {
            lane.forget(|other| *other == process);
        }
        self.go_on();
    }

    /// Goes on where nothing of the last attempt is left.
    pub(super) fn go_on(&mut self) {
        let cancelling = matches!(self.phase, Phase::Cancelling(_));
        for at in (0..self.lanes.len()).rev() {
            let Life::Clearing { cooldown, .. } = self.lanes[at].life else {
                continue;
            };
            if !self.lanes[at].is_clear() {
                continue;
            }
            self.release(at, None);
            if cooldown.is_zero() || self.queue.is_empty() || cancelling {
                let lane = self.lanes.swap_remove(at);
                self.queue.free(lane.seat);
            } else {
                self.lanes[at].life = Life::Cooling(self.set_timer(cooldown));
            }
        }
        match self.phase {
            Phase::Gathering(_) | Phase::Stragglers(_) => self.go_on_when_gathered(),
            Phase::Going | Phase::Waiting { .. } => self.fill(),
            Phase::Cancelling(_) if self.lanes.is_empty() => self.finish(),
            Phase::Cancelling(_) | Phase::Ended => {}
        }
    }
}
