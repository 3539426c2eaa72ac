//! Decides what the run does next. Pure: inputs and the time in, commands out.
//!
//! ```text
//! Gathering ─▶ ┌ Waiting ◀─▶ Running ─▶ Clearing ─▶ (Cooling) ┐ ─▶ Ended
//!              └──────────────◀── next attempt ◀──────────────┘
//! ```
//!
//! Only `Running` holds a client that may live, and `Running` begins only when `Clearing` has seen
//! the end of everything before it; so there are never two clients at once. Every state that waits
//! holds a timer; so nothing can hang a run. An answer counts only when it carries the session and
//! the step that are waited for; so no result lands on another cell.

#[cfg(test)]
mod histories;
pub mod message;
mod progress;
pub mod task;

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use message::{Command, Emission, Input, Order, Place, Session, Step, Timer};
use progress::{Next, Progress, cell_of};
use task::Task;

use crate::plan::Via;
use crate::results::run_dir::raw_name;
use crate::results::{EventKind, Outcome, Sample};
use crate::rpc::pb::TcpInfo;
use crate::tools::{Cause, Ended, Failure, How, Metrics, name};

/// How long the orchestrator waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For all workers to join at the start.
    pub start: Duration,
    /// For a tool's server to be ready, as the worker is told.
    pub ready: Duration,
    /// For an answer that is due, beyond what the worker itself was told.
    pub answer: Duration,
    /// For a process to be gone after Stop.
    pub stop: Duration,
    /// For a lost worker to come back.
    pub reconnect: Duration,
    /// For running tools to be gone once the run is cancelled.
    pub cancel: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A node that pulls the image first takes minutes.
            start: Duration::from_secs(300),
            ready: Duration::from_secs(10),
            answer: Duration::from_secs(5),
            stop: Duration::from_secs(5),
            reconnect: Duration::from_secs(30),
            cancel: Duration::from_millis(400),
        }
    }
}

/// The run so far and what is going on now.
#[derive(Debug)]
pub struct State {
    tasks: Vec<Task>,
    progress: Vec<Progress>,
    /// The first task that may not have ended.
    cursor: usize,
    workers: HashMap<String, Worker>,
    limits: Limits,
    phase: Phase,
    next_step: u64,
    next_timer: u64,
    commands: Vec<Command>,
}

#[derive(Debug, Default)]
struct Worker {
    /// The newest session that was heard of, over or not.
    newest: Option<Session>,
    present: Option<Present>,
    /// It did not come within its time; its cells wait for it no more.
    given_up: bool,
}

#[derive(Debug)]
struct Present {
    session: Session,
    place: Place,
}

#[derive(Debug)]
enum Phase {
    /// Before the first cell, until all workers that are needed are there.
    Gathering(Timer),
    /// For the workers of this task to come back.
    Waiting {
        task: usize,
        timer: Timer,
    },
    Running(Box<Attempt>),
    /// Until these processes are gone.
    Clearing {
        processes: Vec<Process>,
        cooldown: Duration,
        timer: Timer,
    },
    Cooling(Timer),
    /// The run is cancelled and ends when these processes are gone.
    Cancelling {
        attempt: Option<Box<Attempt>>,
        processes: Vec<Process>,
        timer: Timer,
    },
    Ended,
}

/// A process that may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    session: Session,
    step: Step,
}

#[derive(Debug)]
struct Attempt {
    task: usize,
    sample: u32,
    number: u32,
    target: String,
    /// The sessions of both ends; the attempt is lost with either.
    from: Session,
    to: Session,
    server: Step,
    server_gone: bool,
    server_command: Vec<String>,
    stage: Stage,
    timer: Timer,
}

#[derive(Debug)]
enum Stage {
    /// The server is not ready yet.
    Starting,
    /// The client runs.
    Measuring {
        client: Step,
        command: Vec<String>,
        started: Timestamp,
    },
}

impl Attempt {
    fn server(&self) -> Process {
        Process {
            session: self.to,
            step: self.server,
        }
    }

    fn client(&self) -> Option<Process> {
        match self.stage {
            Stage::Starting => None,
            Stage::Measuring { client, .. } => Some(Process {
                session: self.from,
                step: client,
            }),
        }
    }

    fn processes(&self) -> Vec<Process> {
        let server = (!self.server_gone).then(|| self.server());
        self.client().into_iter().chain(server).collect()
    }
}

