//! Thousands of random histories against the state: messages late, doubled, lost and out of order,
//! workers that vanish and come back elsewhere, tools that fail in every way, late timers, Cancel.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::progress::MAX_LOSSES;
use super::task::{Line, Work};
use super::*;
use crate::plan::{self, Repeat, Timing, Until, Via};
use crate::results::sequential::{Decision, decide};
use crate::results::{Circumstances, WorkerEnvironment};
use crate::rpc::pb::Observed;
use crate::schedule::{CellId, Params};
use crate::tools::{Cause, Client, Ended, Failure, How, Job, Metrics, Port, Program, Server, Tool};

/// What every server's end says that it observed.
const SERVER_SAW: Observed = Observed {
    window_us: 1_500_000,
    cpu: None,
    throttling: None,
    traffic: None,
};

const WORKERS: [&str; 5] = ["w1", "w2", "w3", "w4", "w5"];

/// Its client says on stdout which cell it ran for, where it went, and which start it was.
#[derive(Debug)]
pub(super) struct Fake {
    pub cell: String,
}

const CAUSES: [Cause; 6] = [
    Cause::Refused,
    Cause::ServerBusy,
    Cause::MssRefused,
    Cause::NothingMoved,
    Cause::OptionRefused,
    Cause::WorkerLost,
];

impl Tool for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn programs(&self) -> &'static [Program] {
        &[]
    }
    fn ports(&self, _: u16) -> Vec<Port> {
        Vec::new()
    }
    fn server(&self, _: &Job<'_>) -> Server {
        Server {
            argv: vec!["server".to_owned(), self.cell.clone()],
            ready_line: "up".to_owned(),
        }
    }
    fn client(&self, job: &Job<'_>) -> Client {
        Client {
            argv: vec!["client".into(), self.cell.clone(), job.target.to_owned()],
            warmup_argv: Vec::new(),
            watch_tcp_port: None,
        }
    }
    fn overhead(&self) -> Duration {
        Duration::ZERO
    }
    fn usual_cost(&self) -> Duration {
        Duration::ZERO
    }
    fn has_warmup(&self) -> bool {
        true
    }
    fn read(&self, _: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
        let cause = match &ended.how {
            How::Code(0) => {
                let said = String::from_utf8_lossy(&ended.stdout);
                let start = said.split(' ').next_back().and_then(|n| n.parse().ok());
                let mut metrics = Metrics::default();
                metrics.set("start", start.unwrap_or(f64::NAN));
                return Ok(metrics);
            }
            How::Code(code) => CAUSES[usize::try_from(*code).unwrap_or(0) % CAUSES.len()],
            How::Signal(_) | How::Stopped => Cause::Killed,
            How::Deadline => Cause::Timeout,
            How::NotFound(_) => Cause::ToolMissing,
            How::NotStarted(_) => Cause::ToolError,
        };
        Err(Failure {
            cause,
            words: String::new(),
        })
    }
    fn headline(&self) -> &'static str {
        "start"
    }
}

/// A cell as generated: from, to, by virtual IP, repeat, retries, with cooldown.
type Shape = (usize, usize, bool, Repeat, u32, bool);

const ONCE: Repeat = Repeat::Times(1);
const LISTED: Policy = Policy {
    order: plan::Order::Listed,
    seed: 0,
    concurrency: Concurrency::Serial,
};

fn tasks(shapes: &[Shape]) -> Vec<Task> {
    let task = |(i, &(from, to, virtual_ip, repeat, retries, cool)): (usize, &Shape)| {
        let cell = format!("cell-{i}");
        let timing = Timing {
            duration: plan::units::Duration(Duration::from_secs(1)),
            warmup: plan::units::Duration::default(),
            cooldown: plan::units::Duration(Duration::from_secs(u64::from(cool))),
            timeout: None,
            retries,
            repeat,
        };
        Task {
            cell: CellId(cell.clone()),
            params: Params::default(),
            line: Arc::new(Line {
                path: "p".to_owned(),
                from: WORKERS[from].to_owned(),
                to: WORKERS[to].to_owned(),
                via: if virtual_ip {
                    Via::ClusterIp
                } else {
                    Via::PodIp
                },
                slot: 0,
                circumstances: Circumstances::default(),
                work: Arc::new(Work {
                    timing,
                    find: None,
                    tool: Box::new(Fake { cell }),
                    deadline: Duration::from_secs(10),
                }),
            }),
        }
    };
    shapes.iter().enumerate().map(task).collect()
}

