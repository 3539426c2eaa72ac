//! The loads of an attempt: traffic that flows before the measured client starts and after it has ended.
//!
//! ```text
//! servers ready ─▶ (copy) ─▶ loads' clients start ─▶ all flow ─▶ measured client ─▶ its end ─▶ loads' ends ─▶ sample
//! ```

use std::time::Duration;

use super::super::State;
use super::super::lane::{Attempt, LaneId, PendingSample, Stage};
use super::super::load_run::{LoadClient, LoadRun};
use super::super::message::{ClientEnd, Order, Process, Step};
use super::super::table::{CellIndex, WorkerId};
use super::outcome::{add_observation, extension};
use super::target::target;
use crate::plan::Path;
use crate::results::environment::host_metrics::End;
use crate::results::run_dir::raw_name;
use crate::results::{EventKind, Outcome, Sample, command_line};
use crate::tools::{Cause, Failure, LoadTool};

impl Attempt {
    /// Notes that a server of the attempt is ready; false for a server of something else.
    pub fn mark_ready(&mut self, server: Process) -> bool {
        if self.server() == server {
            self.is_ready = true;
            return true;
        }
        let load = self.load_mut(server);
        load.map(|load| load.is_ready = true).is_some()
    }

    /// The load that has this server.
    fn load_mut(&mut self, server: Process) -> Option<&mut LoadRun> {
        let mut loads = self.loads.iter_mut();
        loads.find(|load| load.server() == server)
    }

    pub fn all_ready(&self) -> bool {
        self.is_ready && self.loads.iter().all(|load| load.is_ready)
    }

    fn all_flow(&self) -> bool {
        self.loads.iter().all(|load| load.is_flowing)
    }

    /// Whether all loads have ended.
    pub fn is_unloaded(&self) -> bool {
        self.loads.iter().all(|load| load.end.is_some())
    }
}

/// What names a load in messages.
fn named(load: &LoadTool, path: &Path) -> String {
    format!("the load `{}` on `{}`", load.tool.name(), path.name)
}

impl State {
    /// A worker of the cell's loads that is absent.
    pub(in super::super) fn absent_for_loads(&self, cell: CellIndex) -> Option<WorkerId> {
        let loads = self.tasks.at(cell).work.loads.iter();
        let mut ends = loads.flat_map(|load| self.ends_by_path[load.path]);
        ends.find(|worker| self.workers[*worker].present.is_none())
    }

    /// Starts the servers of the cell's loads.
    ///
    /// # Errors
    /// The outcome of a cell whose loads cannot be run at all.
    pub(in super::super) fn start_load_servers(
        &mut self,
        cell: CellIndex,
    ) -> Result<Vec<LoadRun>, Outcome> {
        let mut runs = Vec::new();
        let mut orders = Vec::new();
        let task = self.tasks.at(cell);
        let plan = self.tasks.plan();
        let mut step = self.next_step;
        for load in &task.work.loads {
            let path = &plan.paths[load.path];
            let [to_id, from_id] = self.ends_by_path[load.path];
            let [Some(to), Some(from)] =
                [to_id, from_id].map(|id| self.workers[id].present.as_ref())
            else {
                return Err(Outcome::Failed(self.absence(to_id)));
            };
            let target = target(load.tool.as_ref(), &load.params, plan, path, [from, to])?;
            let server = load.tool.server(&load.job(&target));
            runs.push(LoadRun {
                from: from.session,
                to: to.session,
                target,
                server: Step(step),
                server_command: server.argv.clone(),
                is_ready: false,
                is_flowing: false,
                server_ended: false,
                client: None,
                end: None,
            });
            orders.push((to.session, Step(step), server, load.tool.flow_signs()));
            step += 1;
        }
        self.next_step = step;
        for (session, step, server, flow_signs) in orders {
            let ready_within = self.limits.ready;
            self.send(
                session,
                Order::StartServer {
                    step,
                    server,
                    ready_within,
                    outlives: None,
                    flow_signs,
                },
            );
        }
        Ok(runs)
    }

