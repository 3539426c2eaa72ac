//! The orchestrator over loopback, with workers that are made here and run no processes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's helpers fail like the test"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netplan::diag::Source;
use netplan::orchestrator::state::Limits;
use netplan::orchestrator::{self, Copies, Error, Linger, Settings};
use netplan::results::archive::{self, ArchiveError};
use netplan::results::warnings::Kind;
use netplan::results::{
    Event, EventKind, Journal, Outcome, RunDir, VERSION, Warning, WorkerEnvironment, journal,
};
use netplan::rpc::pb::from_worker::Message;
use netplan::rpc::pb::to_worker::Message as Order;
use netplan::rpc::pb::{self, FromWorker, Hello, ToWorker};
use netplan::rpc::{Client, Identity, RunIdentities, connect, connect_over, exit};
use netplan::tools::{Cause, Ended, How};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::support::{NETPLAN, wait_for};

const SOON: Duration = Duration::from_secs(20);

const PLAN: &str = "
version: 1
name: small
workers: { w1: {}, w2: {} }
paths:
  - { name: there, from: w1, to: w2, via: pod_ip }
  - { name: hairpin, from: w2, to: w2, via: cluster_ip }
defaults: { duration: 1s, retries: 0 }
tests:
  - iperf3: { protocol: tcp, mss: [536, 1000] }
";
const CELLS: usize = 4;

pub const GOOD: &[u8] = include_bytes!("../data/iperf3-3.18/tcp-ok-against-oneoff.json");

/// An orchestrator that runs, and what one needs to talk to it.
struct Run {
    address: SocketAddr,
    identities: RunIdentities,
    folder: TempDir,
    said: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<Result<(), Error>>,
}

impl Run {
    async fn start() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap()).await
    }

    async fn in_folder(folder: TempDir) -> Self {
        Self::that_lingers(folder, Duration::from_millis(50)).await
    }

    async fn that_lingers(folder: TempDir, alone: Duration) -> Self {
        Self::with(folder, alone, None).await
    }

    /// One that waits for workers, and has one of them hold a copy of the journal.
    async fn that_copies() -> Self {
        let copies = Copies {
            patience: SOON,
            node: Some("n1".to_owned()),
        };
        Self::with(tempfile::tempdir().unwrap(), SOON, Some(copies)).await
    }

    async fn with(folder: TempDir, alone: Duration, copies: Option<Copies>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let identities = RunIdentities::issue("r1", &["w1", "w2"]).unwrap();
        let settings = Settings {
            run: "r1".to_owned(),
            plan: Source::new("plan.yaml", PLAN),
            only: None,
            forbidden: Vec::new(),
            identity: identities.orchestrator.clone(),
            journal: folder.path().join("run"),
            resume: None,
            copies,
            salt: 1,
            limits: Limits::default(),
            linger: Linger {
                alone,
                attended: SOON,
                uncollected: SOON,
            },
        };
        let said = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let lines = said.clone();
        let done = tokio::spawn(orchestrator::run(
            settings,
            listener,
            async {
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            },
            move |line: &str| lines.lock().unwrap().push(line.to_owned()),
            |events: &[Event]| format!("report of {} events", events.len()),
        ));
        Self {
            address,
            identities,
            folder,
            said,
            stop: Some(stop),
            done,
        }
    }

    async fn client(&self, identity: &Identity) -> Client {
        connect(&self.address.to_string(), identity).await.unwrap()
    }

    async fn worker(&self, index: usize) -> Worker {
        let identity = &self.identities.workers[index];
        let hello = hello(&identity.role, index);
        let client = self.client(identity).await;
        Worker::join(client, hello).await.unwrap()
    }

    /// Two workers that do all that they are told, and succeed.
    async fn good_workers(&self) -> [JoinHandle<()>; 2] {
        let (w1, w2) = (self.worker(0).await, self.worker(1).await);
        [tokio::spawn(w1.obey()), tokio::spawn(w2.obey())]
    }

    async fn end(self) -> (TempDir, Vec<Event>, Vec<String>) {
        timeout(SOON, self.done).await.unwrap().unwrap().unwrap();
        let events = events(self.folder.path());
        let said = self.said.lock().unwrap().clone();
        (self.folder, events, said)
    }
}

fn events(folder: &Path) -> Vec<Event> {
    journal::read(&folder.join("run")).unwrap().events
}

pub fn hello(worker: &str, index: usize) -> Hello {
    let environment = WorkerEnvironment {
        tools: [("iperf3".to_owned(), "3.18".to_owned())].into(),
        ..WorkerEnvironment::default()
    };
    Hello {
        worker: worker.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pod_ip: format!("10.0.0.{}", index + 1),
        cluster_ip: format!("10.96.0.{}", index + 1),
        node: "n1".to_owned(),
        environment_json: serde_json::to_string(&environment).unwrap(),
        epoch: 0,
        copy: None,
        ..Hello::default()
    }
}

/// A worker's session in the hands of a test.
pub struct Worker {
    orders: Streaming<ToWorker>,
    answers: mpsc::Sender<FromWorker>,
    /// What its tools print besides.
    pub padding: usize,
    /// What all its interfaces carry in a sample.
    carried_bytes: Option<u64>,
}

