//! An attempt from its start until its client runs: the server first, then the client.

use super::super::State;
use super::super::lane::{Attempt, Lane, LaneId, LanePhase, Stage};
use super::super::message::{Order, Process, Step, Timer};
use super::super::progress::Next;
use super::super::queue::ReservedNodes;
use super::super::table::CellIndex;
use super::target::target;
use crate::results::{EventKind, Outcome};
use crate::schedule::Params;

impl State {
    /// Starts the next attempt of a cell, and returns whether it needs one now.
    ///
    /// # Errors
    /// The outcome of a cell that needs no attempt any more, or can have none.
    pub(in super::super) fn start_next_attempt(
        &mut self,
        cell: CellIndex,
        nodes: Option<ReservedNodes>,
    ) -> Result<bool, Outcome> {
        match self.next_for(cell) {
            Next::Attempt {
                sample,
                attempt,
                rate_bps,
            } => {
                let params = self.tasks.at(cell).params_at(rate_bps);
                self.start_attempt(cell, nodes, params, [sample, attempt])?;
                Ok(true)
            }
            Next::End(outcome) => Err(outcome),
            Next::Nothing => Ok(false),
        }
    }

    /// # Errors
    /// The outcome of a cell that cannot be run at all.
    fn start_attempt(
        &mut self,
        index: CellIndex,
        nodes: Option<ReservedNodes>,
        params: Params,
        [sample, number]: [u32; 2],
    ) -> Result<(), Outcome> {
        if let Some(reason) = self.unproven_policy(index) {
            return Err(Outcome::Skipped { reason });
        }
        let ends = self.ends(index);
        let [Some(to), Some(from)] = ends.map(|worker| self.workers[worker].present.as_ref())
        else {
            // The queue knows who is present.
            return Err(Outcome::Failed(self.absence(ends[0])));
        };
        let task = self.tasks.at(index);
        let path = task.path;
        let target = target(task.tool(), &params, self.tasks.plan(), path, [from, to])?;
        let (from, to) = (from.session, to.session);
        let server = task.tool().server(&task.job(&params, &target));
        // Its loads end with their sessions.
        let keeps_processes = task.tool().outlives_session() && task.work.loads.is_empty();
        let outlives = keeps_processes.then(|| self.patience_for(task.work.deadline));
        let cell = task.id();
        let loads = self.start_load_servers(index)?;
        let step = self.new_step();
        let timer = self.set_timer(self.limits.ready + self.limits.answer);
        let attempt = Attempt {
            sample,
            number,
            params,
            target,
            from,
            to,
            server: step,
            is_ready: false,
            loads,
            server_ended: false,
            server_observed: None,
            server_command: server.argv.clone(),
            keeps_processes,
            stage: Stage::Starting,
            timer,
        };
        self.open_lane(Lane {
            cell: index,
            nodes,
            phase: LanePhase::Running(Box::new(attempt)),
        });
        // The event goes to disk while the server starts.
        self.send(
            to,
            Order::StartServer {
                step,
                server,
                ready_within: self.limits.ready,
                outlives,
                flow_signs: Vec::new(),
            },
        );
        let started = EventKind::SampleStarted {
            cell,
            sample,
            attempt: number,
        };
        self.emit_for_cell(index, started, None);
        Ok(())
    }

    pub(in super::super) fn server_ready(&mut self, server: Process) {
        let ready = self.lanes.iter_mut().find_map(|(id, lane)| {
            let attempt = lane.running_mut()?;
            let is_awaited = matches!(attempt.stage, Stage::Starting);
            let is_last = is_awaited && attempt.mark_ready(server) && attempt.all_ready();
            is_last.then_some(*id)
        });
        let Some(id) = ready else {
            return;
        };
        if self.batches.of(self.lanes[&id].cell).is_some() {
            self.set_stage(id, Stage::Ready);
            self.start_ready_batches();
        } else {
            self.start_clients(&[id]);
        }
    }

    /// Starts clients whose servers are ready: at once, or when the copy of the journal has all events.
    pub(in super::super) fn start_clients(&mut self, lanes: &[LaneId]) {
        let must_copy_first = self.must_copy_first();
        for id in lanes {
            if must_copy_first {
                self.set_stage(*id, Stage::Copying);
                self.set_copy_timer_of(*id);
            } else {
                self.start_client(*id);
            }
        }
    }

    pub(super) fn set_stage(&mut self, id: LaneId, stage: Stage) {
        if let Some(attempt) = self.attempt_mut(id) {
            attempt.stage = stage;
        }
    }

    /// The lanes whose client waits for the copy of the journal.
    pub(in super::super) fn copying_lanes(&self) -> Vec<LaneId> {
        let waits = |lane: &Lane| {
            let attempt = lane.running();
            attempt.is_some_and(|attempt| matches!(attempt.stage, Stage::Copying))
        };
        let waiting = self.lanes.iter().filter(|(_, lane)| waits(lane));
        waiting.map(|(id, _)| *id).collect()
    }

    /// Starts the clients that waited until the copy of the journal has all events.
    pub(in super::super) fn start_waiting_clients(&mut self) {
        for id in self.copying_lanes() {
            self.start_client(id);
        }
    }

    /// Starts the client, or first those of the loads.
    pub(in super::super) fn start_client(&mut self, id: LaneId) {
        if self.is_stopping || self.start_load_clients(id) {
            return;
        }
        let next_step = Step(self.next_step);
        let Some(lane) = self.lanes.get_mut(&id) else {
            return;
        };
        let cell = lane.cell;
        let Some(attempt) = lane.running_mut() else {
            return;
        };
        let task = self.tasks.at(cell);
        let client = task
            .tool()
            .client(&task.job(&attempt.params, &attempt.target));
        let (from, deadline) = (attempt.from, task.work.deadline);
        let outlives = attempt.keeps_processes;
        let answer = self.limits.answer;
        attempt.stage = Stage::Measuring {
            client: next_step,
            command: client.argv.clone(),
            started: self.now,
            ends_by: self.now + deadline + answer,
        };
        attempt.timer = Timer(self.next_timer);
        self.next_step += 1;
        let sample = attempt.sample;
        self.note_go(cell, sample, next_step);
        let output_bytes = self.output_bytes;
        self.send(
            from,
            Order::RunClient {
                step: next_step,
                client,
                deadline,
                output_bytes,
                outlives,
            },
        );
        self.set_timer(if outlives {
            self.patience_for(deadline)
        } else {
            deadline + answer
        });
        self.copies.set_changed();
    }
}