    /// Starts the clients of an attempt's loads. False when there are none, or when they run.
    pub(in super::super) fn start_load_clients(&mut self, id: LaneId) -> bool {
        let now = self.now;
        let first = self.next_step;
        let Some(lane) = self.lanes.get_mut(&id) else {
            return false;
        };
        let cell = lane.cell;
        let Some(attempt) = lane.running_mut() else {
            return false;
        };
        if attempt.loads.is_empty() || matches!(attempt.stage, Stage::Loading) {
            return false;
        }
        let mut orders = Vec::new();
        let loads = &self.tasks.at(cell).work.loads;
        for ((run, load), step) in attempt.loads.iter_mut().zip(loads).zip(first..) {
            let client = load.tool.client(&load.job(&run.target));
            run.client = Some(LoadClient {
                step: Step(step),
                command: client.argv.clone(),
                started: now,
            });
            orders.push((run.from, Step(step), client));
        }
        attempt.stage = Stage::Loading;
        let deadline = self.load_deadline(cell);
        let output_bytes = self.output_bytes;
        for (session, step, client) in orders {
            self.next_step = self.next_step.max(step.0 + 1);
            self.send(
                session,
                Order::RunClient {
                    step,
                    client,
                    deadline,
                    output_bytes,
                    outlives: false,
                },
            );
        }
        self.set_timer_of(id, self.limits.ready + self.limits.answer);
        self.copies.set_changed();
        true
    }

    fn load_deadline(&self, cell: CellIndex) -> Duration {
        let loads = self.tasks.at(cell).work.loads.iter();
        let deadlines = loads.map(|load| crate::tools::deadline(load.tool.as_ref(), &load.timing));
        deadlines.max().unwrap_or_default()
    }

    /// Starts the measured client once the traffic of all loads arrives.
    pub(in super::super) fn server_flowing(&mut self, server: Process) {
        let flowing = self.lanes.iter_mut().find_map(|(id, lane)| {
            let attempt = lane.running_mut()?;
            attempt.load_mut(server)?.is_flowing = true;
            let all = matches!(attempt.stage, Stage::Loading) && attempt.all_flow();
            all.then_some(*id)
        });
        if let Some(id) = flowing {
            self.start_client(id);
        }
    }

    /// Notes that the server of a load has ended; false for a server of something else. While its client runs, that
    /// one's end says what it means.
    pub(in super::super) fn load_server_ended(&mut self, server: Process) -> bool {
        let ended = self.lanes.values_mut().find_map(|lane| {
            let load = lane.running_mut()?.load_mut(server)?;
            load.server_ended = true;
            Some(load.client.is_none())
        });
        if ended == Some(true) {
            let id = self.lane_with_load_server(server);
            let words = "the server of a load ended before its client began";
            if let Some(id) = id {
                self.fail_attempt(id, Failure::new(Cause::LoadFailed, words), None);
                self.advance();
            }
        }
        ended.is_some()
    }

    fn lane_with_load_server(&self, server: Process) -> Option<LaneId> {
        self.lanes.iter().find_map(|(id, lane)| {
            let mut loads = lane.running()?.loads.iter();
            loads.any(|load| load.server() == server).then_some(*id)
        })
    }

    /// Takes the end of a load's client, and gives it back where it is none. One that ends before the measured client
    /// fails the attempt.
    pub(in super::super) fn load_client_ended(
        &mut self,
        client: Process,
        end: ClientEnd,
    ) -> Option<ClientEnd> {
        let found = self.lanes.iter().find_map(|(id, lane)| {
            let loads = &lane.running()?.loads;
            let nth = loads
                .iter()
                .position(|load| load.client() == Some(client))?;
            Some((*id, nth))
        });
        let Some((id, nth)) = found else {
            return Some(end);
        };
        let Some(attempt) = self.attempt_mut(id) else {
            return Some(end);
        };
        if let Some(load) = attempt.loads.get_mut(nth) {
            load.end.get_or_insert(end);
        }
        match attempt.stage {
            Stage::Unloading(_) if attempt.is_unloaded() => self.finish_loaded(id),
            Stage::Unloading(_) => {}
            _ => self.fail_for_load(id, nth),
        }
        self.advance();
        None
    }

