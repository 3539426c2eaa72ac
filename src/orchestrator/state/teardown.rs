//! The end of an attempt: its processes are stopped, its nodes cool down, the next sample begins.

use std::time::Duration;

use super::lane::{LaneId, LanePhase, Stage};
use super::message::{Order, Process};
use super::progress::Next;
use super::sample::outcome::{all_output, extension};
use super::table::{CellIndex, WorkerId};
use super::{Phase, State};
use crate::plan::Via;
use crate::results::EventKind;
use crate::results::run_dir::raw_name;
use crate::tools::{Cause, Ended, Failure};

/// The pause before a sample is tried again whose Service does not lead to its worker yet; it doubles
/// up to eight times this.
const SERVICE_RETRY: Duration = Duration::from_millis(250);

impl State {
    /// Ends an attempt without a sample.
    pub(super) fn fail_attempt(&mut self, id: LaneId, failure: Failure, ended: Option<Ended>) {
        let Some(lane) = self.lanes.get(&id) else {
            return;
        };
        let Some(attempt) = lane.running() else {
            return;
        };
        let index = lane.cell;
        let (sample, number) = (attempt.sample, attempt.number);
        let cell = self.tasks.at(index).id();
        let over = ended.as_ref().and(attempt.client());
        let raw_cut_bytes = ended.as_ref().map_or(0, |ended| ended.cut.bytes());
        let raw = ended.and_then(all_output);
        let Failure { cause, words, note } = failure;
        let note = match attempt.stage {
            Stage::Measuring { .. } if note.is_empty() => self.path_note(index, cause),
            _ => note,
        };
        let (cause, pause) = if self.service_may_come(index, cause) {
            let tries = self.progress[index].not_ready().min(3);
            (Cause::ServiceNotReady, SERVICE_RETRY * 2_u32.pow(tries))
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
            failure: Failure { cause, words, note },
            raw_cut_bytes,
        };
        self.stop_processes(id, over, false, pause);
        self.emit_for_cell(index, event, raw);
        self.queue_or_end(index);
    }

    /// Ends the cell when it needs no further attempt; else queues the next one.
    pub(super) fn queue_or_end(&mut self, cell: CellIndex) {
        match self.next_for(cell) {
            Next::End(outcome) => self.end_cell(cell, outcome),
            Next::Attempt { .. } if self.batches.of(cell).is_none() => {
                self.queue.push(self.order.rank(cell, &self.progress[cell]));
            }
            Next::Attempt { .. } | Next::Nothing => {}
        }
        self.resolve_in_batch(cell);
    }

    /// Whether a failure only says that the nodes do not know yet where a Service leads. Nothing
    /// announces when they do: each learns it by itself, a moment after the worker's pod is there. Until then a
    /// tool's second connection may also lead to the pod that was there before, while its first one does not.
    fn service_may_come(&self, cell: CellIndex, cause: Cause) -> bool {
        let is_about_the_way = matches!(
            cause,
            Cause::Refused
                | Cause::ConnectTimeout
                | Cause::NoRoute
                | Cause::DataPortUnreachable
                | Cause::FirstDatagramLost
        );
        let is_new = |worker: WorkerId| {
            let present = self.workers[worker].present.as_ref();
            present.is_some_and(|present| {
                self.now.duration_since(present.since).unsigned_abs() < self.limits.service
            })
        };
        self.tasks.at(cell).path.via == Via::ClusterIp
            && is_about_the_way
            && self.ends(cell).into_iter().any(is_new)
    }

    /// Leaves the attempt and stops all of its processes except `over`, which has ended. With `keep`
    /// a client that has finished before still counts. The next sample begins no earlier than `pause`
    /// after their end.
    pub(super) fn stop_processes(
        &mut self,
        id: LaneId,
        over: Option<Process>,
        keep: bool,
        pause: Duration,
    ) {
        let Some(lane) = self.lanes.get(&id) else {
            return;
        };
        let Some(attempt) = lane.running() else {
            return;
        };
        let cooldown = match attempt.stage {
            Stage::Starting | Stage::Ready | Stage::Copying => Duration::ZERO,
            Stage::Loading | Stage::Measuring { .. } | Stage::Unloading(_) => {
                self.tasks.at(lane.cell).timing().cooldown.0
            }
        };
        let keeps_processes = attempt.keeps_processes;
        let kept_client = attempt.kept_client();
        let kept_client = kept_client.filter(|(client, _)| Some(*client) != over);
        let mut processes = attempt.processes();
        processes.retain(|process| Some(*process) != over && self.is_present(process.session));
        if let Some((client, ends_by)) = kept_client
            && !self.is_present(client.session)
        {
            self.keep_stray(client, ends_by);
        }
        for process in &processes {
            self.send(process.session, Order::Stop { step: process.step });
        }
        let timer = self.set_timer(self.limits.stop);
        let stopping = LanePhase::Stopping {
            last: None,
            processes,
            keeps_processes,
            kept_client,
            cooldown: cooldown.max(pause),
            timer,
            pending: None,
        };
        if let Some(lane) = self.lanes.get_mut(&id)
            && let LanePhase::Running(attempt) = std::mem::replace(&mut lane.phase, stopping)
            && let LanePhase::Stopping { last, .. } = &mut lane.phase
        {
            // Without its loads it would be no sample of the cell.
            *last = (keep && attempt.loads.is_empty()).then_some(attempt);
        }
    }

    pub(super) fn process_ended(&mut self, process: Process) {
        for lane in self.lanes.values_mut() {
            lane.remove_processes(|other| *other == process);
        }
        self.strays.retain(|stray| !stray.is(process));
        self.advance();
    }

    /// Closes lanes that nothing is left of, and starts what can start.
    pub(super) fn advance(&mut self) {
        let cancelling = matches!(self.phase, Phase::Cancelling(_));
        let stopped = self.lanes.iter();
        let stopped = stopped.filter_map(|(id, lane)| Some((*id, lane.cooldown_if_stopped()?)));
        for (id, cooldown) in stopped.collect::<Vec<_>>() {
            self.publish_pending_in(id, None);
            if cooldown.is_zero() || self.queue.is_empty() || cancelling {
                self.close_lane(id);
            } else {
                let cooling = LanePhase::Cooling(self.set_timer(cooldown));
                if let Some(lane) = self.lanes.get_mut(&id) {
                    lane.phase = cooling;
                }
            }
        }
        self.start_ready_batches();
        match self.phase {
            Phase::AwaitingNeeded(_) | Phase::AwaitingOthers(_) => self.start_when_gathered(),
            Phase::TryingForbidden(_)
            | Phase::CheckingPaths(_)
            | Phase::Running
            | Phase::AwaitingReturn { .. } => self.start_samples(),
            Phase::Cancelling(_) if self.lanes.is_empty() => self.finish(),
            Phase::Cancelling(_) | Phase::Closing(_) | Phase::Ended => {}
        }
    }

    pub(super) fn close_lane(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.remove(&id) else {
            return;
        };
        let nodes = match lane.nodes {
            Some(nodes) => vec![nodes],
            None => self.nodes_of_batch_without_lane(lane.cell),
        };
        for nodes in &nodes {
            self.queue.release(nodes);
        }
    }
}
