//! Does what the state decides: one task hands it all inputs one by one, carries out its commands, and
//! keeps the journal.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::copier::Copier;
use super::journal_stream::{Availability, Extent};
use super::log_lines::Lines;
use super::messages::message_from;
use super::service::Call;
use super::state::State;
use super::state::copy::epoch::Epoch;
use super::state::message::{Command, Emission, Input, Order, Session, Timer};
use super::store::{Store, StoreError};
use crate::results::EventKind;
use crate::rpc::pb::{ToWorker, to_worker};

/// The store, back from writing; the events; whether they are on disk.
type Written = (Store, Vec<EventKind>, Result<(), StoreError>);
type Orders = mpsc::Sender<Result<ToWorker, Status>>;

/// Bytes of the tools' output that may wait for a slow disk. Beyond that nothing more is taken from
/// the workers, and their answers wait in the connections.
const PENDING_BYTES: usize = 8 << 20;

/// How far a run was driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driven {
    ToItsEnd,
    /// Another orchestrator may continue it.
    Stopped,
    /// Another orchestrator, of this epoch, continues it.
    Superseded(Epoch),
    /// Another orchestrator may continue it: all workers are gone.
    Isolated,
}

/// How long the last events before a stop may take to be copied.
const LAST_COPY_WITHIN: Duration = Duration::from_secs(1);

/// The one task that owns the state.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, in all combinations"
)]
pub(super) struct Driver<'t> {
    state: State,
    /// Away while it writes.
    store: Option<Store>,
    writing: Option<JoinHandle<Written>>,
    /// Events to write next.
    pending: Vec<(Timestamp, Emission)>,
    /// Bytes of tools' output in `pending`.
    pending_bytes: usize,
    availability: watch::Sender<Availability>,
    /// Events on disk: the number of the one that comes next.
    on_disk: u64,
    copier: Copier,
    calls: mpsc::Receiver<Call>,
    /// Why this orchestrator decides nothing any more.
    ending: Option<Driven>,
    /// The lack of a holder has been said.
    has_warned: bool,
    sessions: HashMap<Session, Orders>,
    timers: BTreeSet<(Instant, Timer)>,
    lines: Lines,
    tell: &'t mut (dyn FnMut(&str) + Send),
    cells_ended: usize,
    /// How many watch now.
    watching: usize,
    /// Somebody has watched.
    watched: bool,
    /// Somebody has every record of the finished run.
    collected: bool,
    finished: bool,
}

impl<'t> Driver<'t> {
    pub fn new(
        state: State,
        store: Store,
        copier: Copier,
        availability: watch::Sender<Availability>,
        calls: mpsc::Receiver<Call>,
        lines: Lines,
        tell: &'t mut (dyn FnMut(&str) + Send),
    ) -> Self {
        let cells_ended = state.count().0;
        Self {
            state,
            on_disk: store.next_seq(),
            store: Some(store),
            writing: None,
            pending: Vec::new(),
            pending_bytes: 0,
            availability,
            copier,
            calls,
            ending: None,
            has_warned: false,
            sessions: HashMap::new(),
            timers: BTreeSet::new(),
            lines,
            tell,
            cells_ended,
            watching: 0,
            watched: false,
            collected: false,
            finished: false,
        }
    }

    /// Drives the run to its end. `first` goes to the journal before anything else; then `backlog` counts as if it
    /// came in now. After `shutdown` it leaves the run where it is, with all on disk, and says that it did.
    pub async fn run(
        &mut self,
        first: Option<EventKind>,
        backlog: VecDeque<Call>,
        mut shutdown: std::pin::Pin<&mut (dyn Future<Output = ()> + Send)>,
    ) -> Result<Driven, StoreError> {
        let first = first.map(|kind| (Timestamp::now(), Emission { kind, raw: None }));
        self.pending.extend(first);
        self.flush().await?;
        let commands = self.state.begin();
        self.execute(commands).await?;
        for call in backlog {
            if let Some(input) = self.take(call) {
                let commands = self.state.handle(Timestamp::now(), input);
                self.execute(commands).await?;
            }
        }
        let commands = self.state.settle_copies();
        self.execute(commands).await?;
        while !self.finished {
            let timer = self.timers.first().copied();
            let has_room = self.pending_bytes < PENDING_BYTES || self.writing.is_none();
            if let Some(ending) = self.ending {
                self.flush().await?;
                return Ok(ending);
            }
            let input = tokio::select! {
                call = self.calls.recv(), if has_room => match call {
                    Some(call) => self.take(call),
                    None => Some(Input::Cancel),
                },
                written = back(&mut self.writing) => {
                    self.written(written)?;
                    self.write();
                    None
                }
                () = until(timer) => {
                    self.timers.pop_first().map(|(_, timer)| Input::TimerFired(timer))
                }
                () = &mut shutdown => {
                    let commands = self.state.publish_pending();
                    self.execute(commands).await?;
                    self.flush().await?;
                    self.copy_last().await?;
                    return Ok(Driven::Stopped);
                }
            };
            if let Some(input) = input {
                let commands = self.state.handle(Timestamp::now(), input);
                self.execute(commands).await?;
            }
        }
        Ok(Driven::ToItsEnd)
    }

