//! What surrounds the orchestrator: workers that obey its orders, and messages under way. It checks
//! that a real world could follow each order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use jiff::Timestamp;

use super::super::copy::claim::{self, Claim};
use super::super::copy::epoch::Epoch;
use super::super::message::{ClientEnd, Process};
use super::super::*;
use super::cells::{CellSpec, WORKERS, cells_of_command, tasks};
use super::kept_step::Kept;
use super::plans::{Policy, state_after, state_of_epoch};
use crate::plan::Concurrency;
use crate::results::WorkerEnvironment;
use crate::results::environment::host_metrics::{self, Observation};
use crate::tools::{Ended, How};

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
    pub(super) next_start: u64,
    pub(super) were_ready: HashSet<String>,
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
    stopped: HashSet<(Session, Step)>,
    /// Events before this one were acknowledged while a worker held them.
    pub(super) held: usize,
    /// It has stepped down: a worker has obeyed one of a greater epoch.
    pub(super) superseded: bool,
    pub(super) finished: bool,
    pub(super) cancelled: bool,
}

/// What a worker's pod holds of the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkerCopy {
    /// A pod that comes back on another node is another pod.
    node: usize,
    pub obeyed: Epoch,
    pub epoch: Epoch,
    pub events: Vec<EventKind>,
}

impl WorkerCopy {
    /// What the worker says in its Hello.
    pub fn claim(&self) -> Claim {
        Claim {
            obeyed: self.obeyed,
            copy: Some(claim::HeldJournal {
                epoch: self.epoch,
                next_seq: self.events.len() as u64,
                complete: matches!(self.events.last(), Some(EventKind::RunEnded { .. })),
            }),
        }
    }
}

/// What a worker runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub node: usize,
    pub has_tool: bool,
    pub has_cluster_ip: bool,
}

