//! What there is beside the orchestrator: workers that obey its orders, and messages under way. It
//! watches that no order is one that a real world could not follow.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::super::*;
use super::cells::{Shape, WORKERS, tasks};
use super::plans::Policy;
use crate::plan::Concurrency;
use crate::tools::How;

fn fresh(shapes: &[Shape], policy: Policy, events: &[EventKind]) -> State {
    State::new(tasks(shapes, policy), Limits::default(), events)
}

/// What the workers really do, and what is under way to the orchestrator.
pub(super) struct World {
    pub(super) state: State,
    pub(super) clock: Timestamp,
    pub(super) shapes: Vec<Shape>,
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
    pub(super) next_session: u64,
    pub(super) servers: Vec<(Process, String, bool)>,
    pub(super) clients: Vec<(Process, Vec<String>, u64)>,
    /// The nodes that each client loads, by start.
    pub(super) loads: HashMap<u64, [String; 2]>,
    pub(super) next_start: u64,
    pub(super) were_ready: HashSet<String>,
    pub(super) mail: Vec<Input>,
    pub(super) delivered: Vec<Input>,
    pub(super) timers: Vec<Timer>,
    pub(super) journal: Vec<EventKind>,
    pub(super) starts_seen: HashSet<u64>,
    pub(super) finished: bool,
    pub(super) cancelled: bool,
}

impl World {
    pub(super) fn new(shapes: &[Shape], policy: Policy, events: &[EventKind]) -> Self {
        let mut world = Self {
            state: fresh(shapes, policy, events),
            clock: Timestamp::UNIX_EPOCH,
            shapes: shapes.to_vec(),
            policy,
            sessions: BTreeMap::new(),
            places: HashMap::new(),
            deaf: HashSet::new(),
            over: HashSet::new(),
            believed: HashMap::new(),
            next_session: 1,
            servers: Vec::new(),
            clients: Vec::new(),
            loads: HashMap::new(),
            next_start: 1,
            were_ready: HashSet::new(),
            mail: Vec::new(),
            delivered: Vec::new(),
            timers: Vec::new(),
            journal: Vec::new(),
            starts_seen: HashSet::new(),
            finished: false,
            cancelled: false,
        };
        let commands = world.state.begin();
        world.obey(commands);
        world
    }

    /// Delivers all that is on its way, and what follows from it.
    pub(super) fn settle(&mut self) {
        while !self.mail.is_empty() {
            let input = self.mail.remove(0);
            self.deliver(input);
        }
    }

    pub(super) fn deliver(&mut self, input: Input) {
        match &input {
            Input::WorkerJoined {
                worker, session, ..
            } => {
                let believed = self.believed.get(worker).copied();
                if believed < Some(*session) && !self.over.contains(session) {
                    self.over.extend(believed);
                    self.believed.insert(worker.clone(), *session);
                }
            }
            Input::WorkerLeft { session, .. } => {
                self.over.insert(*session);
            }
            Input::Cancel => self.cancelled = true,
            _ => {}
        }
        self.delivered.push(input.clone());
        let commands = self.state.on(self.clock, input);
        self.obey(commands);
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
                    self.kill(session);
                }
                Command::Emit(emission) => self.write(*emission),
                Command::SetTimer { timer, .. } => self.timers.push(timer),
                Command::Finish => self.finished = true,
            }
        }
    }

    fn receive(&mut self, session: Session, order: Order) {
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
            Order::StartServer { step, server, .. } => {
                self.were_ready.remove(&server.argv[1]);
                let process = Process { session, step };
                self.servers.push((process, server.argv[1].clone(), false));
            }
            Order::RunClient { step, client, .. } => {
                let cell = &client.argv[1];
                assert!(
                    self.were_ready.contains(cell),
                    "client before its server: {cell}"
                );
                let index: usize = cell.trim_start_matches("cell-").parse().unwrap();
                let (from, to, virtual_ip, ..) = self.shapes[index];
                let place = &self.places[&self.believed[WORKERS[to]]];
                let own = &self.places[&self.believed[WORKERS[from]]];
                let nodes = [own.node.clone(), place.node.clone()];
                for (_, _, other) in &self.clients {
                    let shared = self.loads[other].iter().any(|node| nodes.contains(node));
                    let serial = self.policy.concurrency == Concurrency::Serial;
                    assert!(
                        !serial && !shared,
                        "two clients at once: {:?}",
                        self.clients
                    );
                }
                self.loads.insert(self.next_start, nodes);
                let address = if virtual_ip {
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
                self.clients.push((process, client.argv, self.next_start));
                self.next_start += 1;
            }
            Order::Stop { step } => {
                let process = Process { session, step };
                self.end_server(process, How::Stopped);
                self.end_client(process, How::Stopped);
            }
            Order::Goodbye => {}
        }
    }

    fn write(&mut self, Emission { kind, raw }: Emission) {
        if let EventKind::Sample(sample) = &kind {
            let raw = String::from_utf8(raw.expect("the client always says something")).unwrap();
            let words: Vec<&str> = raw.split(' ').collect();
            assert_eq!(words[0], sample.cell.test(), "another cell's result");
            let command: Vec<&str> = sample.command.iter().map(|word| &**word).collect();
            assert_eq!(&command[1..], &words[..2]);
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
