//! What surrounds the orchestrator: its workers, and messages under way. `orders.rs` says how workers obey.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::super::copy::claim::HeldJournal;
use super::super::copy::epoch::Epoch;
use super::super::message::Process;
use super::super::*;
use super::cells::{CellSpec, WORKERS, tasks};
use super::kept_step::Kept;
use super::load_names::split;
use super::plans::{Policy, state_after, state_of_epoch};
use super::worker_copy::WorkerCopy;

/// What the workers really do, and what is under way to the orchestrator.
pub(super) struct World {
    pub(super) state: State,
    pub(super) clock: Timestamp,
    pub(super) specs: Vec<CellSpec>,
    pub(super) policy: Policy,
    /// Those that live, by worker.
    pub(super) sessions: BTreeMap<&'static str, Session>,
    pub(super) places: HashMap<Session, Place>,
    /// Those that live and obey no more.
    pub(super) deaf: HashSet<Session>,
    /// Those that the orchestrator was told, or itself decided, to be over.
    pub(super) over: HashSet<Session>,
    /// What the orchestrator believes, by worker.
    pub(super) believed: HashMap<String, Session>,
    /// The newest session that it has heard of, by worker: it takes no older one.
    pub(super) newest: HashMap<String, Session>,
    pub(super) next_session: u64,
    pub(super) servers: Vec<(Process, String, bool)>,
    pub(super) clients: Vec<(Process, Vec<String>, u64)>,
    /// The nodes that each client loads, by start.
    pub(super) loads: HashMap<u64, [String; 2]>,
    /// The clients of the batch, by start.
    pub(super) batch_starts: HashSet<u64>,
    /// Those that accept connections, each on a port.
    pub(super) acceptors: Vec<(Process, u16)>,
    pub(super) next_start: u64,
    pub(super) were_ready: HashSet<String>,
    /// The servers of loads at which something arrives.
    pub(super) flowing: HashSet<String>,
    pub(super) mail: Vec<Input>,
    pub(super) delivered: Vec<Input>,
    pub(super) timers: Vec<Timer>,
    /// What earlier orchestrators wrote, and this one.
    pub(super) journal_before: Vec<EventKind>,
    pub(super) journal: Vec<EventKind>,
    pub(super) starts_seen: HashSet<u64>,
    /// What the workers hold of the journal.
    pub(super) copies: BTreeMap<&'static str, WorkerCopy>,
    /// Steps that outlive sessions, until the orchestrator lets them be forgotten.
    pub(super) kept: Vec<Kept>,
    /// Workers that the cluster does not start again, as the orchestrator was told.
    pub(super) given_up: HashSet<String>,
    /// Processes that were told to stop.
    pub(super) stopped: HashSet<(Session, Step)>,
    /// Events before this one were acknowledged while a worker held them.
    pub(super) held: usize,
    /// It has stepped down: a worker has obeyed one of a greater epoch.
    pub(super) superseded: bool,
    pub(super) finished: bool,
    pub(super) cancelled: bool,
}

impl World {
    /// Starts an orchestrator for a plan with these cells, which continues after these events.
    pub(super) fn new(cells: &[CellSpec], policy: Policy, events: &[EventKind]) -> Self {
        let mut world = Self {
            state: state_after(tasks(cells, policy), events),
            clock: Timestamp::UNIX_EPOCH,
            specs: cells.to_vec(),
            policy,
            sessions: BTreeMap::new(),
            places: HashMap::new(),
            deaf: HashSet::new(),
            over: HashSet::new(),
            believed: HashMap::new(),
            newest: HashMap::new(),
            next_session: 1,
            servers: Vec::new(),
            clients: Vec::new(),
            loads: HashMap::new(),
            batch_starts: HashSet::new(),
            acceptors: Vec::new(),
            next_start: 1,
            were_ready: HashSet::new(),
            flowing: HashSet::new(),
            mail: Vec::new(),
            delivered: Vec::new(),
            timers: Vec::new(),
            journal_before: Vec::new(),
            journal: Vec::new(),
            starts_seen: HashSet::new(),
            copies: BTreeMap::new(),
            kept: Vec::new(),
            given_up: HashSet::new(),
            stopped: HashSet::new(),
            held: 0,
            superseded: false,
            finished: false,
            cancelled: false,
        };
        world.journal_before = events.to_vec();
        world.begin();
        world
    }

    fn begin(&mut self) {
        let commands = self.state.begin();
        self.obey(commands);
        let commands = self.state.settle_copies();
        self.obey(commands);
    }

