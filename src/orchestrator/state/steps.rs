//! The steps of an attempt: server, client, and the clearing of what is left.

use std::time::Duration;

use jiff::Timestamp;

use super::message::{Order, Session, Step, Timer};
use super::output::{add_tcp_info, all_output, extension, why_no_server};
use super::progress::Next;
use super::{Attempt, Phase, Process, Stage, State};
use crate::plan::Via;
use crate::results::run_dir::raw_name;
use crate::results::{EventKind, Outcome, Sample};
use crate::rpc::pb::TcpInfo;
use crate::tools::{Cause, Ended, Failure};

/// A Service that does not lead to its worker yet is tried again after this, then twice this, up to
/// eight times this.
const SERVICE_AGAIN: Duration = Duration::from_millis(250);

impl State {
    /// Runs the next attempt that can be run; ends cells that need none or can have none.
    pub(super) fn advance(&mut self) {
        while !self.all_ended() {
            let task = self.cursor;
            loop {
                let timing = &self.tasks[task].timing;
                match self.progress[task].next(timing.repeat.max(1), timing.retries) {
                    Next::Nothing => break,
                    Next::End(outcome) => self.end_cell(task, outcome),
                    Next::Attempt { sample, attempt } => {
                        match self.attempt(task, sample, attempt) {
                            Ok(()) => return,
                            Err(outcome) => self.end_cell(task, outcome),
                        }
                    }
                }
            }
        }
        self.finish();
    }

    pub(super) fn advance_when_gathered(&mut self) {
        let all_there = (0..self.tasks.len())
            .filter(|&task| !self.progress[task].ended())
            .all(|task| self.absent(task).is_empty());
        if !all_there {
            return;
        }
        if self.all_ended() || self.workers.values().all(|w| w.present.is_some()) {
            self.advance();
        } else if let Phase::Gathering(_) = self.phase {
            self.phase = Phase::Stragglers(self.set_timer(self.limits.others));
        }
    }

