//! Decides what the run does next. Pure: inputs and the time in, commands out.
//!
//! ```text
//! AwaitingNeeded ─▶ (AwaitingOthers) ─▶ (TryingForbidden) ─▶ (CheckingPaths) ─▶ Running ◀─▶ AwaitingReturn ─▶ Closing ─▶ Ended
//!                                                                             │
//!                                                                      lanes: Running ─▶ Stopping ─▶ (Cooling)
//! ```
//!
//! The queue says which sample is next. Each one runs in a lane of its own that reserves its nodes;
//! serially there is one lane at a time. `Closing` lasts until the copy of the journal has the run's end. Only `Running` holds a client that may be alive, and a lane
//! releases its nodes only when `Stopping` has seen the end of everything in it; so there are
//! never two measured clients at once on a node, and serially never two at all. A test with loads runs serially; their
//! clients start before the measured one and end after it. Every state that waits holds
//! a timer; so nothing can hang a run. The client of a tool that outlives sessions may also be alive while its worker is
//! away: its lane stays open, or it is a stray, and no sample begins before it has ended. An answer counts only when it carries the session and the
//! step that are waited for; so no result lands on another cell.

mod batch;
mod cell_index;
pub mod copy;
mod deadlines;
mod kept;
mod lane;
mod limits;
mod listener;
mod load_run;
pub mod marks;
pub mod message;
mod path_check;
mod policy_check;
mod progress;
mod queue;
pub mod replay;
mod sample;
mod table;
pub mod task;
mod teardown;
#[cfg(test)]
mod tests;
mod workers;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use batch::Batches;
use copy::epoch::Epoch;
use copy::holder::{Copies, Ledger};
use kept::Stray;
use lane::{Attempt, Lane, LaneId};
use marks::Goes;
use message::{Command, Emission, Input, Order, Place, Session, Step, Timer};
use path_check::PathCheck;
use policy_check::PolicyChecks;
use progress::{Next, Progress};
use queue::Queue;
use replay::History;
use sample::order::SampleOrder;
use sample::rounds::Groups;
use table::{CellIndex, Table, WorkerId};
use task::Tasks;

pub use limits::Limits;

use crate::plan::Concurrency;
use crate::results::{EventKind, Outcome};
use crate::tools::client_output_bytes;

/// The run so far and what runs now.
#[derive(Debug)]
pub struct State {
    tasks: Tasks,
    progress: Table<CellIndex, Progress>,
    /// Cells that have ended.
    ended: usize,
    order: SampleOrder,
    groups: Groups,
    batches: Batches,
    goes: Goes,
    /// A sample of each cell that has not ended, except for those in lanes.
    queue: Queue,
    lanes: BTreeMap<LaneId, Lane>,
    /// Processes that nobody waits for. No sample begins before they have ended.
    strays: Vec<Stray>,
    workers: Table<WorkerId, Worker>,
    names: HashMap<String, WorkerId>,
    /// The workers of each of the plan's paths: server, client.
    ends_by_path: Vec<[WorkerId; 2]>,
    /// The workers that are present.
    sessions: HashMap<Session, WorkerId>,
    limits: Limits,
    copies: Copies,
    /// Another orchestrator continues the run: nothing is started any more.
    is_stopping: bool,
    /// How much is kept of what each client prints.
    output_bytes: usize,
    /// Of the variants that have policies.
    policy_checks: PolicyChecks,
    path_check: PathCheck,
    phase: Phase,
    next_lane: u64,
    next_step: u64,
    next_timer: u64,
    commands: Vec<Command>,
    /// Time of the current input.
    now: Timestamp,
}