    /// Waits until the last events are copied, for a moment at most.
    async fn copy_last(&mut self) -> Result<(), StoreError> {
        let deadline = Instant::now() + LAST_COPY_WITHIN;
        while self.state.acknowledged() < self.state.next_seq() {
            let call = tokio::select! {
                call = self.calls.recv() => call,
                () = sleep_until(deadline) => return Ok(()),
            };
            let Some(call) = call else {
                return Ok(());
            };
            if let Some(input @ Input::Held { .. }) = self.take(call) {
                let commands = self.state.handle(Timestamp::now(), input);
                self.execute(commands).await?;
            }
        }
        Ok(())
    }

    /// Keeps a finished run's records at hand: until somebody has collected them and nobody else is
    /// still at it; for `alone` at most when nobody has watched, else for `attended`.
    pub async fn linger(
        &mut self,
        alone: Duration,
        attended: Duration,
        shutdown: std::pin::Pin<&mut (dyn Future<Output = ()> + Send)>,
    ) -> Result<(), StoreError> {
        let begun = Instant::now();
        let mut shutdown = Some(shutdown);
        while !self.collected || self.watching > 0 {
            let end = begun + if self.watched { attended } else { alone };
            let call = tokio::select! {
                call = self.calls.recv() => call,
                () = sleep_until(end) => return Ok(()),
                () = async {
                    match shutdown.as_mut() {
                        Some(shutdown) => shutdown.as_mut().await,
                        None => std::future::pending().await,
                    }
                } => return Ok(()),
            };
            let Some(call) = call else {
                return Ok(());
            };
            if let Some(input) = self.take(call) {
                let commands = self.state.handle(Timestamp::now(), input);
                self.execute(commands).await?;
            }
        }
        Ok(())
    }

    /// Handles a call; returns the part that is for the state.
    fn take(&mut self, call: Call) -> Option<Input> {
        match call {
            Call::Input(input) => {
                match &input {
                    Input::WorkerLeft { session, .. } => drop(self.sessions.remove(session)),
                    Input::Held { session, .. } => self.copier.answered(*session),
                    _ => {}
                }
                Some(input)
            }
            Call::Joined {
                worker,
                session,
                place,
                orders,
            } => {
                self.sessions.insert(session, orders);
                Some(Input::WorkerJoined {
                    worker,
                    session,
                    place,
                })
            }
            Call::Watched => {
                self.watching += 1;
                self.watched = true;
                None
            }
            Call::Unwatched => {
                self.watching = self.watching.saturating_sub(1);
                None
            }
            Call::Collected { through_seq } => {
                let last = self.on_disk.saturating_sub(1);
                self.collected |= self.finished && through_seq >= last;
                None
            }
            // Nobody has asked for it.
            Call::CopyPart { .. } => None,
        }
    }

    async fn execute(&mut self, commands: Vec<Command>) -> Result<(), StoreError> {
        let now = Timestamp::now();
        for command in commands {
            match command {
                Command::Emit(emission) => {
                    self.pending_bytes += emission.raw.as_ref().map_or(0, Vec::len);
                    self.pending.push((now, *emission));
                }
                Command::Send { session, order } => {
                    // Workers go only when all that they have done is on disk.
                    if order == Order::Goodbye {
                        self.flush().await?;
                    }
                    self.send(session, order);
                }
                Command::Disconnect { session } => {
                    self.sessions.remove(&session);
                }
                Command::SetTimer { timer, after } => {
                    self.timers.insert((Instant::now() + after, timer));
                }
                Command::Copy {
                    session,
                    from,
                    through,
                } => self.copier.copy(session, from, through),
                Command::StepDown(epoch) => self.ending = Some(Driven::Superseded(epoch)),
                Command::StepAside => {
                    self.ending.get_or_insert(Driven::Isolated);
                }
                Command::Finish => {
                    self.flush().await?;
                    self.finished = true;
                }
            }
        }
        self.write();
        self.send_copy();
        self.acknowledge();
        self.warn_of_copies();
        Ok(())
    }

