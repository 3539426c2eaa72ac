//! Decides what the run does next. Pure: inputs and the time in, commands out.
//!
//! ```text
//! Gathering ─▶ (Stragglers) ─▶ Going ◀─▶ Waiting ─▶ Ended
//!                                │
//!                     lanes: Running ─▶ Clearing ─▶ (Cooling)
//! ```
//!
//! The queue says which sample is next. Each one runs in a lane of its own that holds its nodes;
//! serially there is one lane at a time. Only `Running` holds a client that may live, and a lane
//! gives its nodes back only when `Clearing` has seen the end of everything in it; so there are
//! never two clients at once on a node, and serially never two at all. Every state that waits holds
//! a timer; so nothing can hang a run. An answer counts only when it carries the session and the
//! step that are waited for; so no result lands on another cell.

mod attempt;
mod cell_index;
mod deadlines;
mod lane;
pub mod message;
mod outcome;
mod pending_sample;
mod progress;
mod queue;
mod sample_order;
pub mod task;
mod teardown;
#[cfg(test)]
mod tests;
mod workers;

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use attempt::ClientAnswer;
use cell_index::Ids;
use lane::{Lane, Process};
use message::{Command, Emission, Input, Order, Place, Session, Step, Timer};
use progress::{Next, Progress, cell_of};
use queue::Queue;
use sample_order::Turns;
use task::Tasks;

use crate::plan::{Concurrency, Path};
use crate::results::{EventKind, Outcome};
use crate::tools::client_output_bytes;

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
    tasks: Tasks,
    progress: Vec<Progress>,
    /// Cells that have ended.
    ended: usize,
    turns: Turns,
    /// A sample of each cell that has not ended, but for those in lanes.
    queue: Queue,
    lanes: Vec<Lane>,
    workers: Vec<Worker>,
    names: HashMap<String, usize>,
    /// The workers that are there.
    sessions: HashMap<Session, usize>,
    limits: Limits,
    /// How much is kept of what each client prints.
    output_bytes: usize,
    phase: Phase,
    next_step: u64,
    next_timer: u64,
    commands: Vec<Command>,
    /// Of the input that is being taken note of.
    now: Timestamp,
}

#[derive(Debug)]
struct Worker {
    name: String,
    /// The newest session that was heard of, over or not.
    newest: Option<Session>,
    present: Option<Present>,
    /// It did not come within its time, or will not come; its cells wait for it no more.
    given_up: bool,
    /// What became of it, as the cluster says.
    end: Option<String>,
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
    /// Samples run.
    Going,
    /// Nothing runs, and nothing can before the workers of this task come back.
    Waiting {
        task: usize,
        timer: Timer,
    },
    /// The run is cancelled and ends when its lanes are clear.
    Cancelling(Timer),
    Ended,
}