    /// Replaces the orchestrator by one of this epoch, which continues from a copy of the journal. All sessions have
    /// ended.
    pub(super) fn succeed(
        &mut self,
        epoch: Epoch,
        base: HeldJournal,
        events: Vec<EventKind>,
        pods_stay: bool,
    ) {
        for worker in WORKERS {
            if pods_stay {
                self.cut(worker, true);
            } else {
                self.vanish(worker);
            }
        }
        self.mail.clear();
        self.delivered.clear();
        self.timers.clear();
        self.believed.clear();
        self.given_up.clear();
        self.cancelled = false;
        self.state = state_of_epoch(tasks(&self.specs, self.policy), &events, epoch, base);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a start is a small number"
        )]
        let is_measured = |event: &EventKind| match event {
            EventKind::Sample(sample) | EventKind::LoadSample { sample, .. } => {
                sample.metrics.get("start").map(|start| start as u64)
            }
            _ => None,
        };
        // What is lost may be measured again.
        self.starts_seen = events.iter().filter_map(is_measured).collect();
        self.journal_before = events;
        self.journal.clear();
        self.superseded = false;
        self.begin();
    }

    /// All events of the run.
    pub(super) fn whole_journal(&self) -> Vec<EventKind> {
        [self.journal_before.as_slice(), &self.journal].concat()
    }

    /// Delivers all that is on its way, and what follows from it.
    pub(super) fn settle(&mut self) {
        while !self.mail.is_empty() {
            let input = self.mail.remove(0);
            self.deliver(input);
        }
    }

    /// Delivers the next message; those about the copy of the journal do not count.
    pub(super) fn deliver_next(&mut self) {
        self.deliver_held();
        let input = self.mail.remove(0);
        self.deliver(input);
        self.deliver_held();
    }

    pub(super) fn deliver_held(&mut self) {
        let is_held = |input: &Input| matches!(input, Input::Held { .. });
        while let Some(nth) = self.mail.iter().position(is_held) {
            let held = self.mail.remove(nth);
            self.deliver(held);
        }
    }

    pub(super) fn deliver(&mut self, input: Input) {
        if self.superseded {
            return;
        }
        match &input {
            Input::WorkerJoined {
                worker, session, ..
            } => {
                let believed = self.believed.get(worker).copied();
                let newest = self.newest.entry(worker.clone()).or_insert(Session(0));
                if *newest < *session && !self.over.contains(session) {
                    *newest = *session;
                    self.over.extend(believed);
                    self.given_up.remove(worker);
                    self.believed.insert(worker.clone(), *session);
                }
            }
            Input::WorkerLeft { worker, session } => {
                self.over.insert(*session);
                let newest = self.newest.entry(worker.clone()).or_insert(*session);
                *newest = (*newest).max(*session);
            }
            Input::WorkerGivenUp { worker, .. } => drop(self.given_up.insert(worker.clone())),
            Input::Cancel => self.cancelled = true,
            _ => {}
        }
        self.end_unknown_clients(matches!(input, Input::TimerFired(_)));
        self.delivered.push(input.clone());
        let before = self.state.acknowledged();
        let commands = self.state.handle(self.clock, input);
        self.obey(commands);
        self.check_acknowledged(before);
    }

    fn obey(&mut self, commands: Vec<Command>) {
        for command in commands {
            assert!(
                !self.finished
                    || matches!(
                        command,
                        Command::Send {
                            order: Order::Goodbye,
                            ..
                        }
                    ),
                "after the end: {command:?}"
            );
            match command {
                Command::Send { session, order } => self.receive(session, order),
                Command::Disconnect { session } => {
                    self.over.insert(session);
                    self.end_session(session);
                }
                Command::Emit(emission) => self.write(*emission),
                Command::SetTimer { timer, .. } => self.timers.push(timer),
                Command::Copy {
                    session,
                    from,
                    through,
                } => self.copy(session, from, through),
                Command::StepDown(epoch) => {
                    let mut copies = self.copies.values();
                    assert!(copies.any(|copy| copy.obeyed == epoch) && epoch > self.state.epoch());
                    self.superseded = true;
                }
                // Its successor may be itself.
                Command::StepAside => {
                    let mut believed = self.believed.values();
                    assert!(believed.all(|session| self.over.contains(session)));
                }
                Command::Finish => self.finished = true,
            }
        }
    }

    /// The orchestrator gets SIGTERM; it hears nothing further.
    pub(super) fn stop(&mut self) {
        let commands = self.state.publish_pending();
        self.obey(commands);
    }

    fn write(&mut self, Emission { kind, raw }: Emission) {
        if let EventKind::Sample(sample) | EventKind::LoadSample { sample, .. } = &kind {
            let raw = String::from_utf8(raw.expect("the client always says something")).unwrap();
            let words: Vec<&str> = raw.split(' ').collect();
            assert_eq!(
                split(words[0]).0,
                sample.cell.test(),
                "another cell's result"
            );
            let command: Vec<&str> = sample.command.iter().map(|word| &**word).collect();
            assert_eq!(&command[1..3], &words[..2]);
            assert_eq!(sample.metrics.get("start"), words[2].parse().ok());
            self.check_black_hole(sample);
            let start = words[2].parse().unwrap();
            assert!(
                self.starts_seen.insert(start),
                "one client gave two samples"
            );
        }
        if let EventKind::PathUnreachable { path, .. } = &kind {
            self.check_silent_path(path);
        }
        self.journal.push(kind);
    }
}