    /// Sends the holder what it lacks, as far as that is on disk.
    fn send_copy(&mut self) {
        if let Some((session, hold)) = self.copier.next(self.on_disk) {
            let message = Some(to_worker::Message::Hold(hold));
            self.send_message(session, message);
        }
    }

    /// Lets watchers have what is on disk and copied.
    fn acknowledge(&mut self) {
        let next_seq = self.on_disk.min(self.state.acknowledged());
        let finished = self.finished;
        let goes = self.state.goes();
        let extent = Availability::Journal(Extent {
            next_seq,
            finished,
            goes,
        });
        self.availability.send_if_modified(|availability| {
            let is_new = *availability != extent;
            *availability = extent;
            is_new
        });
    }

    /// Says that no worker holds a copy, and that one is to hold it again.
    fn warn_of_copies(&mut self) {
        let lacks = self.state.lacks_holder() && !self.finished;
        if lacks == self.has_warned {
            return;
        }
        self.has_warned = lacks;
        if lacks {
            self.tell(
                "warning: no worker holds a copy of the journal; what is measured is lost with this pod until one does",
            );
        } else if let Some(holder) = self.state.holder() {
            let text = format!("copying the journal to worker `{holder}`");
            self.tell(&text);
        }
    }

    /// A worker that takes no orders loses its session; the end of its stream says the rest.
    fn send(&mut self, session: Session, order: Order) {
        let over = order == Order::Goodbye;
        let taken = self.send_message(session, Some(message_from(order)));
        if over || !taken {
            self.sessions.remove(&session);
        }
    }

    /// Returns whether the session takes it.
    fn send_message(&self, session: Session, message: Option<to_worker::Message>) -> bool {
        let epoch = self.state.epoch().0;
        let orders = self.sessions.get(&session);
        orders.is_some_and(|orders| orders.try_send(Ok(ToWorker { message, epoch })).is_ok())
    }

    /// Begins to write what is pending. Meanwhile the run continues: nobody is told of an event
    /// before it is on disk, but the next step of a cell need not wait for that.
    fn write(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let Some(mut store) = self.store.take() else {
            return;
        };
        let events = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let kinds = events.iter().map(|(_, event)| event.kind.clone()).collect();
            let result = store.put(events);
            (store, kinds, result)
        }));
    }

    /// Tells everybody of what has been written.
    fn written(&mut self, (store, kinds, result): Written) -> Result<(), StoreError> {
        self.on_disk = store.next_seq();
        self.store = Some(store);
        self.send_copy();
        self.acknowledge();
        result?;
        let total = self.state.count().1;
        for kind in &kinds {
            if let EventKind::CellEnded { .. } = kind {
                self.cells_ended += 1;
            }
            self.log(kind, total);
        }
        Ok(())
    }

    /// Returns once everything is on disk.
    async fn flush(&mut self) -> Result<(), StoreError> {
        self.write();
        while self.writing.is_some() {
            let written = back(&mut self.writing).await;
            self.written(written)?;
            self.write();
        }
        Ok(())
    }

    pub fn tell(&mut self, text: &str) {
        (self.tell)(text);
    }

    /// Tells of an event once more, for whoever reads only the end of the log.
    pub fn repeat(&mut self, event: &EventKind) {
        self.log(event, self.state.count().1);
    }

    fn log(&mut self, event: &EventKind, total: usize) {
        let count = (self.cells_ended, total);
        let record = self.lines.record(event, count);
        let line = self.lines.line(event, count);
        for line in record.iter().chain(&line) {
            (self.tell)(line);
        }
    }

    pub fn watching(&self) -> bool {
        self.watching > 0
    }

    pub fn collected(&self) -> bool {
        self.collected
    }

    /// Lets the worker go that holds the copy, once somebody has collected the records.
    pub fn release_holder(&mut self) {
        for command in self.state.release_holder() {
            if let Command::Send { session, order } = command {
                self.send(session, order);
            }
        }
    }
}

/// Waits until the store is back; for ever when it is not away.
async fn back(writing: &mut Option<JoinHandle<Written>>) -> Written {
    let Some(handle) = writing else {
        return std::future::pending().await;
    };
    let written = handle.await;
    *writing = None;
    match written {
        Ok(written) => written,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}

async fn until(timer: Option<(Instant, Timer)>) {
    match timer {
        Some((at, _)) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
