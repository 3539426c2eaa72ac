//! Thousands of random histories against the state: messages late, doubled, lost and out of order,
//! workers that vanish and come back elsewhere, tools that fail in every way, late timers, Cancel.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::progress::{MAX_LOSSES, MAX_NOT_READY};
use super::*;
use crate::plan::{self, Timing, Via};
use crate::results::WorkerEnvironment;
use crate::schedule::{CellId, Params};
use crate::tools::{Cause, Client, Ended, Failure, How, Job, Metrics, Port, Program, Server, Tool};

const WORKERS: [&str; 3] = ["w1", "w2", "w3"];

/// Its client says on stdout which cell it ran for, where it went, and which start it was.
#[derive(Debug)]
struct Fake {
    cell: String,
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
type Shape = (usize, usize, bool, u32, u32, bool);

fn tasks(shapes: &[Shape]) -> Vec<Task> {
    let task = |(i, &(from, to, virtual_ip, repeat, retries, cool)): (usize, &Shape)| {
        let cell = format!("cell-{i}");
        Task {
            cell: CellId(cell.clone()),
            params: Params::default(),
            path: "p".to_owned(),
            from: WORKERS[from].to_owned(),
            to: WORKERS[to].to_owned(),
            via: if virtual_ip {
                Via::ClusterIp
            } else {
                Via::PodIp
            },
            slot: 0,
            timing: Timing {
                duration: plan::units::Duration(Duration::from_secs(1)),
                warmup: plan::units::Duration::default(),
                cooldown: plan::units::Duration(Duration::from_secs(u64::from(cool))),
                timeout: None,
                retries,
                repeat,
            },
            tool: Box::new(Fake { cell }),
            deadline: Duration::from_secs(10),
        }
    };
    shapes.iter().enumerate().map(task).collect()
}

fn fresh(shapes: &[Shape], events: &[EventKind]) -> State {
    let workers = WORKERS.map(str::to_owned);
    State::new(tasks(shapes), workers, Limits::default(), events)
}

/// What the workers really do, and what is under way to the orchestrator.
struct World {
    state: State,
    clock: Timestamp,
    shapes: Vec<Shape>,
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
    fn new(shapes: &[Shape], events: &[EventKind]) -> Self {
        let mut world = Self {
            state: fresh(shapes, events),
            clock: Timestamp::UNIX_EPOCH,
            shapes: shapes.to_vec(),
            sessions: BTreeMap::new(),
            places: HashMap::new(),
            deaf: HashSet::new(),
            over: HashSet::new(),
            believed: HashMap::new(),
            next_session: 1,
            servers: Vec::new(),
            clients: Vec::new(),
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
                assert!(
                    self.clients.is_empty(),
                    "two clients at once: {:?}",
                    self.clients
                );
                let cell = &client.argv[1];
                assert!(
                    self.were_ready.contains(cell),
                    "client before its server: {cell}"
                );
                let index: usize = cell.trim_start_matches("cell-").parse().unwrap();
                let (_, to, virtual_ip, ..) = self.shapes[index];
                let place = &self.places[&self.believed[WORKERS[to]]];
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
            node: "n".to_owned(),
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
        let worker = WORKERS[pick % 3];
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
        for worker in WORKERS {
            self.vanish(worker);
            self.join(worker, 2);
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
            } else if let Some(&timer) = self.timers.last() {
                self.deliver(Input::TimerFired(timer));
            }
        }
        panic!("the run does not end: {:?}", self.state.phase);
    }
}

/// The journal of a run that has ended says exactly one thing of each cell, in order.
fn check(journal: &[EventKind], shapes: &[Shape], cancelled: bool, restarts: u32) {
    let mut ended: Vec<&CellId> = Vec::new();
    // The cell that is under way: sample, attempts begun, one that has not ended, samples.
    let mut open: Option<(&CellId, u32, u32, bool, u32)> = None;
    for (i, event) in journal.iter().enumerate() {
        if let Some(cell) = cell_of(event) {
            assert!(!ended.contains(&cell), "after the cell's end: {event:?}");
            assert!(
                open.is_none_or(|(now, ..)| now == cell),
                "amid another cell: {event:?}"
            );
        }
        match event {
            EventKind::SampleStarted {
                cell,
                sample,
                attempt,
            } => {
                let (_, now, attempts, running, samples) = open.unwrap_or((cell, 1, 0, false, 0));
                assert!(!running || restarts > 0, "the attempt before has no end");
                assert_eq!((*sample, *attempt), (now, attempts + 1));
                let index: usize = cell.0.trim_start_matches("cell-").parse().unwrap();
                let by_service = if shapes[index].2 { MAX_NOT_READY } else { 0 };
                let most = shapes[index].4 + 1 + MAX_LOSSES + by_service + restarts;
                assert!(*attempt <= most, "attempt {attempt} of at most {most}");
                open = Some((cell, now, *attempt, true, samples));
            }
            EventKind::Sample(done) => {
                let (cell, sample, attempt, running, samples) = open.expect("it was started");
                assert!(running, "a sample that was not started");
                assert_eq!((done.sample, done.attempt), (sample, attempt));
                open = Some((cell, sample + 1, 0, false, samples + 1));
            }
            EventKind::AttemptFailed {
                sample, attempt, ..
            } => {
                let (cell, now, attempts, running, samples) = open.expect("it was started");
                assert!(running, "a failure of what was not started");
                assert_eq!((*sample, *attempt), (now, attempts));
                open = Some((cell, now, attempts, false, samples));
            }
            EventKind::CellEnded { cell, outcome } => {
                let (.., running, samples) = open.unwrap_or((cell, 1, 0, false, 0));
                assert!(!running || restarts > 0, "ended amid an attempt");
                if let Outcome::Measured { samples: said } = outcome {
                    let index: usize = cell.0.trim_start_matches("cell-").parse().unwrap();
                    assert_eq!((*said, samples), (shapes[index].3, shapes[index].3));
                }
                ended.push(cell);
                open = None;
            }
            EventKind::RunEnded { cancelled } => {
                assert_eq!(i + 1, journal.len(), "something follows the run's end");
                assert_eq!(*cancelled, ended.len() < shapes.len());
            }
            _ => {}
        }
    }
    assert!(matches!(journal.last(), Some(EventKind::RunEnded { .. })));
    assert!(
        cancelled || ended.len() == shapes.len(),
        "cells without an end"
    );
}

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = (
        0..3_usize,
        0..3_usize,
        any::<bool>(),
        1..3_u32,
        0..3_u32,
        prop::bool::weighted(0.2),
    );
    prop::collection::vec(shape, 1..5)
}