#[derive(Debug)]
struct Worker {
    name: String,
    /// The newest session that was heard of, over or not.
    newest: Option<Session>,
    /// The newest one that it was present in.
    last: Option<Session>,
    present: Option<Present>,
    /// It did not come within its time, or will not come; its cells do not wait for it.
    given_up: bool,
    /// Why it will not come, as the cluster says.
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
    /// Before the first cell, until all workers that the cells need are present.
    AwaitingNeeded(Timer),
    /// Until the plan's other workers are present too, for a moment at most.
    AwaitingOthers(Timer),
    /// Until connections that policies forbid have been tried.
    TryingForbidden(Timer),
    /// Until all paths have been tried.
    CheckingPaths(Timer),
    /// Samples run.
    Running,
    /// Nothing runs, and nothing can before the workers of this cell come back.
    AwaitingReturn {
        cell: CellIndex,
        timer: Timer,
    },
    /// The run is cancelled and ends when its lanes are closed.
    Cancelling(Timer),
    /// The run's end is written, and not all of it is copied.
    Closing(Timer),
    Ended,
}

impl State {
    /// A run of `tasks`, in the order that their plan says, which continues after `history`.
    #[must_use]
    pub fn new(tasks: Tasks, limits: Limits, history: History, ledger: Ledger) -> Self {
        let History {
            progress,
            run_ended,
        } = history;
        let plan = tasks.plan();
        let workers: Table<WorkerId, Worker> =
            plan.workers.keys().cloned().map(Worker::new).collect();
        let names: HashMap<String, WorkerId> = workers
            .iter()
            .map(|(id, worker)| (worker.name.clone(), id))
            .collect();
        // Whoever reads a plan to run it draws a seed; without one the order is still the same after
        // each restart.
        let order = SampleOrder::new(plan.order, plan.seed.unwrap_or_default(), tasks.members());
        // The plan has the workers of all of its paths.
        let id = |name| names.get(name).copied().unwrap_or_default();
        let paths = plan.paths.iter();
        let ends_by_path: Vec<_> = paths.map(|path| [id(&path.to), id(&path.from)]).collect();
        let ends = tasks
            .iter()
            .map(|(_, task)| ends_by_path[task.path_index()]);
        let batches = Batches::new(&tasks);
        let at_once = match plan.concurrency {
            Concurrency::Serial => 1,
            Concurrency::DisjointNodes => workers.len(),
        };
        let at_once = at_once.max(batches.largest());
        let groups = Groups::new(&order, &tasks);
        let mut queue = Queue::new(plan.concurrency, workers.len(), ends);
        let mut ended = 0;
        for (cell, progress) in progress.iter() {
            if progress.ended() {
                ended += 1;
            } else if batches.of(cell).is_none() {
                queue.push(order.rank(cell, progress));
            }
        }
        let mut state = Self {
            tasks,
            progress,
            ended,
            groups,
            batches,
            goes: Goes::default(),
            order,
            queue,
            lanes: BTreeMap::new(),
            strays: Vec::new(),
            workers,
            names,
            ends_by_path,
            sessions: HashMap::new(),
            limits,
            copies: Copies::new(ledger),
            is_stopping: false,
            output_bytes: client_output_bytes(at_once),
            policy_checks: PolicyChecks::default(),
            path_check: PathCheck::default(),
            phase: if run_ended {
                Phase::Ended
            } else {
                Phase::AwaitingNeeded(Timer(0))
            },
            next_lane: 1,
            next_step: 1,
            next_timer: 1,
            commands: Vec::new(),
            now: Timestamp::UNIX_EPOCH,
        };
        state.queue_batches();
        state
    }

    /// What to do first. To be called once, before any input.
    pub fn begin(&mut self) -> Vec<Command> {
        if let Phase::Ended = self.phase {
            return vec![Command::Finish];
        }
        let timer = self.set_timer(self.limits.start);
        self.phase = Phase::AwaitingNeeded(timer);
        self.start_when_gathered();
        self.advance_copy();
        std::mem::take(&mut self.commands)
    }