/// The ports that iperf3 is reached on, some paths to a worker.
const IPERF3_PORTS: std::ops::Range<u32> = 5201..5301;

impl Worker {
    pub async fn join(mut client: Client, hello: Hello) -> Result<Self, Status> {
        let (answers, outgoing) = mpsc::channel(16);
        let message = Some(Message::Hello(hello));
        answers.send(FromWorker { message }).await.unwrap();
        let orders = client.work(ReceiverStream::new(outgoing)).await?;
        Ok(Self {
            orders: orders.into_inner(),
            answers,
            padding: 0,
            carried_bytes: None,
        })
    }

    /// The next order. Something listens on the ports of iperf3 here, so that no segments are exchanged first.
    async fn order(&mut self) -> Option<Order> {
        loop {
            let order = timeout(SOON, self.orders.message())
                .await
                .expect("an order");
            match order.ok()??.message.unwrap() {
                Order::Accept(accept) if IPERF3_PORTS.contains(&accept.port) => {
                    let in_use = pb::Accepting {
                        step: accept.step,
                        problem: "in use".to_owned(),
                    };
                    self.answer(Message::Accepting(in_use)).await;
                }
                order => return Some(order),
            }
        }
    }

    async fn answer(&self, message: Message) {
        let message = Some(message);
        // Nobody may be there any more.
        let _ = self.answers.send(FromWorker { message }).await;
    }

    /// Does what it is told until goodbye; every client measures.
    async fn obey(self) {
        self.obey_at(Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)))
            .await;
    }

    /// The same, but a client only ends when the pace has a permit for it.
    pub async fn obey_at(mut self, pace: Arc<Semaphore>) {
        let mut server = None;
        let mut client = None;
        loop {
            let order = tokio::select! {
                order = self.order() => order,
                permit = pace.acquire(), if client.is_some() => {
                    permit.unwrap().forget();
                    let message = measured(client.take().unwrap(), &self);
                    self.answer(message).await;
                    continue;
                }
            };
            match order.expect("the stream broke") {
                Order::StartServer(start) => {
                    server = Some(start.step);
                    let ready = pb::ServerReady { step: start.step };
                    self.answer(Message::ServerReady(ready)).await;
                }
                Order::RunClient(run) => client = Some(run.step),
                Order::Stop(stop) if server.take_if(|step| *step == stop.step).is_some() => {
                    self.answer(stopped(stop.step, self.carried_bytes)).await;
                }
                Order::Stop(stop) => drop(client.take_if(|step| *step == stop.step)),
                Order::Forget(_) => panic!("iperf3 does not outlive sessions"),
                // Nothing keeps the connection from being made.
                Order::Accept(accept) => {
                    let accepting = pb::Accepting {
                        step: accept.step,
                        problem: String::new(),
                    };
                    self.answer(Message::Accepting(accepting)).await;
                }
                Order::TryConnection(connect) => {
                    let tried = pb::ConnectionTried {
                        step: connect.step,
                        connected: true,
                    };
                    self.answer(Message::ConnectionTried(tried)).await;
                }
                Order::TestPaths(_) => panic!("nothing accepts connections"),
                Order::Hold(_) | Order::SendCopy(_) => panic!("this worker holds no copy"),
                Order::Goodbye(_) => return,
            }
        }
    }
}

fn measured(step: u64, worker: &Worker) -> Message {
    Message::ClientEnded(pb::ClientEnded {
        step,
        exit: Some(exit(Ended::new(
            How::Code(0),
            [GOOD, &vec![b' '; worker.padding]].concat(),
            "",
        ))),
        wall_us: 1_050_000,
        tcp: Some(pb::TcpInfo {
            snd_mss: 524,
            ..pb::TcpInfo::default()
        }),
        observed: Some(observed(1_060_000, 61.5, worker.carried_bytes)),
    })
}

fn observed(window_us: u64, busy_percent: f64, carried_bytes: Option<u64>) -> pb::Observed {
    pb::Observed {
        window_us,
        cpu: Some(pb::Cpu {
            busy_percent,
            steal_percent: 0.0,
        }),
        all_traffic: carried_bytes.map(|bytes| pb::Traffic {
            received_bytes: bytes / 10,
            sent_bytes: bytes,
            ..pb::Traffic::default()
        }),
        ..pb::Observed::default()
    }
}

fn stopped(step: u64, carried_bytes: Option<u64>) -> Message {
    Message::ServerEnded(pb::ServerEnded {
        step,
        exit: Some(exit(Ended::silent(How::Stopped))),
        observed: Some(observed(1_070_000, 97.0, carried_bytes)),
    })
}

async fn watch(client: &mut Client, from_seq: u64) -> Streaming<pb::Record> {
    let request = pb::WatchRequest { from_seq };
    client.watch(request).await.unwrap().into_inner()
}

async fn next(records: &mut Streaming<pb::Record>) -> Option<pb::Record> {
    timeout(SOON, records.message()).await.unwrap().unwrap()
}

