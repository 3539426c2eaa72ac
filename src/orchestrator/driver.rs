//! Does what the state decides: one task hands it all inputs one by one, carries out its commands, and
//! keeps the journal.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::audience::Audience;
use super::copier::Copier;
use super::journal_stream::{Availability, Extent};
use super::journal_writer::{JournalWriter, Written};
use super::messages::message_from;
use super::run_log::RunLog;
use super::service::{Call, Orders};
use super::state::State;
use super::state::copy::epoch::Epoch;
use super::state::message::{Command, Emission, Input, Order, Session, Timer};
use super::store::{Store, StoreError};
use crate::results::EventKind;
use crate::rpc::pb::{ToWorker, to_worker};

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
pub(super) struct Driver<'t> {
    state: State,
    writer: JournalWriter,
    availability: watch::Sender<Availability>,
    copier: Copier,
    calls: mpsc::Receiver<Call>,
    /// Why this orchestrator decides nothing any more.
    ending: Option<Driven>,
    /// The lack of a holder has been said.
    has_warned: bool,
    sessions: HashMap<Session, Orders>,
    timers: BTreeSet<(Instant, Timer)>,
    log: RunLog<'t>,
    audience: Audience,
    finished: bool,
}

impl<'t> Driver<'t> {
    pub fn new(
        state: State,
        store: Store,
        copier: Copier,
        availability: watch::Sender<Availability>,
        calls: mpsc::Receiver<Call>,
        log: RunLog<'t>,
    ) -> Self {
        Self {
            state,
            writer: JournalWriter::new(store),
            availability,
            copier,
            calls,
            ending: None,
            has_warned: false,
            sessions: HashMap::new(),
            timers: BTreeSet::new(),
            log,
            audience: Audience::default(),
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
        if let Some(kind) = first {
            let first = Emission { kind, raw: None };
            self.writer.add(Timestamp::now(), first);
        }
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
            let has_room = self.writer.has_room();
            if let Some(ending) = self.ending {
                self.flush().await?;
                return Ok(ending);
            }
            let input = tokio::select! {
                call = self.calls.recv(), if has_room => match call {
                    Some(call) => self.take(call),
                    None => Some(Input::Cancel),
                },
                written = self.writer.written() => {
                    self.written(written)?;
                    self.writer.write();
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
        while !self.audience.is_done() {
            let end = begun
                + if self.audience.has_come() {
                    attended
                } else {
                    alone
                };
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
                self.audience.comes();
                None
            }
            Call::Unwatched => {
                self.audience.goes();
                None
            }
            Call::Collected { through_seq } => {
                let last = self.writer.on_disk().saturating_sub(1);
                if self.finished && through_seq >= last {
                    self.audience.has_collected = true;
                }
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
                Command::Emit(emission) => self.writer.add(now, *emission),
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
        self.writer.write();
        self.send_copy();
        self.acknowledge();
        self.warn_of_copies();
        Ok(())
    }

    /// Sends the holder what it lacks, as far as that is on disk.
    fn send_copy(&mut self) {
        if let Some((session, hold)) = self.copier.next(self.writer.on_disk()) {
            let message = Some(to_worker::Message::Hold(hold));
            self.send_message(session, message);
        }
    }

    /// Lets watchers have what is on disk and copied.
    fn acknowledge(&mut self) {
        let next_seq = self.writer.on_disk().min(self.state.acknowledged());
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
            self.log.say(
                "warning: no worker holds a copy of the journal; what is measured is lost with this pod until one does",
            );
        } else if let Some(holder) = self.state.holder() {
            let text = format!("copying the journal to worker `{holder}`");
            self.log.say(&text);
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

    /// Tells everybody of what has been written.
    fn written(&mut self, written: Written) -> Result<(), StoreError> {
        self.send_copy();
        self.acknowledge();
        written.result?;
        let total = self.state.count().1;
        for event in &written.events {
            self.log.event(event, total);
        }
        Ok(())
    }

    /// Returns once everything is on disk.
    async fn flush(&mut self) -> Result<(), StoreError> {
        self.writer.write();
        while self.writer.is_writing() {
            let written = self.writer.written().await;
            self.written(written)?;
            self.writer.write();
        }
        Ok(())
    }

    pub fn tell(&mut self, text: &str) {
        self.log.say(text);
    }

    /// Tells of an event once more, for whoever reads only the end of the log.
    pub fn repeat(&mut self, event: &EventKind) {
        self.log.repeat(event, self.state.count().1);
    }

    pub fn watching(&self) -> bool {
        self.audience.is_there()
    }

    pub fn collected(&self) -> bool {
        self.audience.has_collected
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

async fn until(timer: Option<(Instant, Timer)>) {
    match timer {
        Some((at, _)) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