fn fresh(shapes: &[Shape], policy: Policy, events: &[EventKind]) -> State {
    let workers = WORKERS.map(str::to_owned);
    State::new(tasks(shapes), workers, policy, Limits::default(), events)
}

/// What the workers really do, and what is under way to the orchestrator.
struct World {
    state: State,
    shapes: Vec<Shape>,
    policy: Policy,
    /// Those that live, by worker.
    sessions: BTreeMap<&'static str, Session>,
    places: HashMap<Session, Place>,
    /// Those that live and obey no more.
    deaf: HashSet<Session>,
    /// Those that the orchestrator was told, or itself decided, to be over.
    over: HashSet<Session>,
    /// What the orchestrator believes, by worker.
    believed: HashMap<String, Session>,
    next_session: u64,
    servers: Vec<(Process, String, bool)>,
    clients: Vec<(Process, Vec<String>, u64)>,
    /// The nodes that each client loads, by start.
    loads: HashMap<u64, [String; 2]>,
    next_start: u64,
    were_ready: HashSet<String>,
    mail: Vec<Input>,
    delivered: Vec<Input>,
    timers: Vec<Timer>,
    journal: Vec<EventKind>,
    starts_seen: HashSet<u64>,
    finished: bool,
    cancelled: bool,
}

impl World {
    fn new(shapes: &[Shape], policy: Policy, events: &[EventKind]) -> Self {
        let mut world = Self {
            state: fresh(shapes, policy, events),
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

    fn deliver(&mut self, input: Input) {
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
        let commands = self.state.on(Timestamp::UNIX_EPOCH, input);
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
            assert_eq!(words[0], sample.cell.0, "another cell's result");
            assert_eq!(&sample.command[1..], &words[..2]);
            assert_eq!(sample.metrics.get("start"), words[2].parse().ok());
            let start = words[2].parse().unwrap();
            assert!(
                self.starts_seen.insert(start),
                "one client gave two samples"
            );
        }
        self.journal.push(kind);
    }

    fn end_server(&mut self, process: Process, how: How) {
        if let Some(i) = self.servers.iter().position(|(p, ..)| *p == process) {
            self.servers.remove(i);
            self.mail.push(Input::ServerEnded {
                session: process.session,
                step: process.step,
                ended: Ended {
                    how,
                    stdout: Vec::new(),
                    stderr: Vec::new(),
                },
                observed: Some(SERVER_SAW),
            });
        }
    }

    fn end_client(&mut self, process: Process, how: How) {
        if let Some(i) = self.clients.iter().position(|(p, ..)| *p == process) {
            let (_, argv, start) = self.clients.remove(i);
            self.mail.push(Input::ClientEnded {
                session: process.session,
                step: process.step,
                ended: Ended {
                    how,
                    stdout: format!("{} {} {start}", argv[1], argv[2]).into_bytes(),
                    stderr: Vec::new(),
                },
                wall: Duration::from_secs(1),
                tcp: None,
                observed: None,
            });
        }
    }

    /// What happens to a worker whose session ends: all that it ran is gone.
    fn kill(&mut self, session: Session) {
        self.sessions.retain(|_, living| *living != session);
        self.servers.retain(|(p, ..)| p.session != session);
        self.clients.retain(|(p, ..)| p.session != session);
    }

    fn join(&mut self, worker: &'static str, pick: usize) {
        let session = Session(self.next_session);
        self.next_session += 1;
        let tools = [("fake".to_owned(), "1".to_owned())];
        let place = Place {
            node: format!("n{}", pick / 7 % 4),
            pod_ip: format!("10.0.0.{}", session.0),
            cluster_ip: (!pick.is_multiple_of(11)).then(|| format!("10.1.0.{}", session.0)),
            environment: WorkerEnvironment {
                tools: tools.into_iter().filter(|_| pick % 7 != 1).collect(),
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
    }

    fn vanish(&mut self, worker: &'static str) {
        if let Some(session) = self.sessions.get(worker).copied() {
            self.kill(session);
            self.mail.push(Input::WorkerLeft {
                worker: worker.to_owned(),
                session,
            });
        }
    }

    fn act(&mut self, kind: u8, pick: usize) {
        let worker = WORKERS[pick % WORKERS.len()];
        let of = |len: usize| (len > 0).then(|| pick % len.max(1));
        match kind {
            0..=5 if !self.sessions.contains_key(worker) => self.join(worker, pick),
            6 => self.vanish(worker),
            7 => {
                self.vanish(worker);
                self.join(worker, pick);
            }
            8..=19 if !self.mail.is_empty() => {
                let input = self.mail.remove(0);
                self.deliver(input);
            }
            20..=23 => {
                if let Some(i) = of(self.mail.len()) {
                    let input = self.mail.remove(i);
                    self.deliver(input);
                }
            }
            24..=26 => {
                if let Some(i) = of(self.delivered.len()) {
                    self.deliver(self.delivered[i].clone());
                }
            }
            27 => {
                if let Some(i) = of(self.mail.len()) {
                    self.mail.remove(i);
                }
            }
            28..=35 => self.ready(pick),
            36..=43 => {
                if let Some(i) = of(self.clients.len()) {
                    let how = match pick % 9 {
                        0..=4 => How::Code(0),
                        5 => How::Deadline,
                        6 => How::Signal(9),
                        7 => How::NotFound("client".to_owned()),
                        _ => How::Code(i32::try_from(pick / 9).unwrap_or(1).max(1)),
                    };
                    self.end_client(self.clients[i].0, how);
                }
            }
            44..=45 => {
                if let Some(i) = of(self.servers.len()) {
                    let how = [
                        How::Code(1),
                        How::Deadline,
                        How::NotStarted("no".to_owned()),
                    ];
                    self.end_server(self.servers[i].0, how[pick / 7 % 3].clone());
                }
            }
            46 => {
                if let Some(&timer) = self.timers.last() {
                    self.deliver(Input::TimerFired(timer));
                }
            }
            47 => {
                if let Some(i) = of(self.timers.len()) {
                    self.deliver(Input::TimerFired(self.timers[i]));
                }
            }
            48 if pick.is_multiple_of(8) => self.deliver(Input::Cancel),
            49 => {
                if let Some(input) = self.mail.first() {
                    self.deliver(input.clone());
                }
            }
            50 => self.deaf.extend(self.sessions.get(worker)),
            _ => {}
        }
    }

    fn ready(&mut self, pick: usize) {
        let len = self.servers.len();
        if len > 0 {
            let (process, cell, ready) = &mut self.servers[pick % len];
            if !*ready {
                *ready = true;
                self.were_ready.insert(cell.clone());
                self.mail.push(Input::ServerReady {
                    session: process.session,
                    step: process.step,
                });
            }
        }
    }

    /// From here on all goes well; the run must come to its end.
    fn end_well(&mut self) {
        for (i, worker) in WORKERS.into_iter().enumerate() {
            self.vanish(worker);
            // Nearly all on nodes of their own.
            self.join(worker, 2 + 77 * i);
        }
        for _ in 0..10_000 {
            if self.finished {
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
                self.join(missing, 2);
            } else if !self.timers.is_empty() {
                let timer = self.timers.remove(0);
                self.deliver(Input::TimerFired(timer));
            }
        }
        panic!("the run does not end: {:?}", self.state.phase);
    }
}

/// What the journal has said of a cell so far.
#[derive(Clone, Default)]
struct Told {
    values: Vec<f64>,
    /// Attempts begun of the sample that comes next.
    attempts: u32,
    /// The last one has not ended.
    running: bool,
    /// Those of the attempt that runs.
    nodes: [String; 2],
    ended: bool,
}

/// The journal of a run that has ended says exactly one thing of each cell, and samples were taken
/// in the plan's order, one at a time; or side by side on nodes of their own. The orchestrator may
/// have been started again before the event `restart`.
fn check(
    journal: &[EventKind],
    shapes: &[Shape],
    policy: Policy,
    cancelled: bool,
    restart: Option<usize>,
) {
    let serial = policy.concurrency == Concurrency::Serial;
    let restarts = u32::from(restart.is_some());
    let mut cells = vec![Told::default(); shapes.len()];
    let mut node_of: HashMap<&str, &str> = HashMap::new();
    let index = |cell: &CellId| -> usize { cell.0.trim_start_matches("cell-").parse().unwrap() };
    for (i, event) in journal.iter().enumerate() {
        if Some(i) == restart {
            cells.iter_mut().for_each(|cell| cell.running = false);
        }
        if let Some(cell) = cell_of(event) {
            assert!(!cells[index(cell)].ended, "after the cell's end: {event:?}");
        }
        match event {
            EventKind::SampleStarted {
                cell,
                sample,
                attempt,
            } => {
                let index = index(cell);
                let (from, to, ..) = shapes[index];
                let nodes = [from, to].map(|at| node_of[WORKERS[at]].to_owned());
                if serial {
                    check_turn(&cells, index, policy);
                }
                for other in cells.iter().filter(|other| other.running) {
                    let shared = other.nodes.iter().any(|node| nodes.contains(node));
                    assert!(!serial && !shared, "the attempt before has no end");
                }
                let told = &mut cells[index];
                told.nodes = nodes;
                let taken = u32::try_from(told.values.len()).unwrap();
                assert_eq!((*sample, *attempt), (taken + 1, told.attempts + 1));
                let most = shapes[index].4 + 1 + MAX_LOSSES + restarts;
                assert!(*attempt <= most, "attempt {attempt} of at most {most}");
                told.attempts = *attempt;
                told.running = true;
            }
            EventKind::Sample(done) => {
                let told = &mut cells[index(&done.cell)];
                assert!(told.running, "a sample that was not started");
                let taken = u32::try_from(told.values.len()).unwrap();
                assert_eq!((done.sample, done.attempt), (taken + 1, told.attempts));
                told.values.extend(done.metrics.get("start"));
                told.attempts = 0;
                told.running = false;
            }
            EventKind::AttemptFailed {
                cell,
                sample,
                attempt,
                ..
            } => {
                let told = &mut cells[index(cell)];
                assert!(told.running, "a failure of what was not started");
                let taken = u32::try_from(told.values.len()).unwrap();
                assert_eq!((*sample, *attempt), (taken + 1, told.attempts));
                told.running = false;
            }
            EventKind::CellEnded { cell, outcome } => {
                let index = index(cell);
                let told = &mut cells[index];
                assert!(!told.running, "ended amid an attempt");
                if let Outcome::Measured {
                    samples, reached, ..
                } = outcome
                {
                    assert_eq!(*samples as usize, told.values.len());
                    check_enough(shapes[index].3, &told.values, *reached);
                }
                told.ended = true;
            }
            EventKind::WorkerJoined { worker, node, .. } => {
                node_of.insert(worker, node);
            }
            EventKind::RunEnded { cancelled } => {
                assert_eq!(i + 1, journal.len(), "something follows the run's end");
                assert_eq!(*cancelled, cells.iter().any(|cell| !cell.ended));
            }
            _ => {}
        }
    }
    assert!(matches!(journal.last(), Some(EventKind::RunEnded { .. })));
    assert!(
        cancelled || cells.iter().all(|cell| cell.ended),
        "cells without an end"
    );
}

/// No cell that has not ended had its turn before this one.
fn check_turn(cells: &[Told], started: usize, policy: Policy) {
    let place = |(i, cell): (usize, &Told)| {
        let round = match policy.order {
            plan::Order::Listed => 0,
            plan::Order::Interleaved | plan::Order::Shuffled => cell.values.len(),
        };
        let within = match policy.order {
            plan::Order::Listed | plan::Order::Interleaved => i,
            // The random order is the affair of the turns' own tests.
            plan::Order::Shuffled => 0,
        };
        // What was tried is tried again before anything else.
        (cell.attempts == 0, round, within)
    };
    let left = cells.iter().enumerate().filter(|(_, cell)| !cell.ended);
    let first = left.map(place).min();
    assert_eq!(
        first,
        Some(place((started, &cells[started]))),
        "not its turn"
    );
}

/// The cell was measured as often as it takes, and no more.
fn check_enough(repeat: Repeat, values: &[f64], reached: Option<bool>) {
    match (repeat, values.split_last()) {
        (Repeat::Times(times), _) => {
            assert_eq!((values.len(), reached), (times as usize, None));
        }
        (Repeat::Until(until), Some((_, before))) => {
            let is = match decide(&until, values) {
                Decision::Reached => Some(true),
                Decision::GivenUp => Some(false),
                Decision::More => None,
            };
            assert_eq!(is, reached);
            assert_eq!(decide(&until, before), Decision::More);
        }
        (Repeat::Until(_), None) => panic!("measured without a sample"),
    }
}

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = (
        0..WORKERS.len(),
        0..WORKERS.len(),
        any::<bool>(),
        repeat(),
        0..3_u32,
        prop::bool::weighted(0.2),
    );
    prop::collection::vec(shape, 1..6)
}

fn repeat() -> impl Strategy<Value = Repeat> {
    let until = (2..4_u32, 0..3_u32, 1.0..200.0).prop_map(|(min, more, percent)| {
        Repeat::Until(Until {
            min,
            max: min + more,
            until: plan::units::Percent(percent),
        })
    });
    prop_oneof![3 => (1..3_u32).prop_map(Repeat::Times), 1 => until]
}

fn policy() -> impl Strategy<Value = Policy> {
    let order = prop::sample::select(vec![
        plan::Order::Listed,
        plan::Order::Interleaved,
        plan::Order::Shuffled,
    ]);
    let concurrency = prop::sample::select(vec![Concurrency::Serial, Concurrency::DisjointNodes]);
    (order, any::<u64>(), concurrency).prop_map(|(order, seed, concurrency)| Policy {
        order,
        seed,
        concurrency,
    })
}

fn actions() -> impl Strategy<Value = Vec<(u8, usize)>> {
    prop::collection::vec((0..51_u8, 0..1000_usize), 0..250)
}

#[test]
fn a_worker_that_does_not_stop_its_client_is_disconnected() {
    let mut world = World::new(
        &[(0, 1, false, ONCE, 0, false), (2, 1, false, ONCE, 0, false)],
        LISTED,
        &[],
    );
    let settle = |world: &mut World| {
        while !world.mail.is_empty() {
            let input = world.mail.remove(0);
            world.deliver(input);
        }
    };
    let _ = WORKERS.map(|worker| world.join(worker, 2));
    settle(&mut world);
    world.ready(0);
    settle(&mut world);
    let hung = world.sessions["w1"];
    world.deaf.insert(hung);
    for _ in ["the client's deadline", "the stop's"] {
        assert!(world.clients.iter().any(|(p, ..)| p.session == hung));
        let timer = *world.timers.last().unwrap();
        world.deliver(Input::TimerFired(timer));
        settle(&mut world);
    }
    assert!(world.over.contains(&hung));
    world.ready(0);
    settle(&mut world);
    assert_eq!(world.clients[0].1[1], "cell-1");
    world.end_well();
    check(&world.journal, &world.shapes, LISTED, false, None);
}

#[test]
fn the_first_sample_waits_a_moment_for_workers_that_no_cell_needs() {
    for third_comes in [true, false] {
        let mut world = World::new(&[(0, 1, false, ONCE, 0, false)], LISTED, &[]);
        for worker in ["w1", "w2", "w4", "w5"] {
            world.join(worker, 2);
            let joined = world.mail.remove(0);
            world.deliver(joined);
        }
        assert!(world.servers.is_empty());
        let input = if third_comes {
            world.join("w3", 2);
            world.mail.remove(0)
        } else {
            Input::TimerFired(*world.timers.last().unwrap())
        };
        world.deliver(input);
        assert_eq!(world.servers.len(), 1);
    }
}

#[test]
fn a_sample_waits_for_what_its_server_saw_and_outlives_its_worker() {
    for server_stays in [true, false] {
        let mut world = World::new(&[(0, 1, false, Repeat::Times(1), 0, false)], LISTED, &[]);
        let _ = WORKERS.map(|worker| world.join(worker, 2));
        for _ in WORKERS {
            let input = world.mail.remove(0);
            world.deliver(input);
        }
        world.ready(0);
        let ready = world.mail.remove(0);
        world.deliver(ready);
        world.end_client(world.clients[0].0, How::Code(0));
        let done = world.mail.remove(0);
        world.deliver(done);
        let samples = |world: &World| {
            let of = |kind: &EventKind| match kind {
                EventKind::Sample(sample) => Some(sample.clone()),
                _ => None,
            };
            world.journal.iter().filter_map(of).collect::<Vec<_>>()
        };
        assert!(samples(&world).is_empty(), "the server has not answered");
        if !server_stays {
            // It ended all the same, but its word is lost with it.
            world.mail.clear();
            world.vanish("w2");
        }
        let end = world.mail.remove(0);
        world.deliver(end);
        let sample = &samples(&world)[0];
        let saw = sample.metrics.get("observed_s.server");
        assert_eq!(saw, server_stays.then_some(1.5));
        world.end_well();
        check(&world.journal, &world.shapes, LISTED, false, None);
    }
}

#[test]
fn what_was_measured_when_cancel_came_is_kept_once() {
    let mut world = World::new(&[(0, 1, false, Repeat::Times(2), 0, false)], LISTED, &[]);
    let _ = WORKERS.map(|worker| world.join(worker, 2));
    for _ in WORKERS {
        let input = world.mail.remove(0);
        world.deliver(input);
    }
    world.ready(0);
    let ready = world.mail.remove(0);
    world.deliver(ready);
    world.end_client(world.clients[0].0, How::Code(0));
    world.deliver(Input::Cancel);
    let done = world.mail.remove(0);
    world.deliver(done.clone());
    world.deliver(done);
    assert!(!world.finished, "the server may still live");
    let timer = *world.timers.last().unwrap();
    world.deliver(Input::TimerFired(timer));
    assert!(world.finished);
    check(&world.journal, &world.shapes, LISTED, true, None);
    assert_eq!(world.starts_seen.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_ends_with_each_cell_ended_once(
        shapes in shapes(),
        policy in policy(),
        actions in actions(),
    ) {
        let mut world = World::new(&shapes, policy, &[]);
        for (kind, pick) in actions {
            world.act(kind, pick);
        }
        world.end_well();
        check(&world.journal, &shapes, policy, world.cancelled, None);
    }

    #[test]
    fn a_run_that_is_cut_off_anywhere_goes_on(
        shapes in shapes(),
        policy in policy(),
        actions in actions(),
        cut in 0..1000_usize,
        more in actions(),
    ) {
        let mut world = World::new(&shapes, policy, &[]);
        for (kind, pick) in actions {
            if kind != 48 {
                world.act(kind, pick);
            }
        }
        let mut journal = world.journal;
        journal.retain(|event| !matches!(event, EventKind::RunEnded { .. }));
        journal.truncate(cut % (journal.len() + 1));
        let cut = journal.len();
        let mut world = World::new(&shapes, policy, &journal);
        for (kind, pick) in more {
            world.act(kind, pick);
        }
        world.end_well();
        journal.append(&mut world.journal);
        check(&journal, &shapes, policy, world.cancelled, Some(cut));
    }
}