fn outcomes(events: &[Event]) -> Vec<&Outcome> {
    let outcome = |event| match event {
        &Event {
            kind: EventKind::CellEnded { ref outcome, .. },
            ..
        } => Some(outcome),
        _ => None,
    };
    events.iter().filter_map(outcome).collect()
}

fn all_measured(events: &[Event]) {
    let outcomes = outcomes(events);
    assert_eq!(outcomes.len(), CELLS);
    for outcome in outcomes {
        assert!(
            matches!(outcome, Outcome::Measured { samples: 1, .. }),
            "{outcome:?}"
        );
    }
    let last = &events.last().unwrap().kind;
    assert!(matches!(last, EventKind::RunEnded { cancelled: false }));
}

#[tokio::test]
async fn a_run_without_watchers_measures_everything_and_ends() {
    let run = Run::start().await;
    let workers = run.good_workers().await;
    for worker in workers {
        timeout(SOON, worker).await.unwrap().unwrap();
    }
    let (folder, events, said) = run.end().await;
    all_measured(&events);
    let sample = events.iter().find_map(|event| match &event.kind {
        EventKind::Sample(sample) => Some(sample),
        _ => None,
    });
    let sample = sample.unwrap();
    assert_eq!(sample.metrics.get("effective_mss"), Some(524.0));
    assert!((sample.wall_s - 1.05).abs() < 1e-9);
    assert!(
        sample.command.contains(&"10.0.0.2".into()),
        "{:?}",
        sample.command
    );
    let raw = folder
        .path()
        .join("run/raw")
        .join(sample.raw.as_ref().unwrap());
    assert_eq!(std::fs::read(raw).unwrap(), GOOD);
    assert_eq!(
        said.last().unwrap(),
        &format!("report of {} events", events.len())
    );
    assert!(
        said.iter()
            .any(|line| line.starts_with("[4/4] iperf3-tcp/hairpin/mss=1000: "))
    );
    // Nobody has taken the records: the log has them, and then says the end once more.
    let left = archive::decode(&said.join("\n")).unwrap();
    let journal = std::fs::read(folder.path().join("run/events.jsonl")).unwrap();
    assert_eq!(left.journal, journal);
    assert_eq!(left.raw.len(), CELLS);
    assert!(left.raw.iter().all(|(_, content)| content == GOOD));
    assert_eq!(said[said.len() - 2], "all 4 cells have ended");
}

#[tokio::test]
async fn a_watcher_that_comes_back_misses_nothing_and_sees_nothing_twice() {
    let run = Run::start().await;
    let mut client = run.client(&run.identities.client).await;
    let mut records = watch(&mut client, 0).await;
    let mut seen = Vec::new();
    seen.push(next(&mut records).await.unwrap());
    // The run cannot end while nobody watches.
    let pace = Arc::new(Semaphore::new(CELLS - 1));
    let workers = [run.worker(0).await, run.worker(1).await]
        .map(|worker| tokio::spawn(worker.obey_at(pace.clone())));
    for _ in 0..6 {
        seen.push(next(&mut records).await.unwrap());
    }
    drop((records, client));
    // The command line reaches it over a stream that a cluster gives.
    let stream = TcpStream::connect(run.address).await.unwrap();
    let mut client = connect_over(stream, &run.identities.client).await.unwrap();
    let mut records = watch(&mut client, seen.len() as u64).await;
    pace.add_permits(1);
    while let Some(record) = next(&mut records).await {
        seen.push(record);
    }
    for (i, record) in seen.iter().enumerate() {
        assert_eq!(record.seq, i as u64);
    }
    let raws = seen.iter().filter_map(|record| record.raw.as_ref());
    assert_eq!(raws.clone().count(), CELLS);
    assert!(raws.into_iter().all(|raw| raw.content == GOOD));
    assert!(
        !run.done.is_finished(),
        "it waits until everything is collected"
    );
    let through_seq = seen.len() as u64 - 1;
    client
        .collected(pb::CollectedRequest { through_seq })
        .await
        .unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    let (folder, events, said) = run.end().await;
    all_measured(&events);
    // They were collected: the log stays for people.
    let left = archive::decode(&said.join("\n"));
    assert!(matches!(left, Err(ArchiveError::None)), "{left:?}");
    let lines = std::fs::read_to_string(folder.path().join("run/events.jsonl")).unwrap();
    let watched: Vec<&str> = seen.iter().map(|record| record.line.as_str()).collect();
    assert_eq!(watched, lines.lines().collect::<Vec<_>>());
}