impl State {
    /// A run of `tasks`, in the order that their plan says. Goes on after `events`, those of the run
    /// so far, if any.
    ///
    /// An attempt that was under way when the events break off counts as made, but not as failed.
    pub fn new<'e>(
        tasks: Tasks,
        limits: Limits,
        events: impl IntoIterator<Item = &'e EventKind>,
    ) -> Self {
        let plan = tasks.plan();
        let workers: Vec<Worker> = plan.workers.keys().cloned().map(Worker::new).collect();
        let names: HashMap<String, usize> = workers
            .iter()
            .enumerate()
            .map(|(at, worker)| (worker.name.clone(), at))
            .collect();
        let mut progress = vec![Progress::default(); tasks.len()];
        let mut phase = Phase::Gathering(Timer(0));
        replay(&tasks, &mut progress, &mut phase, events);
        // Whoever reads a plan to run it draws a seed; without one the order is still the same after
        // each restart.
        let turns = Turns::of(plan.order, plan.seed.unwrap_or_default());
        let paths = plan.paths.iter();
        let ends: Vec<[usize; 2]> = paths.map(|path| ends_of(&names, path)).collect();
        let ends = tasks.iter().map(|task| ends[task.path_index()]);
        let at_once = match plan.concurrency {
            Concurrency::Serial => 1,
            Concurrency::DisjointNodes => workers.len(),
        };
        let mut queue = Queue::new(plan.concurrency, workers.len(), ends);
        let mut ended = 0;
        for (task, progress) in progress.iter().enumerate() {
            if progress.ended() {
                ended += 1;
            } else {
                queue.put(turns.turn(task, progress));
            }
        }
        Self {
            tasks,
            progress,
            ended,
            turns,
            queue,
            lanes: Vec::new(),
            workers,
            names,
            sessions: HashMap::new(),
            limits,
            output_bytes: client_output_bytes(at_once),
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
        self.go_on_when_gathered();
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
            Input::WorkerGivenUp { worker, words } => self.will_not_come(&worker, words),
            Input::ServerReady { session, step } => self.server_ready(now, session, step),
            Input::ServerEnded {
                session,
                step,
                ended,
                observed,
            } => self.server_ended(Process { session, step }, ended, observed),
            Input::ClientEnded {
                session,
                step,
                ended,
                wall,
                tcp,
                observed,
            } => {
                let answer = ClientAnswer {
                    ended,
                    wall,
                    tcp,
                    observed,
                };
                self.client_ended(Process { session, step }, answer);
            }
            Input::TimerFired(timer) => self.timer_fired(timer),
            Input::Cancel => self.cancel(),
        }
        std::mem::take(&mut self.commands)
    }

    /// The cells that have ended, and all.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.ended, self.tasks.len())
    }

    fn end_cell(&mut self, task: usize, outcome: Outcome) {
        self.ended += 1;
        let cell = self.tasks.at(task).id();
        self.emit_of(task, EventKind::CellEnded { cell, outcome }, None);
    }

    /// What a cell needs next.
    fn next_of(&self, task: usize) -> Next {
        self.progress[task].next(self.tasks.at(task).work)
    }

    fn emit_of(&mut self, task: usize, kind: EventKind, raw: Option<Vec<u8>>) {
        self.progress[task].note(self.tasks.at(task).work, &kind);
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

    fn is_present(&self, session: Session) -> bool {
        self.worker_of(session).is_some()
    }

    /// The worker whose session this is.
    fn worker_of(&self, session: Session) -> Option<usize> {
        self.sessions.get(&session).copied()
    }

    /// The workers of a task: server, client.
    fn ends(&self, task: usize) -> [usize; 2] {
        ends_of(&self.names, self.tasks.at(task).path)
    }

    /// The workers of a task that are not there.
    fn absent(&self, task: usize) -> impl Iterator<Item = usize> + use<'_> {
        let ends = self.ends(task).into_iter();
        ends.filter(|worker| self.workers[*worker].present.is_none())
    }
}

impl Worker {
    fn new(name: String) -> Self {
        Self {
            name,
            newest: None,
            present: None,
            given_up: false,
            end: None,
        }
    }
}

/// The workers of a path: server, client. The plan has both.
fn ends_of(names: &HashMap<String, usize>, path: &Path) -> [usize; 2] {
    [&path.to, &path.from].map(|name| names.get(name).copied().unwrap_or_default())
}

/// Takes note of what has happened before.
fn replay<'e>(
    tasks: &Tasks,
    progress: &mut [Progress],
    phase: &mut Phase,
    events: impl IntoIterator<Item = &'e EventKind>,
) {
    let mut events = events.into_iter().peekable();
    if events.peek().is_none() {
        return;
    }
    let ids = Ids::of(tasks);
    for event in events {
        if let EventKind::RunEnded { .. } = event {
            *phase = Phase::Ended;
        }
        if let Some(task) = cell_of(event).and_then(|cell| ids.find(cell)) {
            progress[task].note(tasks.at(task).work, event);
        }
    }
}