impl State {
    /// A run of `tasks`, in their order, with the plan's workers. Goes on after `events`, those of
    /// the run so far, if any.
    ///
    /// An attempt that was under way when the events break off counts as made, but not as failed.
    pub fn new<'e>(
        tasks: Vec<Task>,
        workers: impl IntoIterator<Item = String>,
        limits: Limits,
        events: impl IntoIterator<Item = &'e EventKind>,
    ) -> Self {
        let mut progress = vec![Progress::default(); tasks.len()];
        let mut phase = Phase::Gathering(Timer(0));
        let index: HashMap<_, _> = tasks.iter().zip(0..).map(|(t, i)| (&t.cell, i)).collect();
        for event in events {
            if let EventKind::RunEnded { .. } = event {
                phase = Phase::Ended;
            }
            let cell = cell_of(event).and_then(|cell| index.get(cell));
            if let Some(progress) = cell.and_then(|&i: &usize| progress.get_mut(i)) {
                progress.note(event);
            }
        }
        Self {
            tasks,
            progress,
            cursor: 0,
            workers: workers
                .into_iter()
                .map(|name| (name, Worker::default()))
                .collect(),
            limits,
            phase,
            next_step: 1,
            next_timer: 1,
            commands: Vec::new(),
        }
    }

    /// What to do first. To be called once, before any input.
    pub fn begin(&mut self) -> Vec<Command> {
        if let Phase::Ended = self.phase {
            return vec![Command::Finish];
        }
        let timer = self.set_timer(self.limits.start);
        self.phase = Phase::Gathering(timer);
        self.advance_when_gathered();
        std::mem::take(&mut self.commands)
    }

    /// Takes note of what happened, and says what to do, in this order.
    pub fn on(&mut self, now: Timestamp, input: Input) -> Vec<Command> {
        match input {
            Input::WorkerJoined {
                worker,
                session,
                place,
            } => self.joined(&worker, session, place),
            Input::WorkerLeft { worker, session } => self.left(&worker, session),
            Input::ServerReady { session, step } => self.server_ready(now, session, step),
            Input::ServerEnded {
                session,
                step,
                ended,
            } => self.server_ended(Process { session, step }, &ended),
            Input::ClientEnded {
                session,
                step,
                ended,
                wall,
                tcp,
            } => self.client_ended(Process { session, step }, ended, wall, tcp),
            Input::TimerFired(timer) => self.timer_fired(timer),
            Input::Cancel => self.cancel(),
        }
        std::mem::take(&mut self.commands)
    }

    /// The cells that have ended, and all.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let ended = self.progress.iter().filter(|p| p.ended()).count();
        (ended, self.tasks.len())
    }

    // Workers come and go.

    fn joined(&mut self, name: &str, session: Session, place: Place) {
        let Some(worker) = self.workers.get_mut(name) else {
            return;
        };
        if worker.newest >= Some(session) {
            return;
        }
        worker.newest = Some(session);
        if let Phase::Ended = self.phase {
            worker.present = Some(Present { session, place });
            self.send(session, Order::Goodbye);
            return;
        }
        worker.given_up = false;
        let old = worker.present.replace(Present {
            session,
            place: place.clone(),
        });
        if let Some(old) = &old {
            // It came back before its old stream was seen to break.
            self.commands.push(Command::Disconnect {
                session: old.session,
            });
            self.emit(EventKind::WorkerLeft {
                worker: name.to_owned(),
            });
        }
        self.emit(EventKind::WorkerJoined {
            worker: name.to_owned(),
            node: place.node,
            pod_ip: place.pod_ip,
            cluster_ip: place.cluster_ip,
            environment: place.environment,
        });
        if let Some(old) = old {
            self.bury(name, old.session);
        }
        match self.phase {
            Phase::Gathering(_) => self.advance_when_gathered(),
            Phase::Waiting { task, .. } if self.absent(task).is_empty() => self.advance(),
            _ => {}
        }
    }

    fn left(&mut self, name: &str, session: Session) {
        let Some(worker) = self.workers.get_mut(name) else {
            return;
        };
        worker.newest = worker.newest.max(Some(session));
        if worker
            .present
            .as_ref()
            .is_some_and(|p| p.session == session)
        {
            self.lose(name);
        }
    }

    /// Ends a worker's session for the run.
    fn lose(&mut self, name: &str) {
        let Some(present) = self.workers.get_mut(name).and_then(|w| w.present.take()) else {
            return;
        };
        if let Phase::Ended = self.phase {
            return;
        }
        self.emit(EventKind::WorkerLeft {
            worker: name.to_owned(),
        });
        self.bury(name, present.session);
    }

    /// Takes leave of all that ran in a session: it is gone with it.
    fn bury(&mut self, name: &str, session: Session) {
        match &mut self.phase {
            Phase::Running(attempt) => {
                if attempt.from == session || attempt.to == session {
                    let words = format!("worker `{name}` left while the sample was under way");
                    self.fail(Cause::WorkerLost, &words, None);
                }
            }
            Phase::Clearing { processes, .. } | Phase::Cancelling { processes, .. } => {
                processes.retain(|process| process.session != session);
                self.when_clear();
            }
            Phase::Gathering(_) | Phase::Waiting { .. } | Phase::Cooling(_) | Phase::Ended => {}
        }
    }

    // The steps of an attempt.

    /// Runs the next attempt that can be run; ends cells that need none or can have none.
    fn advance(&mut self) {
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

    fn advance_when_gathered(&mut self) {
        let all_there = (0..self.tasks.len())
            .filter(|&task| !self.progress[task].ended())
            .all(|task| self.absent(task).is_empty());
        if all_there {
            self.advance();
        }
    }

    /// Starts an attempt or waits for the workers that it needs.
    ///
    /// # Errors
    /// The outcome of a cell that cannot be run at all.
    fn attempt(&mut self, index: usize, sample: u32, number: u32) -> Result<(), Outcome> {
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
            Via::PodIp => to.place.pod_ip.clone(),
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

    fn server_ready(&mut self, now: Timestamp, session: Session, step: Step) {
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

    fn server_ended(&mut self, process: Process, ended: &Ended) {
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

    fn client_ended(
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
            self.clear(Some(process));
        } else {
            self.forget(process);
        }
        self.emit_of(index, sample, raw);
        self.settle(index);
        self.when_clear();
    }

    /// Ends the attempt without a measurement.
    fn fail(&mut self, cause: Cause, words: &str, ended: Option<&Ended>) {
        let Phase::Running(attempt) = &self.phase else {
            return;
        };
        let index = attempt.task;
        let (sample, number) = (attempt.sample, attempt.number);
        let cell = self.tasks[index].cell.clone();
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
        self.clear(over);
        self.emit_of(index, event, raw);
        self.settle(index);
        self.when_clear();
    }

    /// Ends the cell when it needs no further attempt.
    fn settle(&mut self, task: usize) {
        let timing = &self.tasks[task].timing;
        if let Next::End(outcome) = self.progress[task].next(timing.repeat.max(1), timing.retries) {
            self.end_cell(task, outcome);
        }
    }

    /// Leaves the attempt and stops all of its processes but `over`, which has ended.
    fn clear(&mut self, over: Option<Process>) {
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
            cooldown,
            timer,
        };
    }

    /// Tells the workers of these processes to stop them; returns those that may still live.
    fn stop(&mut self, mut processes: Vec<Process>) -> Vec<Process> {
        processes.retain(|process| self.is_present(process.session));
        for process in &processes {
            self.send(process.session, Order::Stop { step: process.step });
        }
        processes
    }

    fn gone(&mut self, process: Process) {
        self.forget(process);
        self.when_clear();
    }

    fn forget(&mut self, process: Process) {
        if let Phase::Clearing { processes, .. } | Phase::Cancelling { processes, .. } =
            &mut self.phase
        {
            processes.retain(|other| *other != process);
        }
    }

    /// Goes on once nothing of the last attempt is left.
    fn when_clear(&mut self) {
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

    // Deadlines and the end.

    fn timer_fired(&mut self, fired: Timer) {
        match &self.phase {
            Phase::Gathering(timer) if *timer == fired => {
                self.give_up(self.cursor..self.tasks.len());
            }
            Phase::Waiting { task, timer } if *timer == fired => {
                self.give_up(*task..*task + 1);
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
            Phase::Cooling(timer) if *timer == fired => self.advance(),
            Phase::Cancelling { timer, .. } if *timer == fired => self.finish(),
            _ => {}
        }
    }

    fn give_up(&mut self, tasks: std::ops::Range<usize>) {
        for task in tasks {
            for name in self.absent(task) {
                if let Some(worker) = self.workers.get_mut(&name) {
                    worker.given_up = true;
                }
            }
        }
        self.advance();
    }

    fn cancel(&mut self) {
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
            Phase::Gathering(_) | Phase::Waiting { .. } | Phase::Cooling(_) => (None, Vec::new()),
        };
        let timer = self.set_timer(self.limits.cancel);
        self.phase = Phase::Cancelling {
            attempt,
            processes,
            timer,
        };
        self.when_clear();
    }

    fn finish(&mut self) {
        self.phase = Phase::Ended;
        let cancelled = !self.all_ended();
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

    // Small things.

    /// Moves the cursor to the first task that has not ended; whether there is none.
    fn all_ended(&mut self) -> bool {
        while self.progress.get(self.cursor).is_some_and(Progress::ended) {
            self.cursor += 1;
        }
        self.cursor == self.tasks.len()
    }

    fn end_cell(&mut self, task: usize, outcome: Outcome) {
        let cell = self.tasks[task].cell.clone();
        self.emit_of(task, EventKind::CellEnded { cell, outcome }, None);
    }

    fn emit_of(&mut self, task: usize, kind: EventKind, raw: Option<Vec<u8>>) {
        self.progress[task].note(&kind);
        self.commands
            .push(Command::Emit(Box::new(Emission { kind, raw })));
    }

    fn emit(&mut self, kind: EventKind) {
        self.commands
            .push(Command::Emit(Box::new(Emission { kind, raw: None })));
    }

    fn send(&mut self, session: Session, order: Order) {
        self.commands.push(Command::Send { session, order });
    }

    fn fresh_step(&mut self) -> Step {
        let step = Step(self.next_step);
        self.next_step += 1;
        step
    }

    fn set_timer(&mut self, after: Duration) -> Timer {
        let timer = Timer(self.next_timer);
        self.next_timer += 1;
        self.commands.push(Command::SetTimer { timer, after });
        timer
    }

    fn present(&self, worker: &str) -> Option<&Present> {
        self.workers.get(worker)?.present.as_ref()
    }

    fn is_present(&self, session: Session) -> bool {
        self.worker_of(session).is_some()
    }

    fn worker_of(&self, session: Session) -> Option<&str> {
        self.workers
            .iter()
            .find(|(_, w)| w.present.as_ref().is_some_and(|p| p.session == session))
            .map(|(name, _)| name.as_str())
    }

    /// The workers of a task that are not there.
    fn absent(&self, task: usize) -> Vec<String> {
        let task = &self.tasks[task];
        [&task.to, &task.from]
            .into_iter()
            .filter(|name| self.present(name).is_none())
            .cloned()
            .collect()
    }

    fn never_came(&self, name: &str) -> Failure {
        let came_once = self.workers.get(name).is_some_and(|w| w.newest.is_some());
        let words = if came_once {
            let limit = self.limits.reconnect.as_secs();
            format!("worker `{name}` left and did not come back within {limit} s")
        } else {
            let limit = self.limits.start.as_secs();
            format!("worker `{name}` did not join within {limit} s")
        };
        Failure {
            cause: Cause::WorkerLost,
            words,
        }
    }
}

/// Why a server that has ended before it was ready did so.
fn why_no_server(ended: &Ended, ready: Duration) -> (Cause, String) {
    let said = {
        let stderr = String::from_utf8_lossy(&ended.stderr);
        let stdout = String::from_utf8_lossy(&ended.stdout);
        let said = if stderr.trim().is_empty() {
            stdout
        } else {
            stderr
        };
        said.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(4)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let with_said = |words: String| {
        if said.is_empty() {
            words
        } else {
            format!("{words}: {said}")
        }
    };
    match &ended.how {
        How::NotFound(program) => (
            Cause::ToolMissing,
            format!("the server's program `{program}` is not there"),
        ),
        How::NotStarted(why) => (
            Cause::ServerFailed,
            format!("the server could not be started: {why}"),
        ),
        How::Deadline => (
            Cause::ServerFailed,
            with_said(format!(
                "the server was not ready within {} s",
                ready.as_secs()
            )),
        ),
        How::Code(code) => (
            Cause::ServerFailed,
            with_said(format!(
                "the server ended with exit code {code} before it was ready"
            )),
        ),
        How::Signal(signal) => (
            Cause::ServerFailed,
            with_said(format!(
                "signal {signal} ended the server before it was ready"
            )),
        ),
        How::Stopped => (
            Cause::ServerFailed,
            with_said("the server was stopped before it was ready".to_owned()),
        ),
    }
}

/// What the kernel said of the connection: its MSS always, for the rest the tool knows better.
fn add_tcp_info(metrics: &mut Metrics, tcp: Option<TcpInfo>) {
    let Some(tcp) = tcp.filter(|tcp| tcp.snd_mss > 0) else {
        return;
    };
    metrics.set(name::EFFECTIVE_MSS, f64::from(tcp.snd_mss));
    for (name, value) in [
        (name::RTT_US, tcp.rtt_us),
        (name::RETRANSMITS, tcp.total_retrans),
    ] {
        if metrics.get(name).is_none() {
            metrics.set(name, f64::from(value));
        }
    }
}

/// Both streams of an attempt that failed, for people to read.
fn all_output(ended: &Ended) -> Option<Vec<u8>> {
    match (ended.stdout.is_empty(), ended.stderr.is_empty()) {
        (true, true) => None,
        (false, true) => Some(ended.stdout.clone()),
        (true, false) => Some(ended.stderr.clone()),
        (false, false) => {
            let mut all = ended.stdout.clone();
            if !all.ends_with(b"\n") {
                all.push(b'\n');
            }
            all.extend_from_slice(b"--- stderr ---\n");
            all.extend_from_slice(&ended.stderr);
            Some(all)
        }
    }
}

/// What kind of text a tool printed, for the name of its file.
fn extension(raw: &[u8]) -> &'static str {
    if raw.trim_ascii_start().starts_with(b"{") {
        "json"
    } else {
        "txt"
    }
}