impl Machine {
    pub fn on_node(node: usize) -> Self {
        Self {
            node,
            has_tool: true,
            has_cluster_ip: true,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on node {}", self.node)?;
        for (has, what) in [
            (self.has_tool, "the tool"),
            (self.has_cluster_ip, "a cluster IP"),
        ] {
            if !has {
                write!(f, ", without {what}")?;
            }
        }
        Ok(())
    }
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
            next_start: 1,
            were_ready: HashSet::new(),
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
        base: claim::HeldJournal,
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
            EventKind::Sample(sample) => sample.metrics.get("start").map(|start| start as u64),
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

    /// Watchers get what the holder has; what there is, where no worker holds anything.
    fn check_acknowledged(&mut self, before: u64) {
        let acknowledged = self.state.acknowledged();
        let written = self.journal_before.len() + self.journal.len();
        assert_eq!(self.state.next_seq(), written as u64);
        assert!(before <= acknowledged && acknowledged <= self.state.next_seq());
        let acknowledged = usize::try_from(acknowledged).unwrap();
        match self.state.holder() {
            Some(holder) => {
                let has = self.copies[holder].events.len();
                // The pod may be another one by now.
                let is_there = self.believed.get(holder) == self.sessions.get(holder);
                if is_there && acknowledged > usize::try_from(before).unwrap() {
                    assert!(has >= acknowledged, "{holder} has {has} of {acknowledged}");
                    self.held = acknowledged;
                }
            }
            None => assert_eq!(acknowledged, written),
        }
    }

    /// The holder appends what it is sent, and says so.
    fn copy(&mut self, session: Session, from: u64, through: u64) {
        let Some((&worker, _)) = self.sessions.iter().find(|(_, living)| **living == session)
        else {
            return;
        };
        if self.deaf.contains(&session) {
            return;
        }
        let node = &self.places[&session].node;
        for (process, _, start) in &self.clients {
            let is_told_to_stop = self.stopped.contains(&(process.session, process.step));
            let is_lost = !self.is_believed(process.session);
            let is_serial = self.policy.concurrency == Concurrency::Serial;
            let disturbs = is_serial || self.loads[start].contains(node);
            assert!(
                is_told_to_stop || is_lost || !disturbs,
                "copies while a sample runs: {:?}",
                self.clients
            );
        }
        let events = self.whole_journal();
        let range = usize::try_from(from).unwrap()..usize::try_from(through).unwrap();
        let copy = self.copies.get_mut(worker).unwrap();
        if copy.epoch == self.state.epoch() {
            // An answer may have been lost.
            assert!(
                range.start <= copy.events.len(),
                "a gap in the copy of {worker}"
            );
            copy.events.truncate(range.start);
        } else if from == 0 {
            copy.events.clear();
        }
        assert_eq!(
            copy.events.len(),
            range.start,
            "a gap in the copy of {worker}"
        );
        copy.events.extend_from_slice(&events[range]);
        copy.obeyed = self.state.epoch();
        copy.epoch = self.state.epoch();
        assert!(
            copy.events == events[..copy.events.len()],
            "another journal"
        );
        self.mail.push(Input::Held {
            session,
            held: Ok(through),
        });
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

    fn receive(&mut self, session: Session, order: Order) {
        if let Order::Stop { step } = order {
            self.stopped.insert((session, step));
        }
        let obeying = self.sessions.iter().find(|(_, living)| **living == session);
        if let Some(copy) = obeying.and_then(|(worker, _)| self.copies.get_mut(worker)) {
            assert!(
                copy.obeyed <= self.state.epoch(),
                "an order of an old orchestrator"
            );
            copy.obeyed = self.state.epoch();
        }
        assert!(
            !self.over.contains(&session),
            "{order:?} to a session that has left"
        );
        if !self.sessions.values().any(|living| *living == session) {
            return; // It vanished, and the orchestrator cannot know yet.
        }
        if self.deaf.contains(&session) {
            return;
        }
        match order {
            Order::StartServer {
                step,
                server,
                outlives,
                ..
            } => {
                let to = self.worker_of(session);
                let cells = cells_of_command(&self.specs, &server.argv, Some(to), None);
                let cell = format!("cell-{}", cells[0]);
                self.were_ready.remove(&cell);
                let process = Process { session, step };
                if outlives.is_some() {
                    self.keep(process, false);
                }
                self.servers.push((process, cell, false));
            }
            Order::RunClient {
                step,
                client,
                outlives,
                ..
            } => {
                let from = self.worker_of(session);
                let cells = cells_of_command(&self.specs, &client.argv, None, Some(from));
                let dials = |cell: &&usize| {
                    let spec = &self.specs[**cell];
                    let session = self.believed.get(WORKERS[spec.to]);
                    let place = session.and_then(|session| self.places.get(session));
                    let target = Some(&client.argv[2]);
                    place.is_some_and(|place| {
                        target == Some(&place.pod_ip) || target == place.cluster_ip.as_ref()
                    })
                };
                let index = *cells.iter().find(dials).unwrap_or(&cells[0]);
                let cell = format!("cell-{index}");
                assert!(
                    self.were_ready.contains(&cell),
                    "client before its server: {cell}"
                );
                let is_in_batch = |cell: &str| {
                    let index: usize = cell.trim_start_matches("cell-").parse().unwrap();
                    self.specs[index].together
                };
                if is_in_batch(&cell) {
                    let waits = self.servers.iter().find(|(process, cell, ready)| {
                        is_in_batch(cell) && !ready && self.is_believed(process.session)
                    });
                    assert_eq!(waits, None, "starts before another server of the batch");
                }
                let CellSpec {
                    from,
                    to,
                    by_cluster_ip,
                    ..
                } = self.specs[index];
                let place = &self.places[&self.believed[WORKERS[to]]];
                let own = &self.places[&self.believed[WORKERS[from]]];
                let nodes = [own.node.clone(), place.node.clone()];
                for (_, _, other) in &self.clients {
                    let shared = self.loads[other].iter().any(|node| nodes.contains(node));
                    let serial = self.policy.concurrency == Concurrency::Serial;
                    let at_once = self.specs[index].together && self.batch_starts.contains(other);
                    assert!(
                        at_once || !serial && !shared,
                        "two clients at once: {:?}",
                        self.clients
                    );
                }
                self.loads.insert(self.next_start, nodes);
                if self.specs[index].together {
                    self.batch_starts.insert(self.next_start);
                }
                let address = if by_cluster_ip {
                    place.cluster_ip.as_deref()
                } else {
                    Some(place.pod_ip.as_str())
                };
                assert_eq!(
                    Some(client.argv[2].as_str()),
                    address,
                    "dials an old address"
                );
                let process = Process { session, step };
                if outlives {
                    self.keep(process, true);
                }
                self.clients.push((process, client.argv, self.next_start));
                self.next_start += 1;
            }
            Order::Stop { step } => {
                let process = Process { session, step };
                self.end_server(process, How::Stopped);
                self.end_client(process, How::Stopped);
            }
            Order::Forget { step } => self.forget(Process { session, step }),
            Order::Accept { .. } | Order::TryConnection { .. } => panic!("{order:?}"),
            Order::Goodbye => {}
        }
    }

    /// The worker of a session that lives.
    fn worker_of(&self, session: Session) -> usize {
        let mut living = self.sessions.iter();
        let (worker, _) = living.find(|(_, living)| **living == session).unwrap();
        WORKERS.iter().position(|name| name == worker).unwrap()
    }

    pub(super) fn end_server(&mut self, process: Process, how: How) {
        if let Some(i) = self.servers.iter().position(|(p, ..)| *p == process) {
            self.servers.remove(i);
            self.answer(
                process,
                Input::ServerEnded {
                    process,
                    ended: Ended::silent(how),
                    observed: Some(Observation {
                        figures: vec![(host_metrics::OBSERVED_S, 1.5)],
                        carried_bytes: None,
                    }),
                },
            );
        }
    }

    pub(super) fn end_client(&mut self, process: Process, how: How) {
        if let Some(i) = self.clients.iter().position(|(p, ..)| *p == process) {
            let (_, argv, start) = self.clients.remove(i);
            let end = ClientEnd {
                ended: Ended::new(how, format!("{} {} {start}", argv[1], argv[2]), ""),
                wall: Duration::from_secs(1),
                tcp: None,
                observed: None,
            };
            self.answer(process, Input::ClientEnded(process, end));
        }
    }

    pub(super) fn join(&mut self, worker: &'static str, machine: Machine) {
        let session = Session(self.next_session);
        self.next_session += 1;
        let cluster_ip = || format!("10.1.0.{}", session.0);
        let tools = [("fake".to_owned(), "1".to_owned())];
        let copy = self.copies.entry(worker).or_default();
        if copy.node != machine.node {
            *copy = WorkerCopy {
                node: machine.node,
                ..WorkerCopy::default()
            };
            self.end_pod(worker);
        }
        let copy = self.copies.entry(worker).or_default();
        let claim = copy.claim();
        let (kept, answers) = self.begin_session(worker, session);
        let place = Place {
            node: format!("n{}", machine.node),
            pod_ip: format!("10.0.0.{}", session.0),
            cluster_ip: machine.has_cluster_ip.then(cluster_ip),
            other_pod_ip: None,
            other_cluster_ip: None,
            peer_ip: None,
            claim,
            kept,
            environment: WorkerEnvironment {
                tools: tools.into_iter().filter(|_| machine.has_tool).collect(),
                ..WorkerEnvironment::default()
            },
        };
        self.sessions.insert(worker, session);
        self.places.insert(session, place.clone());
        self.mail.push(Input::WorkerJoined {
            worker: worker.to_owned(),
            session,
            place,
        });
        self.mail.extend(answers);
    }

    /// All workers join, on one node.
    pub(super) fn join_all(&mut self) {
        for worker in WORKERS {
            self.join(worker, Machine::on_node(0));
        }
    }

    pub(super) fn vanish(&mut self, worker: &'static str) {
        if let Some(session) = self.sessions.get(worker).copied() {
            self.end_session(session);
            self.mail.push(Input::WorkerLeft {
                worker: worker.to_owned(),
                session,
            });
        }
        self.end_pod(worker);
    }

    pub(super) fn ready(&mut self, nth: usize) {
        let len = self.servers.len();
        if len > 0 {
            let (process, cell, ready) = &mut self.servers[nth % len];
            if !*ready {
                *ready = true;
                self.were_ready.insert(cell.clone());
                self.mail.push(Input::ServerReady(*process));
            }
        }
    }

    /// The orchestrator gets SIGTERM; it hears nothing further.
    pub(super) fn stop(&mut self) {
        let commands = self.state.publish_pending();
        self.obey(commands);
    }

    /// From here on all goes well; the run must come to its end.
    pub(super) fn end_well(&mut self) {
        for (i, worker) in WORKERS.into_iter().enumerate() {
            self.vanish(worker);
            // Nearly all on nodes of their own.
            self.join(worker, Machine::on_node(i % 4));
        }
        for _ in 0..10_000 {
            if self.finished || self.superseded {
                return;
            }
            if !self.mail.is_empty() {
                let input = self.mail.remove(0);
                self.deliver(input);
            } else if let Some(i) = self.servers.iter().position(|(.., ready)| !ready) {
                self.ready(i);
            } else if let Some((process, ..)) = self.clients.first() {
                self.end_client(*process, How::Code(0));
            } else if let Some(missing) = WORKERS.iter().find(|w| !self.sessions.contains_key(*w)) {
                self.join(missing, Machine::on_node(0));
            } else if !self.timers.is_empty() {
                let timer = self.timers.remove(0);
                self.deliver(Input::TimerFired(timer));
            }
        }
        panic!("the run does not end: {:?}", self.state.phase);
    }

    fn write(&mut self, Emission { kind, raw }: Emission) {
        if let EventKind::Sample(sample) = &kind {
            let raw = String::from_utf8(raw.expect("the client always says something")).unwrap();
            let words: Vec<&str> = raw.split(' ').collect();
            assert_eq!(words[0], sample.cell.test(), "another cell's result");
            let command: Vec<&str> = sample.command.iter().map(|word| &**word).collect();
            assert_eq!(&command[1..3], &words[..2]);
            assert_eq!(sample.metrics.get("start"), words[2].parse().ok());
            let start = words[2].parse().unwrap();
            assert!(
                self.starts_seen.insert(start),
                "one client gave two samples"
            );
        }
        self.journal.push(kind);
    }
}