    /// Fails an attempt whose load has ended before the measured client.
    fn fail_for_load(&mut self, id: LaneId, nth: usize) {
        let Some((cell, attempt)) = self.running(id) else {
            return;
        };
        let Err(failure) = self.load_sample(cell, attempt, nth).map(|_| ()) else {
            let words = "a load ended before the sample did: the sample took longer than its tool usually does";
            return self.fail_attempt(id, Failure::new(Cause::LoadFailed, words), None);
        };
        self.fail_attempt(id, failure, None);
    }

    /// Keeps the sample until the loads have ended.
    pub(in super::super) fn unload(&mut self, id: LaneId, sample: PendingSample) {
        let cell = sample.cell;
        self.set_stage(id, Stage::Unloading(Box::new(sample)));
        self.set_timer_of(id, self.load_deadline(cell) + self.limits.answer);
    }

    /// Publishes the samples of the loads, and then that of the measured tool.
    fn finish_loaded(&mut self, id: LaneId) {
        let Some((cell, attempt)) = self.running(id) else {
            return;
        };
        let all = (0..attempt.loads.len()).map(|nth| self.load_sample(cell, attempt, nth));
        let samples = match all.collect::<Result<Vec<_>, Failure>>() {
            Ok(samples) => samples,
            Err(failure) => return self.fail_attempt(id, failure, None),
        };
        for (load, sample, raw) in samples {
            self.emit_for_cell(cell, EventKind::LoadSample { load, sample }, raw);
        }
        let Some(attempt) = self.attempt_mut(id) else {
            return;
        };
        let (server_ended, observed) = (attempt.server_ended, attempt.server_observed.take());
        let Stage::Unloading(sample) = std::mem::replace(&mut attempt.stage, Stage::Loading) else {
            return;
        };
        self.stop_processes(id, None, false, Duration::ZERO);
        self.set_pending(id, *sample);
        if server_ended {
            self.publish_pending_in(id, observed);
        }
    }

    /// The sample of a load, as the journal has it.
    ///
    /// # Errors
    /// Why there is none.
    fn load_sample(
        &self,
        index: CellIndex,
        attempt: &Attempt,
        nth: usize,
    ) -> Result<(u32, Sample, Option<Vec<u8>>), Failure> {
        let task = self.tasks.at(index);
        let parts = task.work.loads.get(nth).zip(attempt.loads.get(nth));
        let Some((load, run)) = parts else {
            return Err(Failure::new(Cause::LoadFailed, "there is no such load"));
        };
        let (Some(end), Some(client)) = (&run.end, &run.client) else {
            return Err(Failure::new(Cause::LoadFailed, "the load has not ended"));
        };
        let path = &self.tasks.plan().paths[load.path];
        let mut metrics =
            load.tool
                .read(&load.job(&run.target), &end.ended)
                .map_err(|failure| {
                    let words = format!(
                        "{}: {}",
                        named(load, path),
                        failure.sentence(load.tool.name())
                    );
                    Failure::new(Cause::LoadFailed, &words)
                })?;
        add_observation(&mut metrics, End::Client, end.observed.clone());
        let cell = task.id();
        let number = u32::try_from(nth + 1).unwrap_or(u32::MAX);
        let raw = (!end.ended.stdout.is_empty()).then(|| end.ended.stdout.clone());
        let raw_of = |raw: &Vec<u8>| {
            let extension = format!("load-{number}.{}", extension(raw));
            raw_name(&cell, attempt.sample, attempt.number, &extension)
        };
        let sample = Sample {
            path: path.name.clone(),
            tool: load.tool.name().to_owned(),
            sample: attempt.sample,
            attempt: attempt.number,
            params: load.params.clone(),
            started: client.started,
            wall_s: end.wall.as_secs_f64(),
            command: command_line(&client.command),
            server_command: command_line(&run.server_command),
            metrics,
            outages: Vec::new(),
            warnings: Vec::new(),
            series: Vec::new(),
            raw: raw.as_ref().map(raw_of),
            raw_cut_bytes: end.ended.cut.stdout,
            cell,
        };
        Ok((number, sample, raw))
    }
}