fn actions() -> impl Strategy<Value = Vec<(u8, usize)>> {
    prop::collection::vec((0..51_u8, 0..1000_usize), 0..250)
}

#[test]
fn a_worker_that_does_not_stop_its_client_is_disconnected() {
    let mut world = World::new(
        &[(0, 1, false, 1, 0, false), (2, 1, false, 1, 0, false)],
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
    check(&world.journal, &world.shapes, false, 0);
}

#[test]
fn the_first_sample_waits_a_moment_for_workers_that_no_cell_needs() {
    for third_comes in [true, false] {
        let mut world = World::new(&[(0, 1, false, 1, 0, false)], &[]);
        for worker in ["w1", "w2"] {
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
fn a_service_that_leads_nowhere_yet_is_tried_again_but_not_for_ever() {
    let mut world = World::new(&[(0, 1, true, 1, 0, false)], &[]);
    let settle = |world: &mut World| {
        while !world.mail.is_empty() {
            let input = world.mail.remove(0);
            world.deliver(input);
        }
    };
    let _ = WORKERS.map(|worker| world.join(worker, 2));
    settle(&mut world);
    for seconds in [0, 20, 40] {
        world.clock = Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        world.ready(0);
        settle(&mut world);
        world.end_client(world.clients[0].0, How::Code(6));
        settle(&mut world);
        // The server is gone too, and the pause over.
        while world.clients.is_empty() && world.servers.is_empty() && !world.finished {
            let timer = *world.timers.last().unwrap();
            world.deliver(Input::TimerFired(timer));
            settle(&mut world);
        }
    }
    let causes: Vec<Cause> = world
        .journal
        .iter()
        .filter_map(|event| match event {
            EventKind::AttemptFailed { failure, .. } => Some(failure.cause),
            _ => None,
        })
        .collect();
    assert_eq!(
        causes,
        [
            Cause::ServiceNotReady,
            Cause::ServiceNotReady,
            Cause::Refused
        ]
    );
    check(&world.journal, &world.shapes, false, 0);
}

#[test]
fn what_was_measured_when_cancel_came_is_kept_once() {
    let mut world = World::new(&[(0, 1, false, 2, 0, false)], &[]);
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
    check(&world.journal, &world.shapes, true, 0);
    assert_eq!(world.starts_seen.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_ends_with_each_cell_ended_once(shapes in shapes(), actions in actions()) {
        let mut world = World::new(&shapes, &[]);
        for (kind, pick) in actions {
            world.act(kind, pick);
        }
        world.end_well();
        check(&world.journal, &shapes, world.cancelled, 0);
    }

    #[test]
    fn a_run_that_is_cut_off_anywhere_goes_on(
        shapes in shapes(),
        actions in actions(),
        cut in 0..1000_usize,
        more in actions(),
    ) {
        let mut world = World::new(&shapes, &[]);
        for (kind, pick) in actions {
            if kind != 48 {
                world.act(kind, pick);
            }
        }
        let mut journal = world.journal;
        journal.retain(|event| !matches!(event, EventKind::RunEnded { .. }));
        journal.truncate(cut % (journal.len() + 1));
        let mut world = World::new(&shapes, &journal);
        for (kind, pick) in more {
            world.act(kind, pick);
        }
        world.end_well();
        journal.append(&mut world.journal);
        check(&journal, &shapes, world.cancelled, 1);
    }
}