    /// Starts an attempt or waits for the workers that it needs.
    ///
    /// # Errors
    /// The outcome of a cell that cannot be run at all.
    pub(super) fn attempt(
        &mut self,
        index: usize,
        sample: u32,
        number: u32,
    ) -> Result<(), Outcome> {
        let absent = self.absent(index);
        if !absent.is_empty() {
            if let Some(name) = absent.iter().find(|name| self.workers[*name].given_up) {
                return Err(Outcome::Failed(self.never_came(name)));
            }
            let timer = self.set_timer(self.limits.reconnect);
            self.phase = Phase::Waiting { task: index, timer };
            return Ok(());
        }
        let task = &self.tasks[index];
        let (Some(from), Some(to)) = (self.present(&task.from), self.present(&task.to)) else {
            return Ok(());
        };
        let tool = task.tool.name();
        for (name, worker) in [(&task.to, to), (&task.from, from)] {
            if !worker.place.environment.tools.contains_key(tool) {
                return Err(Outcome::Skipped {
                    reason: format!(
                        "`{tool}` is not on worker `{name}`: install it there (for this machine, \
                         `netplan doctor` says how) and run again, or leave it out with `--only`"
                    ),
                });
            }
        }
        let target = match task.via {
            // On the host network the pod's address is its node's.
            Via::PodIp | Via::Host => to.place.pod_ip.clone(),
            Via::ClusterIp => match &to.place.cluster_ip {
                Some(ip) => ip.clone(),
                None => {
                    return Err(Outcome::Failed(Failure {
                        cause: Cause::NoRoute,
                        words: format!(
                            "worker `{}` has no cluster IP: see whether its Service exists",
                            task.to
                        ),
                    }));
                }
            },
        };
        let (from, to) = (from.session, to.session);
        let server = task.tool.server(&task.job(&target));
        let cell = task.cell.clone();
        let step = self.fresh_step();
        let timer = self.set_timer(self.limits.ready + self.limits.answer);
        self.phase = Phase::Running(Box::new(Attempt {
            task: index,
            sample,
            number,
            target,
            from,
            to,
            server: step,
            server_gone: false,
            server_command: server.argv.clone(),
            stage: Stage::Starting,
            timer,
        }));
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
        let next_step = Step(self.next_step);
        let Phase::Running(attempt) = &mut self.phase else {
            return;
        };
        if !matches!(attempt.stage, Stage::Starting)
            || attempt.server() != (Process { session, step })
        {
            return;
        }
        let task = &self.tasks[attempt.task];
        let client = task.tool.client(&task.job(&attempt.target));
        let (from, deadline) = (attempt.from, task.deadline);
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
            },
        );
        self.set_timer(deadline + self.limits.answer);
    }

    pub(super) fn server_ended(&mut self, process: Process, ended: &Ended) {
        match &mut self.phase {
            Phase::Running(attempt) if attempt.server() == process => {
                attempt.server_gone = true;
                // While the client runs, its own end says what to make of that.
                if let Stage::Starting = attempt.stage {
                    let (cause, words) = why_no_server(ended, self.limits.ready);
                    self.fail(cause, &words, Some(ended));
                }
            }
            _ => self.gone(process),
        }
    }

    pub(super) fn client_ended(
        &mut self,
        process: Process,
        ended: Ended,
        wall: Duration,
        tcp: Option<TcpInfo>,
    ) {
        let attempt = match &mut self.phase {
            Phase::Running(attempt) if attempt.client() == Some(process) => attempt,
            // The tool was done before Stop reached it: nothing measured is lost.
            Phase::Cancelling {
                attempt: Some(attempt),
                processes,
                ..
            } if attempt.client() == Some(process) && processes.contains(&process) => attempt,
            _ => return self.gone(process),
        };
        let Stage::Measuring {
            command, started, ..
        } = &attempt.stage
        else {
            return;
        };
        let index = attempt.task;
        let task = &self.tasks[index];
        let mut metrics = match task.tool.read(&task.job(&attempt.target), &ended) {
            Ok(metrics) => metrics,
            Err(failure) => {
                if let Phase::Running(_) = self.phase {
                    self.fail(failure.cause, &failure.words, Some(&ended));
                } else {
                    self.gone(process);
                }
                return;
            }
        };
        add_tcp_info(&mut metrics, tcp);
        let raw = (!ended.stdout.is_empty()).then_some(ended.stdout);
        let sample = EventKind::Sample(Sample {
            cell: task.cell.clone(),
            path: task.path.clone(),
            tool: task.tool.name().to_owned(),
            sample: attempt.sample,
            attempt: attempt.number,
            params: task.params.clone(),
            started: *started,
            wall_s: wall.as_secs_f64(),
            command: command.clone(),
            server_command: attempt.server_command.clone(),
            metrics,
            raw: raw
                .as_ref()
                .map(|raw| raw_name(&task.cell, attempt.sample, attempt.number, extension(raw))),
        });
        if let Phase::Running(_) = self.phase {
            self.clear(Some(process), Duration::ZERO);
        } else {
            self.forget(process);
        }
        self.emit_of(index, sample, raw);
        self.settle(index);
        self.when_clear();
    }

    /// Ends the attempt without a measurement.
    pub(super) fn fail(&mut self, cause: Cause, words: &str, ended: Option<&Ended>) {
        let Phase::Running(attempt) = &self.phase else {
            return;
        };
        let index = attempt.task;
        let (sample, number) = (attempt.sample, attempt.number);
        let cell = self.tasks[index].cell.clone();
        let (cause, pause) = if self.service_may_come(index, cause) {
            let tries = self.progress[index].not_ready().min(3);
            (Cause::ServiceNotReady, SERVICE_AGAIN * 2_u32.pow(tries))
        } else {
            (cause, Duration::ZERO)
        };
        let raw = ended.and_then(all_output);
        let over = ended.and(attempt.client());
        let event = EventKind::AttemptFailed {
            raw: raw
                .as_ref()
                .map(|raw| raw_name(&cell, sample, number, extension(raw))),
            cell,
            sample,
            attempt: number,
            failure: Failure {
                cause,
                words: words.to_owned(),
            },
        };
        self.clear(over, pause);
        self.emit_of(index, event, raw);
        self.settle(index);
        self.when_clear();
    }

    /// Ends the cell when it needs no further attempt.
    pub(super) fn settle(&mut self, task: usize) {
        let timing = &self.tasks[task].timing;
        if let Next::End(outcome) = self.progress[task].next(timing.repeat.max(1), timing.retries) {
            self.end_cell(task, outcome);
        }
    }

    /// Whether a failure only says that the nodes do not know yet where a Service leads. Nothing
    /// announces when they do: each learns it by itself, a moment after the worker's pod is there.
    fn service_may_come(&self, task: usize, cause: Cause) -> bool {
        let task = &self.tasks[task];
        let is_about_the_way = matches!(
            cause,
            Cause::Refused | Cause::ConnectTimeout | Cause::NoRoute
        );
        let is_new = |worker: &str| {
            let since = self.present(worker).map(|present| present.since);
            since.is_some_and(|since| {
                self.now.duration_since(since).unsigned_abs() < self.limits.service
            })
        };
        task.via == Via::ClusterIp && is_about_the_way && (is_new(&task.to) || is_new(&task.from))
    }

    /// Leaves the attempt and stops all of its processes but `over`, which has ended. The next one
    /// begins no earlier than `pause` after their end.
    pub(super) fn clear(&mut self, over: Option<Process>, pause: Duration) {
        let Phase::Running(attempt) = &self.phase else {
            return;
        };
        let cooldown = match attempt.stage {
            Stage::Starting => Duration::ZERO,
            Stage::Measuring { .. } => self.tasks[attempt.task].timing.cooldown.0,
        };
        let mut processes = attempt.processes();
        processes.retain(|process| Some(*process) != over);
        let processes = self.stop(processes);
        let timer = self.set_timer(self.limits.stop);
        self.phase = Phase::Clearing {
            processes,
            cooldown: cooldown.max(pause),
            timer,
        };
    }

    /// Tells the workers of these processes to stop them; returns those that may still live.
    pub(super) fn stop(&mut self, mut processes: Vec<Process>) -> Vec<Process> {
        processes.retain(|process| self.is_present(process.session));
        for process in &processes {
            self.send(process.session, Order::Stop { step: process.step });
        }
        processes
    }

    pub(super) fn gone(&mut self, process: Process) {
        self.forget(process);
        self.when_clear();
    }

    pub(super) fn forget(&mut self, process: Process) {
        if let Phase::Clearing { processes, .. } | Phase::Cancelling { processes, .. } =
            &mut self.phase
        {
            processes.retain(|other| *other != process);
        }
    }

    /// Goes on once nothing of the last attempt is left.
    pub(super) fn when_clear(&mut self) {
        match &self.phase {
            Phase::Clearing {
                processes,
                cooldown,
                ..
            } if processes.is_empty() => {
                let cooldown = *cooldown;
                if cooldown.is_zero() || self.all_ended() {
                    self.advance();
                } else {
                    self.phase = Phase::Cooling(self.set_timer(cooldown));
                }
            }
            Phase::Cancelling { processes, .. } if processes.is_empty() => self.finish(),
            _ => {}
        }
    }
}
