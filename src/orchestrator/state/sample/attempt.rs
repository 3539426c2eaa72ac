//! An attempt from its start to its result: the server first, then the client.

use std::time::Duration;

use super::super::lane::{Attempt, Lane, LaneId, LanePhase, PendingSample, Stage};
use super::super::message::{ClientEnd, Order, Process, Step, Timer};
use super::super::progress::Next;
use super::super::queue::ReservedNodes;
use super::super::table::CellIndex;
use super::super::{Phase, State};
use super::outcome::{
    add_lowest, add_observation, add_tcp_figures, extension, marked, why_no_server, why_unfit,
};
use super::target::target;
use crate::results::environment::host_metrics::{End, Observation};
use crate::results::run_dir::raw_name;
use crate::results::warnings::{of_series, remove_impossible};
use crate::results::{Circumstances, EventKind, Outcome, Sample, command_line};
use crate::schedule::Params;
use crate::tools::{Cause, Ended, Failure, Use};

impl State {
    /// Starts all samples that can start now; ends cells that need no attempt or can have none.
    pub(in super::super) fn start_samples(&mut self) {
        if self.begin_policy_checks() {
            return;
        }
        loop {
            while self.strays.is_empty()
                && let Some((rank, nodes)) = self.queue.take()
            {
                let cell = rank.cell();
                if let Some(batch) = self.batches.of(cell) {
                    self.start_batch(batch, nodes);
                    continue;
                }
                if let Next::Attempt { .. } = self.next_for(cell)
                    && let Some(worker) = self.absent_for_loads(cell)
                {
                    self.queue.release(&nodes);
                    if self.workers[worker].given_up {
                        let outcome = Outcome::Failed(self.absence(worker));
                        self.end_cell(cell, outcome);
                        continue;
                    }
                    // A cell with loads runs by itself, so that nothing is under way.
                    self.queue.push(rank);
                    return self.await_workers_of(cell);
                }
                let outcome = match self.next_for(cell) {
                    Next::Attempt {
                        sample,
                        attempt,
                        rate_bps,
                    } => {
                        let params = self.tasks.at(cell).params_at(rate_bps);
                        let held = Some(nodes.clone());
                        self.start_attempt(cell, held, params, [sample, attempt])
                            .err()
                    }
                    Next::End(outcome) => Some(outcome),
                    Next::Nothing => None,
                };
                if let Some(outcome) = outcome {
                    self.end_cell(cell, outcome);
                    self.queue.release(&nodes);
                }
            }
            if !self.lanes.is_empty() {
                self.phase = Phase::Running;
                return;
            }
            let Some(rank) = self.queue.first() else {
                return self.finish();
            };
            let cell = rank.cell();
            if let Some(batch) = self.batches.of(cell) {
                if self.end_hopeless(batch, rank) {
                    continue;
                }
                return self.await_workers_of(cell);
            }
            let given_up = self.absent(cell).find(|id| self.workers[*id].given_up);
            let outcome = match (self.next_for(cell), given_up) {
                (Next::End(outcome), _) => outcome,
                (_, Some(worker)) => Outcome::Failed(self.absence(worker)),
                (_, None) => return self.await_workers_of(cell),
            };
            self.queue.remove_first(rank);
            self.end_cell(cell, outcome);
        }
    }

    fn await_workers_of(&mut self, cell: CellIndex) {
        if !matches!(self.phase, Phase::AwaitingReturn { cell: now, .. } if now == cell) {
            let timer = self.set_timer(self.limits.reconnect);
            self.phase = Phase::AwaitingReturn { cell, timer };
        }
    }