#[tokio::test]
async fn more_payload_than_interfaces_carried_is_a_failure_only_on_emulated_nodes() {
    // By the client's end, by the server's alone, and by neither.
    for (emulated, carried, contradicted) in [
        (true, [Some(1000), None], true),
        (true, [None, Some(1000)], true),
        (true, [Some(1 << 40), Some(1 << 40)], false),
        (false, [Some(1000), Some(1000)], true),
    ] {
        let run = Run::start().await;
        let mut workers = Vec::new();
        for (index, carried_bytes) in carried.into_iter().enumerate() {
            let identity = &run.identities.workers[index];
            let mut hello = hello(&identity.role, index);
            let environment: WorkerEnvironment =
                serde_json::from_str(&hello.environment_json).unwrap();
            let environment = WorkerEnvironment {
                emulated,
                ..environment
            };
            hello.environment_json = serde_json::to_string(&environment).unwrap();
            let client = run.client(identity).await;
            let mut worker = Worker::join(client, hello).await.unwrap();
            worker.carried_bytes = carried_bytes;
            workers.push(tokio::spawn(worker.obey()));
        }
        let (_folder, events, _) = run.end().await;
        let there = |event: &&Event| match &event.kind {
            EventKind::Sample(sample) => sample.path == "there",
            EventKind::AttemptFailed { cell, .. } => cell.0.contains("/there/"),
            _ => false,
        };
        let found: Vec<&Event> = events.iter().filter(there).collect();
        assert_eq!(found.len(), 2, "{events:?}");
        for event in found {
            match &event.kind {
                EventKind::AttemptFailed { failure, raw, .. } => {
                    assert!(emulated && contradicted, "{failure}");
                    assert_eq!(failure.cause, Cause::Contradicted);
                    assert!(raw.is_some());
                }
                EventKind::Sample(sample) => {
                    let kinds: Vec<Kind> = sample.warnings.iter().map(Warning::kind).collect();
                    assert!(!(emulated && contradicted), "{sample:?}");
                    assert_eq!(
                        kinds.contains(&Kind::Contradicted),
                        contradicted,
                        "{kinds:?}"
                    );
                }
                other => panic!("{other:?}"),
            }
        }
        for worker in workers {
            worker.await.unwrap();
        }
    }
}

#[tokio::test]
async fn watchers_beyond_the_limit_are_refused_until_one_leaves() {
    let run = Run::start().await;
    let mut client = run.client(&run.identities.client).await;
    let mut watchers = Vec::new();
    let refusal = loop {
        let request = pb::WatchRequest { from_seq: 0 };
        match client.watch(request).await {
            Ok(records) => watchers.push(records.into_inner()),
            Err(status) => break status,
        }
        assert!(watchers.len() < 100, "there is no limit");
    };
    assert_eq!(refusal.code(), Code::ResourceExhausted);
    assert!(refusal.message().contains("end one of them"), "{refusal}");
    for records in &mut watchers {
        assert_eq!(next(records).await.unwrap().seq, 0);
    }
    watchers.pop();
    let again = async {
        loop {
            let request = pb::WatchRequest { from_seq: 0 };
            if let Ok(records) = client.watch(request).await {
                break records.into_inner();
            }
            tokio::task::yield_now().await;
        }
    };
    let mut records = timeout(SOON, again).await.unwrap();
    assert_eq!(next(&mut records).await.unwrap().seq, 0);
    run.done.abort();
}

#[tokio::test]
async fn nobody_else_gets_in() {
    let run = Run::start().await;
    let other = RunIdentities::issue("r1", &["w1"]).unwrap();
    let [w1, w2] = [0, 1].map(|i| &run.identities.workers[i]);
    let refused = |code: Code, status: Status| assert_eq!(status.code(), code, "{status:?}");

    // Another run's certificate.
    let stranger = Identity {
        ca_pem: w1.ca_pem.clone(),
        ..other.workers[0].clone()
    };
    if let Ok(client) = connect(&run.address.to_string(), &stranger).await {
        assert!(Worker::join(client, hello("w1", 0)).await.is_err());
    }
    // Another run's orchestrator: the worker refuses it.
    assert!(
        connect(&run.address.to_string(), &other.workers[0])
            .await
            .is_err()
    );
    // A worker that says it is another one.
    let client = run.client(w2).await;
    refused(
        Code::PermissionDenied,
        Worker::join(client, hello("w1", 0)).await.err().unwrap(),
    );
    // A worker of another version, and one without an address.
    let client = run.client(w1).await;
    let old = Hello {
        version: "0.0.1".to_owned(),
        ..hello("w1", 0)
    };
    refused(
        Code::FailedPrecondition,
        Worker::join(client.clone(), old).await.err().unwrap(),
    );
    let nowhere = Hello {
        pod_ip: String::new(),
        ..hello("w1", 0)
    };
    refused(
        Code::InvalidArgument,
        Worker::join(client.clone(), nowhere).await.err().unwrap(),
    );
    // Workers neither watch nor cancel; the client is not a worker.
    let mut worker = client;
    let request = pb::WatchRequest { from_seq: 0 };
    refused(
        Code::PermissionDenied,
        worker.watch(request).await.err().unwrap(),
    );
    refused(
        Code::PermissionDenied,
        worker.cancel(pb::CancelRequest {}).await.err().unwrap(),
    );
    let collected = pb::CollectedRequest { through_seq: 9 };
    refused(
        Code::PermissionDenied,
        worker.collected(collected).await.err().unwrap(),
    );
    let client = run.client(&run.identities.client).await;
    refused(
        Code::PermissionDenied,
        Worker::join(client, hello("client", 0))
            .await
            .err()
            .unwrap(),
    );
    assert_eq!(events(run.folder.path()).len(), 1, "nobody has joined");
    run.done.abort();
}

