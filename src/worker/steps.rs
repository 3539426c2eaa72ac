//! The steps that a worker has under way: each a task that runs a tool and answers by its number.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::client;
use super::observe::Observer;
use super::server;
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::{
    ClientEnded, FromWorker, RunClient, ServerEnded, ServerReady, StartServer, TcpInfo,
};
use crate::rpc::{exit, how_ready};
use crate::tools::{Client, Ended, How, LARGEST_OUTPUT_BYTES, SMALLEST_OUTPUT_BYTES};
use crate::worker::tool_process::leftovers::kill_orphans;
use crate::worker::tool_process::process::Stop;

/// Answers to the orchestrator, in their order.
pub(super) type Answers = mpsc::Sender<FromWorker>;

/// How long killed steps may take to be gone.
const KILLED_WITHIN: Duration = Duration::from_secs(2);

/// The steps under way.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// By step; dropping a sender stops the tool. The entry stays until the step has ended, so that
    /// its number stays taken.
    stops: HashMap<u64, Option<oneshot::Sender<()>>>,
    running: JoinSet<u64>,
    observer: Arc<Observer>,
}

impl Steps {
    /// None yet; what happens around them will be observed.
    pub(super) fn observed_by(observer: Observer) -> Self {
        Self {
            observer: Arc::new(observer),
            ..Self::default()
        }
    }

    /// Starts a server. A step that is under way is not started again.
    pub(super) fn start_server(&mut self, order: StartServer, answers: Answers) {
        let observer = Arc::clone(&self.observer);
        self.start(order.step, |stop| serve(order, observer, stop, answers));
    }

    /// Starts a client. A step that is under way is not started again.
    pub(super) fn run_client(&mut self, order: RunClient, answers: Answers) {
        let observer = Arc::clone(&self.observer);
        self.start(order.step, |stop| {
            run_client(order, observer, stop, answers)
        });
    }

    fn start<F>(&mut self, step: u64, task: impl FnOnce(Stop) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.stops.contains_key(&step) {
            return;
        }
        let (sender, receiver) = oneshot::channel();
        self.stops.insert(step, Some(sender));
        let task = task(receiver);
        self.running.spawn(async move {
            task.await;
            step
        });
    }

    /// Kills a step's tool; the step answers that it was stopped.
    pub(super) fn stop(&mut self, step: u64) {
        if let Some(sender) = self.stops.get_mut(&step) {
            *sender = None;
        }
    }

    /// Waits for a step to end and forgets it; forever when none is under way.
    pub(super) async fn ended(&mut self) {
        match self.running.join_next().await {
            Some(Ok(step)) => {
                self.stops.remove(&step);
                if self.running.is_empty() {
                    kill_orphans();
                }
            }
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Kills all tools and waits until they are gone.
    pub(super) async fn kill(&mut self) {
        self.stops.clear();
        let gone = async { while self.running.join_next().await.is_some() {} };
        if timeout(KILLED_WITHIN, gone).await.is_err() {
            // Their answers found no way out; the tools are dead all the same.
            self.running.shutdown().await;
        }
        kill_orphans();
    }
}

async fn serve(order: StartServer, observer: Arc<Observer>, mut halt: Stop, answers: Answers) {
    let step = order.step;
    let ready_by = Instant::now() + millis(order.ready_within_ms);
    let mut before = None;
    let ready = || {
        // Before the word: the client starts upon it.
        before = Some(observer.read());
        say(&answers, Message::ServerReady(ServerReady { step }))
    };
    let ended = match how_ready(order.ready) {
        Ok(sign) => server::serve(&order.argv, sign, ready_by, &mut halt, ready).await,
        Err(error) => Ended::silent(How::NotStarted(error.to_string())),
    };
    let ended = ServerEnded {
        step,
        exit: Some(exit(ended)),
        observed: before.map(|before| observer.since(&before)),
    };
    say(&answers, Message::ServerEnded(ended)).await;
}

async fn run_client(order: RunClient, observer: Arc<Observer>, mut halt: Stop, answers: Answers) {
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
    say(&answers, Message::ClientEnded(ended)).await;
}

async fn say(answers: &Answers, message: Message) {
    // When the stream has broken, the orchestrator knows that the worker is lost.
    let _ = answers
        .send(FromWorker {
            message: Some(message),
        })
        .await;
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
