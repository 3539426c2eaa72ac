//! The steps that a worker has under way: each a task that runs a tool and answers by its number.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};

use super::observe::Observer;
use super::outbox::{Answers, Outbox, Reply};
use super::path_test;
use super::policy_check;
use super::server::{self, Flow};
use super::{accept, client};
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::{
    AcceptConnections, ClientEnded, FromWorker, KeptStep, RunClient, ServerEnded, ServerFlowing,
    ServerReady, StartServer, TcpInfo, TestPaths, TryConnection,
};
use crate::rpc::{exit, how_ready};
use crate::tools::{Client, Ended, How, LARGEST_OUTPUT_BYTES, SMALLEST_OUTPUT_BYTES};
use crate::worker::tool_process::leftovers::kill_orphans;
use crate::worker::tool_process::process::Stop;

/// How long killed steps may take to be gone.
const KILLED_WITHIN: Duration = Duration::from_secs(2);

/// The steps under way, and those that have ended and whose answers the orchestrator may lack.
#[derive(Debug, Default)]
pub(super) struct Steps {
    entries: HashMap<u64, Entry>,
    running: JoinSet<u64>,
    outbox: Outbox,
    /// The end of the last session, unless another one has begun.
    detached: Option<Instant>,
    observer: Arc<Observer>,
}

/// A step. Its number stays taken until it has ended and its answers are not kept any more.
#[derive(Debug)]
struct Entry {
    /// Dropping it stops the tool.
    stop: Option<oneshot::Sender<()>>,
    task: AbortHandle,
    is_running: bool,
    /// `None` when it ends with its session.
    outlives: Option<Outlives>,
}

/// How a step outlives its session.
#[derive(Clone, Copy, Debug)]
struct Outlives {
    /// Of the orchestrator that started it.
    epoch: u64,
    is_client: bool,
    since: Instant,
    /// A client from its start, a server without a session.
    within: Duration,
}

impl Outlives {
    fn ends_within(&self, detached: Option<Instant>) -> Duration {
        let passed = match detached {
            _ if self.is_client => self.since.elapsed(),
            Some(detached) => detached.elapsed(),
            None => Duration::ZERO,
        };
        self.within.saturating_sub(passed)
    }
}

impl Steps {
    /// None yet; what happens around them will be observed.
    pub(super) fn observed_by(observer: Observer) -> Self {
        Self {
            observer: Arc::new(observer),
            ..Self::default()
        }
    }

    /// Starts a server for the orchestrator of this epoch. A step that is under way is not started again.
    pub(super) fn start_server(&mut self, order: StartServer, epoch: u64, answers: Answers) {
        let observer = Arc::clone(&self.observer);
        let outlives = (order.outlives_ms > 0).then(|| Outlives {
            epoch,
            is_client: false,
            since: Instant::now(),
            within: millis(order.outlives_ms),
        });
        self.start(order.step, outlives, answers, |stop, reply| {
            serve(order, observer, stop, reply)
        });
    }

    /// Starts a client for the orchestrator of this epoch. A step that is under way is not started again.
    pub(super) fn run_client(&mut self, order: RunClient, epoch: u64, answers: Answers) {
        let observer = Arc::clone(&self.observer);
        let outlives = order.outlives.then(|| Outlives {
            epoch,
            is_client: true,
            since: Instant::now(),
            within: millis(order.deadline_ms),
        });
        self.start(order.step, outlives, answers, |stop, reply| {
            run_client(order, observer, stop, reply)
        });
    }

    /// Accepts connections until the step is stopped.
    pub(super) fn accept(&mut self, order: AcceptConnections, answers: Answers) {
        self.start(order.step, None, answers, |stop, reply| {
            accept::accept(order, stop, reply)
        });
    }

    /// Tries to connect until that fails.
    pub(super) fn try_connection(&mut self, order: TryConnection, answers: Answers) {
        self.start(order.step, None, answers, |stop, reply| {
            policy_check::try_connection(order, stop, reply)
        });
    }

    /// Dials other workers, and exchanges full segments with them.
    pub(super) fn test_paths(&mut self, order: TestPaths, answers: Answers) {
        self.start(order.step, None, answers, |stop, reply| {
            path_test::test_paths(order, stop, reply)
        });
    }

    fn start<F>(
        &mut self,
        step: u64,
        outlives: Option<Outlives>,
        answers: Answers,
        task: impl FnOnce(Stop, Reply) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.entries.contains_key(&step) {
            return;
        }
        let reply = if outlives.is_some() {
            self.outbox.keep(step);
            let outbox = self.outbox.clone();
            Reply::Kept { outbox, step }
        } else {
            Reply::ToSession(answers)
        };
        let (sender, receiver) = oneshot::channel();
        let task = task(receiver, reply);
        let task = self.running.spawn(async move {
            task.await;
            step
        });
        let entry = Entry {
            stop: Some(sender),
            task,
            is_running: true,
            outlives,
        };
        self.entries.insert(step, entry);
    }

    /// Kills a step's tool; the step answers that it was stopped.
    pub(super) fn stop(&mut self, step: u64) {
        if let Some(entry) = self.entries.get_mut(&step) {
            entry.stop = None;
        }
    }

    /// Keeps no answer of a step any longer.
    pub(super) fn forget(&mut self, step: u64) {
        self.outbox.forget(step);
        if self
            .entries
            .get(&step)
            .is_some_and(|entry| !entry.is_running)
        {
            self.entries.remove(&step);
        }
    }