#[tokio::test]
async fn cancel_stops_the_tool_and_keeps_what_there_is() {
    let run = Run::start().await;
    let w2 = tokio::spawn(run.worker(1).await.obey());
    let mut w1 = run.worker(0).await;
    let Some(Order::RunClient(client_run)) = w1.order().await else {
        panic!("w1 runs the first client");
    };
    let mut client = run.client(&run.identities.client).await;
    let begun = Instant::now();
    client.cancel(pb::CancelRequest {}).await.unwrap();
    let Some(Order::Stop(stop)) = w1.order().await else {
        panic!("the tool is stopped");
    };
    assert_eq!(stop.step, client_run.step);
    // It does not answer; the run ends nevertheless.
    assert!(matches!(w1.order().await, Some(Order::Goodbye(_))));
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    w2.await.unwrap();
    let (_folder, events, said) = run.end().await;
    assert!(outcomes(&events).is_empty());
    let last = &events.last().unwrap().kind;
    assert!(matches!(last, EventKind::RunEnded { cancelled: true }));
    assert!(
        said.contains(&"cancelled: 0 of 4 cells have ended".to_owned()),
        "{said:?}"
    );
}

/// The next orchestrator of a run continues after these events, to a good end.
async fn is_completed(folder: TempDir, before: &[Event]) {
    let run = Run::in_folder(folder).await;
    run.good_workers().await;
    let (_folder, after, _) = run.end().await;
    assert_eq!(after[..before.len()], *before);
    all_measured(&after);
}

#[tokio::test]
async fn an_orchestrator_that_is_stopped_leaves_the_run_to_a_successor() {
    let mut run = Run::start().await;
    let mut client = run.client(&run.identities.client).await;
    let mut records = watch(&mut client, 0).await;
    let _w1 = run.worker(0).await;
    let mut w2 = run.worker(1).await;
    assert!(matches!(w2.order().await, Some(Order::StartServer(_))));
    run.stop.take().unwrap().send(()).unwrap();
    let mut seen = 0;
    while next(&mut records).await.is_some() {
        seen += 1;
    }
    let stopped = timeout(SOON, run.done).await.unwrap().unwrap();
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    // No goodbye: the worker looks for the successor.
    let left = w2.order().await;
    assert!(left.is_none(), "{left:?}");
    let before = events(run.folder.path());
    assert_eq!(before.len(), seen);
    let ended = |event: &Event| matches!(event.kind, EventKind::RunEnded { .. });
    assert!(!before.iter().any(ended));

    is_completed(run.folder, &before).await;
}

#[tokio::test]
async fn a_sample_that_waits_for_its_server_when_the_orchestrator_is_stopped_is_published() {
    let mut run = Run::start().await;
    let mut client_end = run.worker(0).await;
    let mut server_end = run.worker(1).await;
    let Some(Order::StartServer(start)) = server_end.order().await else {
        panic!("no server was started")
    };
    let ready = pb::ServerReady { step: start.step };
    server_end.answer(Message::ServerReady(ready)).await;
    let Some(Order::RunClient(client)) = client_end.order().await else {
        panic!("no client was started")
    };
    let result = measured(client.step, &client_end);
    client_end.answer(result).await;
    // The result has arrived, and the server's end never says what it observed.
    let stop = server_end.order().await;
    assert!(matches!(stop, Some(Order::Stop(_))), "{stop:?}");
    run.stop.take().unwrap().send(()).unwrap();
    let stopped = timeout(SOON, run.done).await.unwrap().unwrap();
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");

    let before = events(run.folder.path());
    let [.., sample, end] = &before[..] else {
        panic!("{before:?}")
    };
    let EventKind::Sample(sample) = &sample.kind else {
        panic!("{sample:?}")
    };
    assert!(sample.metrics.get("observed_s.client").is_some());
    assert_eq!(sample.metrics.get("observed_s.server"), None);
    assert!(matches!(end.kind, EventKind::CellEnded { .. }), "{end:?}");

    is_completed(run.folder, &before).await;
}

#[tokio::test]
async fn one_watcher_that_has_everything_shuts_out_no_other() {
    let mut run = Run::start().await;
    let mut quick = run.client(&run.identities.client).await;
    let mut slow = run.client(&run.identities.client).await;
    let mut records = watch(&mut quick, 0).await;
    let mut late = watch(&mut slow, 0).await;
    for index in 0..2 {
        let mut worker = run.worker(index).await;
        // More than what a connection holds of its own accord.
        worker.padding = 3 << 20;
        tokio::spawn(worker.obey());
    }
    let mut through_seq = 0;
    while let Some(record) = next(&mut records).await {
        through_seq = record.seq;
    }
    let all = pb::CollectedRequest { through_seq };
    quick.collected(all).await.unwrap();
    let early = timeout(Duration::from_millis(300), &mut run.done).await;
    assert!(early.is_err(), "{early:?}");
    let mut seen = 0;
    while next(&mut late).await.is_some() {
        seen += 1;
    }
    assert_eq!(seen, through_seq + 1);
    let (_folder, events, _) = run.end().await;
    all_measured(&events);
}

