//! The steps of an attempt: server, then client.

use std::time::Duration;

use jiff::Timestamp;

use super::lane::{Attempt, Lane, Life, Process, Stage};
use super::message::{Order, Session, Step, Timer};
use super::outcome::{add_observed, add_tcp_info, carried, extension, why_no_server, why_unfit};
use super::pending_sample::Held;
use super::progress::Next;
use super::queue::Seat;
use super::{Phase, State};
use crate::plan::Via;
use crate::results::host_metrics::End;
use crate::results::run_dir::raw_name;
use crate::results::warnings::remove_impossible;
use crate::results::{Circumstances, EventKind, Outcome, Sample, command_line};
use crate::rpc::pb::{Observed, TcpInfo};
use crate::schedule::Params;
use crate::tools::{Cause, Ended, Failure, Use};

/// What came of a client.
pub(super) struct ClientAnswer {
    pub(super) ended: Ended,
    /// Of the measuring invocation.
    pub(super) wall: Duration,
    pub(super) tcp: Option<TcpInfo>,
    pub(super) observed: Option<Observed>,
}

impl State {
    /// Starts all that can start now; ends cells that need no attempt or can have none.
    pub(super) fn fill(&mut self) {
        loop {
            while let Some((turn, seat)) = self.queue.take() {
                let task = turn.task();
                let outcome = match self.next_of(task) {
                    Next::Attempt {
                        sample,
                        attempt,
                        rate_bps,
                    } => {
                        let params = self.tasks.at(task).params_at(rate_bps);
                        self.attempt(task, seat, params, [sample, attempt]).err()
                    }
                    Next::End(outcome) => Some(outcome),
                    Next::Nothing => None,
                };
                if let Some(outcome) = outcome {
                    self.end_cell(task, outcome);
                    self.queue.free(seat);
                }
            }
            if !self.lanes.is_empty() {
                self.phase = Phase::Going;
                return;
            }
            let Some(turn) = self.queue.first() else {
                return self.finish();
            };
            let task = turn.task();
            let given_up = self.absent(task).find(|at| self.workers[*at].given_up);
            let outcome = match (self.next_of(task), given_up) {
                (Next::End(outcome), _) => outcome,
                (_, Some(worker)) => Outcome::Failed(self.never_came(worker)),
                (_, None) => return self.wait_for(task),
            };
            self.queue.drop_first(turn);
            self.end_cell(task, outcome);
        }
    }

    fn wait_for(&mut self, task: usize) {
        if !matches!(self.phase, Phase::Waiting { task: now, .. } if now == task) {
            let timer = self.set_timer(self.limits.reconnect);
            self.phase = Phase::Waiting { task, timer };
        }
    }