    /// Waits for a step to end; forever when none is under way.
    pub(super) async fn ended(&mut self) {
        match self.running.join_next().await {
            Some(Ok(step)) => self.has_ended(step),
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    fn has_ended(&mut self, step: u64) {
        match self.entries.get_mut(&step) {
            Some(entry) if self.outbox.keeps(step) => entry.is_running = false,
            _ => drop(self.entries.remove(&step)),
        }
        if self.running.is_empty() {
            kill_orphans();
        }
    }

    /// A session has begun: answers go there. Returns those that it has to carry first.
    pub(super) fn begin_session(&mut self, answers: Answers) -> Vec<FromWorker> {
        self.detached = None;
        self.outbox.attach(answers)
    }

    /// Kills all tools that end with their session, and waits until they are gone.
    pub(super) async fn end_session(&mut self) {
        self.outbox.detach();
        self.detached.get_or_insert_with(Instant::now);
        let ends = |entry: &&mut Entry| entry.outlives.is_none();
        for entry in self.entries.values_mut().filter(ends) {
            entry.stop = None;
        }
        if timeout(KILLED_WITHIN, self.joined()).await.is_err() {
            // Their answers found no way out; the tools are dead all the same.
            self.entries.retain(|_, entry| {
                let ends = entry.outlives.is_none();
                if ends {
                    entry.task.abort();
                }
                !ends
            });
        }
    }

    /// Waits until no step is left that ends with its session.
    async fn joined(&mut self) {
        while self.entries.values().any(|entry| entry.outlives.is_none()) {
            match self.running.join_next().await {
                Some(Ok(step)) => self.has_ended(step),
                Some(Err(_)) => {}
                None => return,
            }
        }
    }

    /// What has outlived its session so far. Kills servers that have waited long enough for another one.
    pub(super) fn kept(&mut self) -> Vec<KeptStep> {
        while let Some(ended) = self.running.try_join_next() {
            if let Ok(step) = ended {
                self.has_ended(step);
            }
        }
        let detached = self.detached;
        let kept = self.entries.iter_mut().filter_map(|(step, entry)| {
            let outlives = entry.outlives?;
            let ends_within = outlives.ends_within(detached);
            if ends_within.is_zero() && !outlives.is_client {
                entry.stop = None;
            }
            Some(KeptStep {
                epoch: outlives.epoch,
                step: *step,
                is_client: outlives.is_client,
                is_running: entry.is_running,
                ends_within_ms: u32::try_from(ends_within.as_millis()).unwrap_or(u32::MAX),
            })
        });
        kept.collect()
    }

    /// Kills all tools and waits until they are gone.
    pub(super) async fn kill(&mut self) {
        self.entries.clear();
        self.outbox.detach();
        let gone = async { while self.running.join_next().await.is_some() {} };
        if timeout(KILLED_WITHIN, gone).await.is_err() {
            self.running.shutdown().await;
        }
        kill_orphans();
    }
}

async fn serve(order: StartServer, observer: Arc<Observer>, mut halt: Stop, reply: Reply) {
    let step = order.step;
    let ready_by = Instant::now() + millis(order.ready_within_ms);
    let mut before = None;
    let ready = || {
        // Before the word: the client starts upon it.
        before = Some(observer.read());
        reply.say(Message::ServerReady(ServerReady { step }))
    };
    let ended = match how_ready(order.ready) {
        Ok(sign) => {
            let flow = Flow {
                signs: &order.flow_signs,
                tell: || reply.say(Message::ServerFlowing(ServerFlowing { step })),
            };
            server::serve_load(&order.argv, sign, ready_by, &mut halt, ready, flow).await
        }
        Err(error) => Ended::silent(How::NotStarted(error.to_string())),
    };
    let ended = ServerEnded {
        step,
        exit: Some(exit(ended)),
        observed: before.map(|before| observer.since(&before)),
    };
    reply.say(Message::ServerEnded(ended)).await;
}

async fn run_client(order: RunClient, observer: Arc<Observer>, mut halt: Stop, reply: Reply) {
    let client = Client {
        argv: order.argv,
        warmup_argv: order.warmup_argv,
        watch_tcp_port: u16::try_from(order.watch_tcp_port)
            .ok()
            .filter(|&port| port != 0),
    };
    let output_bytes = usize::try_from(order.output_bytes).unwrap_or(LARGEST_OUTPUT_BYTES);
    let limits = client::Limits {
        time: millis(order.deadline_ms),
        // An answer that is larger than that has no room in a message.
        output_bytes: output_bytes.clamp(SMALLEST_OUTPUT_BYTES, LARGEST_OUTPUT_BYTES),
    };
    let answer = client::run(&client, limits, &observer, &mut halt).await;
    let ended = ClientEnded {
        step: order.step,
        exit: Some(exit(answer.ended)),
        wall_us: u64::try_from(answer.wall.as_micros()).unwrap_or(u64::MAX),
        tcp: answer.connection.map(|connection| TcpInfo {
            snd_mss: connection.mss,
            total_retrans: connection.alone.then_some(connection.total_retrans),
            rtt_us: connection.alone.then_some(connection.rtt_us),
        }),
        observed: answer.observed,
    };
    reply.say(Message::ClientEnded(ended)).await;
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