#[tokio::test]
async fn a_run_that_has_no_room_in_the_log_waits_to_be_collected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    RunDir::create(&path).unwrap();
    // Nothing that gzip could make small.
    let mut number = 1_u64;
    let noise = std::iter::repeat_with(|| {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'0' + (number >> 58) as u8)
    });
    let began = EventKind::RunStarted {
        run: "r1".to_owned(),
        netplan: "0.0.0".to_owned(),
        plan: noise.take(8 << 20).collect(),
        only: None,
    };
    let mut journal = Journal::create(&path).unwrap();
    journal
        .append(&Event {
            v: VERSION,
            seq: 0,
            at: jiff::Timestamp::now(),
            kind: began,
        })
        .unwrap();
    drop(journal);
    let mut run = Run::in_folder(folder).await;
    run.good_workers().await;
    let said = run.said.clone();
    let told = || {
        let said = said.lock().unwrap();
        said.iter().any(|line| line.starts_with("no archive: "))
    };
    wait_for("the log to say so", told).await;
    let early = timeout(Duration::from_millis(300), &mut run.done).await;
    assert!(early.is_err(), "{early:?}");
    let mut client = run.client(&run.identities.client).await;
    let mut records = watch(&mut client, 1).await;
    let mut through_seq = 0;
    while let Some(record) = next(&mut records).await {
        through_seq = record.seq;
    }
    let all = pb::CollectedRequest { through_seq };
    client.collected(all).await.unwrap();
    let (_folder, events, _) = run.end().await;
    all_measured(&events);
}

#[tokio::test]
async fn a_worker_that_vanishes_amid_a_client_comes_back_and_the_cell_runs_again() {
    let run = Run::start().await;
    let w2 = tokio::spawn(run.worker(1).await.obey());
    let mut w1 = run.worker(0).await;
    assert!(matches!(w1.order().await, Some(Order::RunClient(_))));
    drop(w1);
    let identity = &run.identities.workers[0];
    let moved = Hello {
        pod_ip: "10.0.0.77".to_owned(),
        ..hello("w1", 0)
    };
    let w1 = Worker::join(run.client(identity).await, moved)
        .await
        .unwrap();
    tokio::spawn(w1.obey()).await.unwrap();
    w2.await.unwrap();
    let (_folder, events, _) = run.end().await;
    all_measured(&events);
    let lost: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::AttemptFailed { failure, .. } => Some(failure.cause),
            _ => None,
        })
        .collect();
    assert_eq!(lost, [Cause::WorkerLost]);
}

#[tokio::test]
async fn an_orchestrator_that_starts_again_continues_where_the_journal_ends() {
    let run = Run::start().await;
    let mut client = run.client(&run.identities.client).await;
    let mut records = watch(&mut client, 0).await;
    // One client ends and no other: the run cannot reach its end before it is cut off, and its successor
    // waits for its workers.
    let pace = Arc::new(Semaphore::new(1));
    let workers = [run.worker(0).await, run.worker(1).await];
    let workers = workers.map(|worker| tokio::spawn(worker.obey_at(Arc::clone(&pace))));
    let ended = |record: &pb::Record| record.line.contains("\"cell_ended\"");
    while !ended(&next(&mut records).await.unwrap()) {}
    run.done.abort();
    assert!(run.done.await.unwrap_err().is_cancelled());
    for worker in workers {
        worker.abort();
    }
    // What a dying process would not finish, an aborted task's last write does.
    let journal = run.folder.path().join("run");
    wait_for("the journal's last write", || {
        Journal::open(&journal).is_ok()
    })
    .await;
    let before = events(run.folder.path());
    let run = Run::in_folder(run.folder).await;
    let workers = run.good_workers().await;
    let (folder, after, _) = run.end().await;
    all_measured(&after);
    assert_eq!(after[..before.len()], before[..]);
    for worker in workers {
        worker.await.unwrap();
    }

    // Once more: there is nothing left to do, and it says so without adding anything.
    let run = Run::that_lingers(folder, SOON).await;
    let mut worker = run.worker(0).await;
    assert!(matches!(worker.order().await, Some(Order::Goodbye(_))));
    let mut client = run.client(&run.identities.client).await;
    let through_seq = after.len() as u64;
    let request = pb::CollectedRequest { through_seq };
    client.collected(request).await.unwrap();
    let (_folder, again, _) = run.end().await;
    assert_eq!(again, after);
}

async fn refused_hello(run: &Run, hello: Hello) -> Status {
    let client = run.client(&run.identities.workers[0]).await;
    Worker::join(client, hello).await.err().expect("a refusal")
}