    /// # Errors
    /// The outcome of a cell that cannot be run at all.
    pub(in super::super) fn start_attempt(
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
        let ends = [
            (&path.to, to, Use::Server),
            (&path.from, from, Use::Client(&params)),
        ];
        for (name, present, used) in ends {
            let environment = &present.place.environment;
            if let Some(reason) = why_unfit(task.tool(), name, environment, used) {
                return Err(Outcome::Skipped { reason });
            }
        }
        let family = self.tasks.plan().family_of(path);
        let target = target(path, family, &from.place, &to.place).map_err(Outcome::Failed)?;
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
            let LanePhase::Running(attempt) = &mut lane.phase else {
                return None;
            };
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

    fn set_stage(&mut self, id: LaneId, stage: Stage) {
        if let Some(lane) = self.lanes.get_mut(&id)
            && let LanePhase::Running(attempt) = &mut lane.phase
        {
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
        let LanePhase::Running(attempt) = &mut lane.phase else {
            return;
        };
        let task = self.tasks.at(lane.cell);
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
        let (cell, sample) = (lane.cell, attempt.sample);
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

    pub(in super::super) fn server_ended(
        &mut self,
        process: Process,
        ended: Ended,
        observed: Option<Observation>,
    ) {
        if self.load_server_ended(process) {
            return;
        }
        for (&id, lane) in &mut self.lanes {
            if lane.awaits_server(process) {
                self.publish_pending_in(id, observed);
                break;
            }
            let LanePhase::Running(attempt) = &mut lane.phase else {
                continue;
            };
            if attempt.server() != process {
                continue;
            }
            attempt.server_ended = true;
            attempt.server_observed = observed;
            // While the client runs, its own end says what that means.
            if let Stage::Starting | Stage::Ready | Stage::Copying | Stage::Loading = attempt.stage
            {
                let task = self.tasks.at(lane.cell);
                let tool = task.tool();
                let awaited = tool
                    .server(&task.job(&attempt.params, &attempt.target))
                    .ready;
                let (cause, mut text) = why_no_server(&ended, &awaited, self.limits.ready);
                if let (Cause::ToolMissing, Some(origin)) = (cause, tool.origin()) {
                    text = format!("{text}; {origin}");
                }
                self.fail_attempt(id, Failure::new(cause, &text), Some(ended));
                self.advance();
            }
            return;
        }
        self.process_ended(process);
    }

    pub(in super::super) fn client_ended(&mut self, client: Process, end: ClientEnd) {
        let Some(end) = self.load_client_ended(client, end) else {
            return;
        };
        let lanes = self.lanes.iter();
        let measured = lanes.filter_map(|(id, lane)| Some((*id, lane, lane.measured_by(client)?)));
        if let Some((id, lane, attempt)) = { measured }.next() {
            let is_running = lane.running().is_some();
            let server_ended = attempt.server_ended;
            let is_loaded = !attempt.loads.is_empty();
            let server_observed = attempt.server_observed.clone();
            match self.read_result(lane.cell, attempt, end) {
                Ok(sample) if is_running && is_loaded => self.unload(id, sample),
                Ok(sample) if is_running => {
                    self.stop_processes(id, Some(client), false, Duration::ZERO);
                    self.set_pending(id, sample);
                    if server_ended {
                        self.publish_pending_in(id, server_observed);
                    }
                }
                Ok(sample) => self.publish(sample, server_observed),
                Err(failed) if is_running => {
                    let (failure, ended) = *failed;
                    self.fail_attempt(id, failure, Some(ended));
                }
                Err(_) => {}
            }
        }
        self.process_ended(client);
    }

    /// The sample of an attempt whose client has ended.
    ///
    /// # Errors
    /// Why there is none, with what the client printed.
    fn read_result(
        &self,
        index: CellIndex,
        attempt: &Attempt,
        end: ClientEnd,
    ) -> Result<PendingSample, Box<(Failure, Ended)>> {
        let ClientEnd {
            ended,
            wall,
            tcp,
            observed,
        } = end;
        let task = self.tasks.at(index);
        let job = task.job(&attempt.params, &attempt.target);
        let circumstances = Circumstances {
            wall_s: wall.as_secs_f64(),
            ..self.circumstances(index)
        };
        let series = task.tool().series(&job, &ended);
        let series = series.map(|series| marked(series, &circumstances));
        let read = task.tool().read(&job, &ended).and_then(|mut metrics| {
            add_tcp_figures(&mut metrics, tcp);
            add_lowest(&mut metrics, series.as_ref());
            let headline = task.tool().headline();
            let warnings = remove_impossible(headline, &mut metrics, &circumstances)?;
            Ok((metrics, warnings))
        });
        let (mut metrics, mut warnings) = match read {
            Ok(read) => read,
            Err(failure) => return Err(Box::new((failure, ended))),
        };
        warnings.extend(series.iter().flat_map(of_series));
        let carried_bytes = observed.as_ref().and_then(|seen| seen.carried_bytes);
        add_observation(&mut metrics, End::Client, observed);
        let (command, started) = match &attempt.stage {
            Stage::Measuring {
                command, started, ..
            } => (command_line(command), *started),
            // No client of this attempt has been started.
            Stage::Starting
            | Stage::Ready
            | Stage::Copying
            | Stage::Loading
            | Stage::Unloading(_) => (command_line(&[]), self.now),
        };
        let cell = task.id();
        let outages = task.tool().outages(&ended);
        let raw = (!ended.stdout.is_empty()).then_some(ended.stdout);
        let sample = Sample {
            path: task.path.name.clone(),
            tool: task.tool().name().to_owned(),
            sample: attempt.sample,
            attempt: attempt.number,
            params: attempt.params.clone(),
            started,
            wall_s: wall.as_secs_f64(),
            command,
            server_command: command_line(&attempt.server_command),
            metrics,
            outages,
            warnings,
            series: series.map(Box::new),
            raw: raw
                .as_ref()
                .map(|raw| raw_name(&cell, attempt.sample, attempt.number, extension(raw))),
            raw_cut_bytes: ended.cut.stdout,
            cell,
        };
        Ok(PendingSample {
            cell: index,
            server: attempt.server(),
            circumstances,
            sample,
            raw,
            carried_bytes,
        })
    }
}
