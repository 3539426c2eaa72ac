//! The ends of the processes of an attempt, and the result that the client's end gives.

use std::time::Duration;

use super::super::State;
use super::super::lane::{Attempt, PendingSample, Stage};
use super::super::message::{ClientEnd, Process};
use super::super::table::CellIndex;
use super::outcome::{
    add_lowest, add_observation, add_tcp_figures, extension, mark_over_link, why_no_server,
};
use crate::results::environment::host_metrics::{End, Observation};
use crate::results::run_dir::raw_name;
use crate::results::warnings::{Warning, of_series, remove_impossible};
use crate::results::{Circumstances, Sample, command_line};
use crate::tools::{Cause, Ended, Failure};

impl State {
    pub(in super::super) fn server_ended(
        &mut self,
        process: Process,
        ended: Ended,
        observed: Option<Observation>,
    ) {
        if self.load_server_ended(process) || self.path_listener_ended(process) {
            return;
        }
        for (&id, lane) in &mut self.lanes {
            if lane.awaits_server(process) {
                self.publish_pending_in(id, observed);
                break;
            }
            let cell = lane.cell;
            let Some(attempt) = lane.running_mut() else {
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
                let task = self.tasks.at(cell);
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
        let black_holes = task.tool().black_holes(&ended);
        let mut vanished = self.vanished_segments(index);
        // The tool knows more of it.
        vanished.retain(|segment| {
            black_holes
                .iter()
                .all(|one| one.direction != segment.direction)
        });
        let circumstances = Circumstances {
            wall_s: wall.as_secs_f64(),
            vanished,
            ..self.circumstances(index)
        };
        let mut series = task.tool().series(&job, &ended);
        mark_over_link(&mut series, &circumstances);
        let read = task.tool().read(&job, &ended).and_then(|mut metrics| {
            add_tcp_figures(&mut metrics, tcp);
            add_lowest(&mut metrics, &series);
            let headline = task.tool().headline();
            let warnings = remove_impossible(headline, &mut metrics, &circumstances)?;
            Ok((metrics, warnings))
        });
        let (mut metrics, mut warnings) = match read {
            Ok(read) => read,
            Err(failure) => return Err(Box::new((failure, ended))),
        };
        warnings.extend(series.iter().flat_map(of_series));
        warnings.extend(black_holes.into_iter().map(Warning::from));
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
            series,
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