#[tokio::test]
async fn a_hello_has_a_bounded_size_and_an_address_that_can_be_measured_by() {
    let run = Run::start().await;
    let with = |change: fn(&mut Hello)| {
        let mut hello = hello("w1", 0);
        change(&mut hello);
        hello
    };
    let long = [
        with(|hello| hello.node = "n".repeat(257)),
        with(|hello| hello.version = "1".repeat(1 << 20)),
        with(|hello| hello.environment_json = format!("{{}}{}", " ".repeat(64 << 10))),
    ];
    for hello in long {
        let status = refused_hello(&run, hello).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(
            status.message().contains("bytes long; allowed: "),
            "{status:?}"
        );
    }
    for address in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"] {
        for is_pod in [true, false] {
            let mut hello = hello("w1", 0);
            let field = if is_pod {
                &mut hello.pod_ip
            } else {
                &mut hello.cluster_ip
            };
            address.clone_into(field);
            let status = refused_hello(&run, hello).await;
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            assert!(
                status.message().contains("cannot be used for measurements"),
                "{status:?}"
            );
        }
    }
    // Over loopback a loopback address leads somewhere.
    let near = with(|hello| "127.0.0.1".clone_into(&mut hello.pod_ip));
    let client = run.client(&run.identities.workers[0]).await;
    assert!(Worker::join(client, near).await.is_ok());
    run.done.abort();
}

#[tokio::test]
async fn a_worker_that_keeps_opening_sessions_is_slowed_down() {
    let run = Run::start().await;
    let client = run.client(&run.identities.workers[0]).await;
    let mut codes = Vec::new();
    for _ in 0..200 {
        match Worker::join(client.clone(), hello("w1", 0)).await {
            Ok(worker) => drop(worker),
            Err(status) => codes.push(status.code()),
        }
    }
    // However slow the machine is, it lets in two more each second.
    assert!(codes.len() > 60, "{}", codes.len());
    assert!(
        codes.iter().all(|code| *code == Code::ResourceExhausted),
        "{codes:?}"
    );
    // The other worker is not concerned.
    run.worker(1).await;
    run.done.abort();
}

#[tokio::test]
async fn idle_connections_shut_nobody_out() {
    let run = Run::start().await;
    let mut idle = Vec::new();
    for _ in 0..2 * netplan::rpc::MAX_HANDSHAKES {
        idle.push(TcpStream::connect(run.address).await.unwrap());
    }
    let mut client = run.client(&run.identities.client).await;
    assert!(next(&mut watch(&mut client, 0).await).await.is_some());
    run.done.abort();
}

#[tokio::test]
async fn an_orchestrator_without_file_descriptors_takes_members_in_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let identities = RunIdentities::issue("r1", &["w1", "w2"]).unwrap();
    std::fs::create_dir(path("tls")).unwrap();
    crate::worker::write_identity(&path("tls"), &identities.orchestrator);
    std::fs::write(path("plan.yaml"), PLAN).unwrap();
    // The port is free again at once; nobody else is told of it.
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let mut orchestrator = tokio::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -n 48; exec \"$0\" \"$@\"",
            NETPLAN,
            "orchestrator",
            "--run=r1",
        ])
        .arg(format!("--plan={}", path("plan.yaml").display()))
        .arg(format!("--tls={}", path("tls").display()))
        .arg(format!("--journal={}", path("run").display()))
        .arg(format!("--listen={address}"))
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let connected = async {
        loop {
            if let Ok(client) = connect(&address.to_string(), &identities.client).await {
                return client;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let first = timeout(SOON, connected).await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let again = async {
        loop {
            // Idle connections make room one after the other.
            if let Ok(client) = connect(&address.to_string(), &identities.client).await {
                return client;
            }
        }
    };
    let mut second = timeout(2 * SOON, again).await.unwrap();
    assert!(next(&mut watch(&mut second, 0).await).await.is_some());
    assert!(orchestrator.try_wait().unwrap().is_none());
    drop((first, idle));
    orchestrator.kill().await.unwrap();
}

#[tokio::test]
async fn only_tls_1_3_is_spoken() {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::version::{TLS12, TLS13};
    use tokio_rustls::rustls::{
        ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    };

    let run = Run::start().await;
    let identity = &run.identities.client;
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = |pem: &str| PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate(&identity.ca_pem)).unwrap();
    let handshake = async |version: &'static SupportedProtocolVersion| {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_client_auth_cert(
                vec![certificate(&identity.cert_pem)],
                key(&identity.key_pem),
            )
            .unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("orchestrator.netplan").unwrap();
        let stream = TcpStream::connect(run.address).await.unwrap();
        connector.connect(name, stream).await.map(drop)
    };
    handshake(&TLS13).await.unwrap();
    let refused = handshake(&TLS12).await.unwrap_err();
    assert!(refused.to_string().contains("ProtocolVersion"), "{refused}");

    // Nor does a member of the run speak with a server that has 1.2 only.
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate(&run.identities.orchestrator.cert_pem)],
            key(&run.identities.orchestrator.key_pem),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        acceptor.accept(stream).await.map(drop)
    });
    let refused = connect(&address.to_string(), identity).await.unwrap_err();
    assert!(refused.why.contains("received fatal alert"), "{refused}");
    serving.await.unwrap().unwrap_err();
    run.done.abort();
}

