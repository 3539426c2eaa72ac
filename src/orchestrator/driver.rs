//! Does what the state decides: one task hands it all inputs one by one, carries out its commands, and
//! keeps the journal.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::journal_stream::Extent;
use super::log_lines::Lines;
use super::messages::message_from;
use super::service::Call;
use super::state::State;
use super::state::message::{Command, Emission, Input, Order, Session, Timer};
use super::store::{Store, StoreError};
use crate::results::EventKind;
use crate::rpc::pb::ToWorker;

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
}

/// The one task that owns the state.
pub(super) struct Driver<'t> {
    state: State,
    /// Away while it writes.
    store: Option<Store>,
    writing: Option<JoinHandle<Written>>,
    /// Events to write next.
    pending: Vec<(Timestamp, Emission)>,
    /// Bytes of tools' output in `pending`.
    pending_bytes: usize,
    extent: watch::Sender<Extent>,
    calls: mpsc::Receiver<Call>,
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
        extent: watch::Sender<Extent>,
        calls: mpsc::Receiver<Call>,
        lines: Lines,
        tell: &'t mut (dyn FnMut(&str) + Send),
    ) -> Self {
        let cells_ended = state.count().0;
        Self {
            state,
            store: Some(store),
            writing: None,
            pending: Vec::new(),
            pending_bytes: 0,
            extent,
            calls,
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

    /// Drives the run to its end. `first` goes to the journal before anything else. After `shutdown`
    /// it leaves the run where it is, with all on disk, and says that it did.
    pub async fn run(
        &mut self,
        first: Option<EventKind>,
        mut shutdown: std::pin::Pin<&mut (dyn Future<Output = ()> + Send)>,
    ) -> Result<Driven, StoreError> {
        let first = first.map(|kind| (Timestamp::now(), Emission { kind, raw: None }));
        self.pending.extend(first);
        self.flush().await?;
        let commands = self.state.begin();
        self.execute(commands).await?;
        while !self.finished {
            let timer = self.timers.first().copied();
            let has_room = self.pending_bytes < PENDING_BYTES || self.writing.is_none();
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
                if let Input::WorkerLeft { session, .. } = &input {
                    self.sessions.remove(session);
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
                let last = self.extent.borrow().next_seq.saturating_sub(1);
                self.collected |= self.finished && through_seq >= last;
                None
            }
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
                Command::Finish => {
                    self.flush().await?;
                    self.finished = true;
                    self.extent.send_modify(|extent| extent.finished = true);
                }
            }
        }
        self.write();
        Ok(())
    }

    /// A worker that takes no orders loses its session; the end of its stream says the rest.
    fn send(&mut self, session: Session, order: Order) {
        let over = order == Order::Goodbye;
        if let Some(orders) = self.sessions.get(&session) {
            let message = Some(message_from(order));
            let taken = orders.try_send(Ok(ToWorker { message })).is_ok();
            if over || !taken {
                self.sessions.remove(&session);
            }
        }
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
            let result = events
                .into_iter()
                .try_for_each(|(at, event)| store.put(at, event));
            (store, kinds, result)
        }));
    }

    /// Tells everybody of what has been written.
    fn written(&mut self, (store, kinds, result): Written) -> Result<(), StoreError> {
        let next_seq = store.next_seq();
        self.store = Some(store);
        self.extent.send_modify(|extent| extent.next_seq = next_seq);
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