    /// Handles an input, and returns what to do, in this order.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Command> {
        self.now = now;
        match input {
            Input::WorkerJoined {
                worker,
                session,
                place,
            } => self.worker_joined(&worker, session, place),
            Input::WorkerLeft { worker, session } => self.worker_left(&worker, session),
            Input::WorkerGivenUp { worker, reason } => self.worker_given_up(&worker, reason),
            Input::ServerReady(server) => self.server_ready(server),
            Input::ServerFlowing(server) => self.server_flowing(server),
            Input::ServerEnded {
                process,
                ended,
                observed,
            } => {
                self.forget_if_kept(process);
                self.server_ended(process, ended, observed);
            }
            Input::ClientEnded(client, end) => {
                self.forget_if_kept(client);
                self.client_ended(client, end);
            }
            Input::Accepting(listener, accepting) => {
                self.path_listener_accepts(listener, accepting.is_ok());
                self.accepting(listener, accepting);
            }
            Input::PathsTested(client, findings) => self.paths_tested(client, findings),
            Input::ConnectionTried(client, connected) => self.connection_tried(client, connected),
            Input::TimerFired(timer) => self.timer_fired(timer),
            Input::Held { session, held } => self.held(session, held.ok()),
            Input::Mark(mark) => self.set_mark(mark),
            Input::Cancel => self.cancel(),
        }
        self.advance_copy();
        std::mem::take(&mut self.commands)
    }

    /// The epoch of this orchestrator.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.copies.epoch()
    }

    /// The cells that have ended, and all.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.ended, self.tasks.len())
    }

    fn end_cell(&mut self, index: CellIndex, outcome: Outcome) {
        self.ended += 1;
        let cell = self.tasks.at(index).id();
        self.emit_for_cell(index, EventKind::CellEnded { cell, outcome }, None);
    }

    /// What a cell needs next.
    fn next_for(&self, cell: CellIndex) -> Next {
        let round = self.round_decision(cell);
        self.progress[cell].next(self.tasks.at(cell).work, round)
    }

    fn emit_for_cell(&mut self, cell: CellIndex, kind: EventKind, raw: Option<Vec<u8>>) {
        self.progress[cell].apply(self.tasks.at(cell).work, &kind);
        self.emit_with(kind, raw);
    }

    fn emit(&mut self, kind: EventKind) {
        self.emit_with(kind, None);
    }

    fn emit_with(&mut self, kind: EventKind, raw: Option<Vec<u8>>) {
        self.copies.add_event();
        self.commands
            .push(Command::Emit(Box::new(Emission { kind, raw })));
    }

    fn send(&mut self, session: Session, order: Order) {
        self.commands.push(Command::Send { session, order });
    }

    fn new_step(&mut self) -> Step {
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

    fn open_lane(&mut self, lane: Lane) {
        self.lanes.insert(LaneId(self.next_lane), lane);
        self.next_lane += 1;
    }

    /// The cell and the attempt of a lane, while that runs.
    fn running(&self, id: LaneId) -> Option<(CellIndex, &Attempt)> {
        let lane = self.lanes.get(&id)?;
        Some((lane.cell, lane.running()?))
    }

    fn attempt_mut(&mut self, id: LaneId) -> Option<&mut Attempt> {
        self.lanes.get_mut(&id)?.running_mut()
    }

    fn lane_ids(&self) -> Vec<LaneId> {
        self.lanes.keys().copied().collect()
    }

    fn is_present(&self, session: Session) -> bool {
        self.worker_of(session).is_some()
    }

    /// The worker whose session this is.
    fn worker_of(&self, session: Session) -> Option<WorkerId> {
        self.sessions.get(&session).copied()
    }

    /// The workers of a cell: server, client.
    fn ends(&self, cell: CellIndex) -> [WorkerId; 2] {
        self.ends_by_path[self.tasks.at(cell).path_index()]
    }

    /// The workers of a cell and of its loads that are absent.
    fn absent(&self, cell: CellIndex) -> impl Iterator<Item = WorkerId> + use<'_> {
        let ends = self.ends(cell).into_iter();
        let loads = self.tasks.at(cell).work.loads.iter();
        let loads = loads.flat_map(|load| self.ends_by_path[load.path]);
        ends.chain(loads)
            .filter(|worker| self.workers[*worker].present.is_none())
    }

    /// The absent workers of a cell, and of those that are measured with it.
    fn absent_for(&self, cell: CellIndex) -> Vec<WorkerId> {
        let cells = self.due_with(cell).into_iter();
        cells.flat_map(|cell| self.absent(cell)).collect()
    }
}

impl Worker {
    fn new(name: String) -> Self {
        Self {
            name,
            newest: None,
            last: None,
            present: None,
            given_up: false,
            end: None,
        }
    }
}