#[tokio::test]
async fn a_worker_that_the_command_line_gives_up_is_not_waited_for() {
    let run = Run::start().await;
    tokio::spawn(run.worker(1).await.obey());
    let give_up = |worker: &str| pb::GiveUpRequest {
        worker: worker.to_owned(),
        words: "pod `w1` ended: exit code 1".to_owned(),
    };
    let mut worker = run.client(&run.identities.workers[0]).await;
    let refused = worker.give_up(give_up("w2")).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut client = run.client(&run.identities.client).await;
    let unknown = client.give_up(give_up("w9")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::FailedPrecondition);
    client.give_up(give_up("w1")).await.unwrap();
    let (_folder, events, _) = run.end().await;
    let failures: Vec<_> = outcomes(&events)
        .into_iter()
        .filter_map(|outcome| match outcome {
            Outcome::Failed(failure) => Some((failure.cause, failure.words.as_str())),
            _ => None,
        })
        .collect();
    let words = "worker `w1` will not come back: pod `w1` ended: exit code 1";
    assert_eq!(failures, [(Cause::WorkerLost, words); 2]);
    assert_eq!(outcomes(&events).len(), CELLS);
}

/// The number of an orchestrator's epoch is in the upper half.
const SEVENTH: u64 = 7 << 32;

fn record(seq: u64, kind: EventKind) -> pb::Record {
    let event = Event {
        v: VERSION,
        seq,
        at: jiff::Timestamp::UNIX_EPOCH,
        kind,
    };
    pb::Record {
        seq,
        line: journal::to_line(&event).unwrap(),
        ..pb::Record::default()
    }
}

#[tokio::test]
async fn a_successor_says_whom_it_waits_for_and_continues_the_newest_copy() {
    let run = Run::that_copies().await;
    let mut client = run.client(&run.identities.client).await;
    let mut records = watch(&mut client, 2).await;
    let expected: Vec<String> = ["w1", "w2"].map(str::to_owned).into();
    let waits = |joined: &[&str]| pb::Gathering {
        expected: expected.clone(),
        joined: joined.iter().map(|name| (*name).to_owned()).collect(),
    };
    let first = next(&mut records).await.unwrap();
    assert_eq!(first.gathering, Some(waits(&[])));

    let join = async |index: usize, copy: pb::Copy| {
        let identity = &run.identities.workers[index];
        let hello = Hello {
            epoch: copy.epoch,
            copy: Some(copy),
            ..hello(&identity.role, index)
        };
        let client = run.client(identity).await;
        Worker::join(client, hello).await.unwrap()
    };
    let _w1 = join(0, pb::Copy::default()).await;
    let second = next(&mut records).await.unwrap();
    assert_eq!(second.gathering, Some(waits(&["w1"])));
    let copy = pb::Copy {
        next_seq: 3,
        epoch: SEVENTH,
        complete: false,
    };
    let mut w2 = join(1, copy).await;
    let asked = timeout(SOON, w2.orders.message())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(
        matches!(asked.message, Some(Order::SendCopy(_))),
        "{asked:?}"
    );
    assert!(asked.epoch > SEVENTH, "workers refuse it");
    let started = EventKind::RunStarted {
        run: "r1".to_owned(),
        netplan: env!("CARGO_PKG_VERSION").to_owned(),
        plan: PLAN.to_owned(),
        only: None,
    };
    let left = || EventKind::WorkerLeft {
        worker: "w1".to_owned(),
    };
    let part = |records, last| {
        Message::CopyPart(pb::CopyPart {
            records,
            last,
            problem: String::new(),
        })
    };
    w2.answer(part(vec![record(0, started), record(1, left())], false))
        .await;
    w2.answer(part(vec![record(2, left())], true)).await;
    // The watcher has the records before this one.
    let third = loop {
        let record = next(&mut records).await.unwrap();
        if record.gathering.is_none() {
            break record;
        }
    };
    assert_eq!(third, record(2, left()));
    // What follows is copied to a worker before the watcher gets it.
    let hold = loop {
        match w2.order().await.unwrap() {
            Order::Hold(hold) => break hold,
            Order::StartServer(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(hold.from_seq, 3, "it has the records before");
    assert!(
        timeout(Duration::from_millis(100), records.message())
            .await
            .is_err()
    );
    let next_seq = hold.from_seq + hold.records.len() as u64;
    let problem = String::new();
    w2.answer(Message::Held(pb::Held { next_seq, problem }))
        .await;
    assert_eq!(next(&mut records).await.unwrap().seq, 3);
}

#[tokio::test]
async fn an_orchestrator_that_has_a_successor_decides_nothing() {
    let mut run = Run::start().await;
    let identity = &run.identities.workers[0];
    let hello = Hello {
        epoch: SEVENTH,
        ..hello("w1", 0)
    };
    let client = run.client(identity).await;
    let mut worker = Worker::join(client, hello).await.unwrap();
    assert!(worker.order().await.is_none(), "it orders nothing");
    // It waits to be removed.
    run.stop.take().unwrap().send(()).unwrap();
    let ended = timeout(SOON, run.done).await.unwrap().unwrap();
    assert!(matches!(ended, Err(Error::Superseded(_))), "{ended:?}");
}