    /// Starts an attempt.
    ///
    /// # Errors
    /// The outcome of a cell that cannot be run at all.
    fn attempt(
        &mut self,
        index: usize,
        seat: Seat,
        params: Params,
        [sample, number]: [u32; 2],
    ) -> Result<(), Outcome> {
        let ends = self.ends(index);
        let [Some(to), Some(from)] = ends.map(|at| self.workers[at].present.as_ref()) else {
            // The queue knows who is there.
            return Err(Outcome::Failed(self.never_came(ends[0])));
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
        let target = match path.via {
            // On the host network the pod's address is its node's.
            Via::PodIp | Via::Host => to.place.pod_ip.clone(),
            Via::ClusterIp => match &to.place.cluster_ip {
                Some(ip) => ip.clone(),
                None => {
                    return Err(Outcome::Failed(Failure {
                        cause: Cause::NoRoute,
                        words: format!(
                            "worker `{}` has no cluster IP: see whether its Service exists",
                            path.to
                        ),
                    }));
                }
            },
        };
        let (from, to) = (from.session, to.session);
        let server = task.tool().server(&task.job(&params, &target));
        let cell = task.id();
        let step = self.fresh_step();
        let timer = self.set_timer(self.limits.ready + self.limits.answer);
        self.lanes.push(Lane {
            task: index,
            seat,
            life: Life::Running(Box::new(Attempt {
                sample,
                number,
                params,
                target,
                from,
                to,
                server: step,
                server_gone: false,
                server_observed: None,
                server_command: server.argv.clone(),
                stage: Stage::Starting,
                timer,
            })),
        });
        // The event goes to disk while the server starts.
        self.send(
            to,
            Order::StartServer {
                step,
                server,
                ready_within: self.limits.ready,
            },
        );
        self.emit_of(
            index,
            EventKind::SampleStarted {
                cell,
                sample,
                attempt: number,
            },
            None,
        );
        Ok(())
    }

    pub(super) fn server_ready(&mut self, now: Timestamp, session: Session, step: Step) {
        let ready = Process { session, step };
        let next_step = Step(self.next_step);
        let output_bytes = self.output_bytes;
        for lane in &mut self.lanes {
            let Life::Running(attempt) = &mut lane.life else {
                continue;
            };
            if !matches!(attempt.stage, Stage::Starting) || attempt.server() != ready {
                continue;
            }
            let task = self.tasks.at(lane.task);
            let client = task
                .tool()
                .client(&task.job(&attempt.params, &attempt.target));
            let (from, deadline) = (attempt.from, task.work.deadline);
            attempt.stage = Stage::Measuring {
                client: next_step,
                command: client.argv.clone(),
                started: now,
            };
            attempt.timer = Timer(self.next_timer);
            self.next_step += 1;
            self.send(
                from,
                Order::RunClient {
                    step: next_step,
                    client,
                    deadline,
                    output_bytes,
                },
            );
            self.set_timer(deadline + self.limits.answer);
            return;
        }
    }

    pub(super) fn server_ended(
        &mut self,
        process: Process,
        ended: Ended,
        observed: Option<Observed>,
    ) {
        for at in 0..self.lanes.len() {
            if self.lanes[at].holds_for(process) {
                self.release(at, observed);
                break;
            }
            let task = self.lanes[at].task;
            let Life::Running(attempt) = &mut self.lanes[at].life else {
                continue;
            };
            if attempt.server() != process {
                continue;
            }
            attempt.server_gone = true;
            attempt.server_observed = observed;
            // While the client runs, its own end says what to make of that.
            if let Stage::Starting = attempt.stage {
                let task = self.tasks.at(task);
                let tool = task.tool();
                let awaited = tool
                    .server(&task.job(&attempt.params, &attempt.target))
                    .ready;
                let (cause, mut words) = why_no_server(&ended, &awaited, self.limits.ready);
                let origin = tool.origin();
                if let (Cause::ToolMissing, Some(origin)) = (cause, origin) {
                    words = format!("{words}; {origin}");
                }
                self.fail(at, Failure::new(cause, &words), Some(ended));
                self.go_on();
            }
            return;
        }
        self.gone(process);
    }

    pub(super) fn client_ended(&mut self, process: Process, answer: ClientAnswer) {
        let found = self.lanes.iter().enumerate();
        let found = found.filter_map(|(at, lane)| Some((at, lane, lane.measured_by(process)?)));
        let Some((at, lane, attempt)) = { found }.next() else {
            return self.gone(process);
        };
        let Stage::Measuring {
            command, started, ..
        } = &attempt.stage
        else {
            return;
        };
        let ClientAnswer {
            ended,
            wall,
            tcp,
            observed,
        } = answer;
        let is_running = lane.running().is_some();
        let index = lane.task;
        let task = self.tasks.at(index);
        let cell = task.id();
        let mut metrics = match task
            .tool()
            .read(&task.job(&attempt.params, &attempt.target), &ended)
        {
            Ok(metrics) => metrics,
            Err(failure) => {
                if is_running {
                    self.fail(at, failure, Some(ended));
                }
                return self.gone(process);
            }
        };
        add_tcp_info(&mut metrics, tcp);
        let circumstances = Circumstances {
            wall_s: wall.as_secs_f64(),
            ..self.circumstances(index)
        };
        let headline = task.tool().headline();
        let warnings = match remove_impossible(headline, &mut metrics, &circumstances) {
            Ok(warnings) => warnings,
            Err(failure) => {
                if is_running {
                    self.fail(at, failure, Some(ended));
                }
                return self.gone(process);
            }
        };
        let carried_bytes = observed.as_ref().and_then(carried);
        add_observed(&mut metrics, End::Client, observed);
        let raw_cut_bytes = ended.cut.stdout;
        let raw = (!ended.stdout.is_empty()).then_some(ended.stdout);
        let sample = Sample {
            path: task.path.name.clone(),
            tool: task.tool().name().to_owned(),
            sample: attempt.sample,
            attempt: attempt.number,
            params: attempt.params.clone(),
            started: *started,
            wall_s: wall.as_secs_f64(),
            command: command_line(command),
            server_command: command_line(&attempt.server_command),
            metrics,
            warnings,
            raw: raw
                .as_ref()
                .map(|raw| raw_name(&cell, attempt.sample, attempt.number, extension(raw))),
            raw_cut_bytes,
            cell,
        };
        let (gone, server_observed) = (attempt.server_gone, attempt.server_observed);
        let measured = Held {
            task: index,
            server: attempt.server(),
            circumstances,
            sample,
            raw,
            carried_bytes,
        };
        if is_running {
            self.clear(at, Some(process), false, Duration::ZERO);
            self.hold(at, measured);
            if gone {
                self.release(at, server_observed);
            }
        } else {
            self.publish(measured, server_observed);
        }
        self.gone(process);
    }
}
