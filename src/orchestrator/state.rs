//! Decides what the run does next. Pure: inputs and the time in, commands out.
//!
//! ```text
//! Gathering ─▶ (Stragglers) ─▶ ┌ Waiting ◀─▶ Running ─▶ Clearing ─▶ (Cooling) ┐ ─▶ Ended
//!                              └──────────────◀── next attempt ◀──────────────┘
//! ```
//!
//! Only `Running` holds a client that may live, and `Running` begins only when `Clearing` has seen
//! the end of everything before it; so there are never two clients at once. Every state that waits
//! holds a timer; so nothing can hang a run. An answer counts only when it carries the session and
//! the step that are waited for; so no result lands on another cell.

mod ending;
#[cfg(test)]
mod histories;
pub mod message;
mod output;
mod progress;
mod steps;
pub mod task;
mod workers;

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use message::{Command, Emission, Input, Order, Place, Session, Step, Timer};
use progress::{Progress, cell_of};
use task::Task;

use crate::results::{EventKind, Outcome};

/// How long the orchestrator waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For all workers that the cells need to join at the start.
    pub start: Duration,
    /// For the plan's other workers, once those are there: a pod that starts beside a sample
    /// disturbs it.
    pub others: Duration,
    /// For a tool's server to be ready, as the worker is told.
    pub ready: Duration,
    /// For an answer that is due, beyond what the worker itself was told.
    pub answer: Duration,
    /// For a process to be gone after Stop.
    pub stop: Duration,
    /// For the nodes to learn where a worker's Service leads, from its joining on.
    pub service: Duration,
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
            others: Duration::from_secs(2),
            ready: Duration::from_secs(10),
            answer: Duration::from_secs(5),
            stop: Duration::from_secs(5),
            service: Duration::from_secs(30),
            // An evicted pod's successor is made after ten seconds, and its node may pull the image.
            reconnect: Duration::from_secs(120),
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
    /// Of the input that is being taken note of.
    now: Timestamp,
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
    since: Timestamp,
}

#[derive(Debug)]
enum Phase {
    /// Before the first cell, until all workers that are needed are there.
    Gathering(Timer),
    /// Until the plan's other workers are there too, for a moment at most.
    Stragglers(Timer),
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
            now: Timestamp::UNIX_EPOCH,
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
        self.now = now;
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
}
