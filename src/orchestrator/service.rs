//! The gRPC side: checks who calls and hands everything to the driver.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::address;
use super::journal_stream::{Extent, Records};
use super::session_rate::SessionRate;
use super::state::message::{Input, Place, Session, Step};
use crate::results::WorkerEnvironment;
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::orchestrator_server::Orchestrator;
use crate::rpc::pb::{
    CancelRequest, CancelResponse, CollectedRequest, CollectedResponse, FromWorker, GiveUpRequest,
    GiveUpResponse, Hello, Record, ToWorker, WatchRequest,
};
use crate::rpc::{Malformed, Peer, what_ended, with_version};

/// How long a worker may take to say Hello on a stream that it has opened.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Orders that a worker has not taken yet; there are never more than a few.
const ORDERS: usize = 16;
/// A Hello's environment, as JSON: a few kilobytes, most of it the names of offloads.
const MAX_ENVIRONMENT_BYTES: usize = 64 * 1024;
/// Each other text of a Hello; the longest are names of nodes, which have up to 253 bytes.
const MAX_NAME_BYTES: usize = 256;
/// The characters that are kept of what a command line says of a worker that was given up.
const MAX_WORDS: usize = 1024;
/// Records that a watcher has not taken yet; each may carry a tool's output.
const RECORDS: usize = 1;
/// How many may watch at once. Each holds a few outputs in memory while it takes none.
const WATCHERS: usize = 8;

/// What the driver hears.
#[derive(Debug)]
pub(super) enum Call {
    /// Something for the state.
    Input(Input),
    /// A worker has opened a session; its orders go here.
    Joined {
        worker: String,
        session: Session,
        place: Place,
        orders: mpsc::Sender<Result<ToWorker, Status>>,
    },
    /// Somebody begins to watch.
    Watched,
    /// Somebody has stopped watching.
    Unwatched,
    /// Somebody has every record up to this one.
    Collected { through_seq: u64 },
}

/// The service; clones of it share everything.
#[derive(Clone, Debug)]
pub(super) struct Service {
    calls: mpsc::Sender<Call>,
    folder: PathBuf,
    extent: watch::Receiver<Extent>,
    sessions: Arc<AtomicU64>,
    session_rate: SessionRate,
    workers: Arc<[String]>,
    watchers: Arc<Semaphore>,
}

impl Service {
    pub fn new(
        calls: mpsc::Sender<Call>,
        folder: PathBuf,
        extent: watch::Receiver<Extent>,
        workers: Arc<[String]>,
    ) -> Self {
        Self {
            calls,
            folder,
            extent,
            sessions: Arc::new(AtomicU64::new(1)),
            session_rate: SessionRate::default(),
            workers,
            watchers: Arc::new(Semaphore::new(WATCHERS)),
        }
    }

    async fn call(&self, call: Call) -> Result<(), Status> {
        let gone = |_| Status::unavailable("the orchestrator is ending");
        self.calls.send(call).await.map_err(gone)
    }

    fn must_be_of_the_plan(&self, worker: &str) -> Result<(), Status> {
        if self.workers.iter().any(|known| known == worker) {
            return Ok(());
        }
        let words = format!("the plan has no worker `{worker}`");
        Err(Status::failed_precondition(words))
    }
}

#[tonic::async_trait]
impl Orchestrator for Service {
    type WorkStream = ReceiverStream<Result<ToWorker, Status>>;
    type WatchStream = ReceiverStream<Result<Record, Status>>;

    async fn work(
        &self,
        request: Request<Streaming<FromWorker>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let peer = Peer::of(&request)?;
        let mut answers = request.into_inner();
        let first = tokio::time::timeout(HELLO_WITHIN, answers.message())
            .await
            .map_err(|_| Status::deadline_exceeded("no Hello came"))??;
        let Some(FromWorker {
            message: Some(Message::Hello(hello)),
        }) = first
        else {
            return Err(Status::invalid_argument("the first message must be Hello"));
        };
        must_be_short(&hello)?;
        peer.must_be_worker(&hello.worker)?;
        self.must_be_of_the_plan(&hello.worker)?;
        let worker = hello.worker.clone();
        let place = place(hello, peer.ip())?;
        if !self.session_rate.admits(&worker, Instant::now()) {
            let words = format!("worker `{worker}` opens sessions too often; it may try again");
            return Err(Status::resource_exhausted(words));
        }
        let session = Session(self.sessions.fetch_add(1, Ordering::Relaxed));
        let (orders, stream) = mpsc::channel(ORDERS);
        self.call(Call::Joined {
            worker: worker.clone(),
            session,
            place,
            orders,
        })
        .await?;
        let calls = self.calls.clone();
        tokio::spawn(async move {
            // The stream's end, a broken stream and a message without sense are all a leaving.
            while let Ok(Some(message)) = answers.message().await {
                let Ok(input) = input(session, message) else {
                    break;
                };
                if calls.send(Call::Input(input)).await.is_err() {
                    return;
                }
            }
            let left = Call::Input(Input::WorkerLeft { worker, session });
            // The driver has ended: then nobody is left to be told.
            let _ = calls.send(left).await;
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Peer::of(&request)?.must_be_client()?;
        let Ok(watcher) = Arc::clone(&self.watchers).try_acquire_owned() else {
            return Err(Status::resource_exhausted(format!(
                "{WATCHERS} command lines watch this run already; end one of them"
            )));
        };
        let from = request.into_inner().from_seq;
        let next = self.extent.borrow().next_seq;
        if from > next {
            return Err(Status::out_of_range(format!(
                "record {from} is asked for, and the next one is {next}: this is another journal"
            )));
        }
        let mut records = Records::open(&self.folder, from, self.extent.clone())?;
        let (out, stream) = mpsc::channel(RECORDS);
        self.call(Call::Watched).await?;
        let calls = self.calls.clone();
        tokio::spawn(async move {
            // A record is read only when there is room for it.
            while let Ok(room) = out.reserve().await {
                let next = tokio::select! {
                    next = records.next() => next,
                    () = out.closed() => break,
                };
                let end = !matches!(next, Ok(Some(_)));
                if let Some(item) = next.transpose() {
                    room.send(item);
                }
                if end {
                    break;
                }
            }
            // Until all is taken, or nobody is there any more.
            let _ = out.reserve_many(RECORDS).await;
            let _ = calls.send(Call::Unwatched).await;
            drop(watcher);
        });
        Ok(with_version(Response::new(ReceiverStream::new(stream))))
    }

    async fn cancel(
        &self,
        request: Request<CancelRequest>,
    ) -> Result<Response<CancelResponse>, Status> {
        Peer::of(&request)?.must_be_client()?;
        self.call(Call::Input(Input::Cancel)).await?;
        Ok(with_version(Response::new(CancelResponse {})))
    }

    async fn give_up(
        &self,
        request: Request<GiveUpRequest>,
    ) -> Result<Response<GiveUpResponse>, Status> {
        Peer::of(&request)?.must_be_client()?;
        let GiveUpRequest { worker, words } = request.into_inner();
        self.must_be_of_the_plan(&worker)?;
        let words = words.chars().take(MAX_WORDS).collect();
        let input = Input::WorkerGivenUp { worker, words };
        self.call(Call::Input(input)).await?;
        Ok(with_version(Response::new(GiveUpResponse {})))
    }

    async fn collected(
        &self,
        request: Request<CollectedRequest>,
    ) -> Result<Response<CollectedResponse>, Status> {
        Peer::of(&request)?.must_be_client()?;
        let through_seq = request.into_inner().through_seq;
        self.call(Call::Collected { through_seq }).await?;
        Ok(Response::new(CollectedResponse {}))
    }
}

/// Whether each part of a Hello has a length that it may have.
fn must_be_short(hello: &Hello) -> Result<(), Status> {
    let parts = [
        ("worker", &hello.worker, MAX_NAME_BYTES),
        ("version", &hello.version, MAX_NAME_BYTES),
        ("pod_ip", &hello.pod_ip, MAX_NAME_BYTES),
        ("cluster_ip", &hello.cluster_ip, MAX_NAME_BYTES),
        ("node", &hello.node, MAX_NAME_BYTES),
        (
            "environment_json",
            &hello.environment_json,
            MAX_ENVIRONMENT_BYTES,
        ),
    ];
    for (name, text, most) in parts {
        let length = text.len();
        if length > most {
            return Err(Status::invalid_argument(format!(
                "Hello's {name} is {length} bytes long; allowed: {most}"
            )));
        }
    }
    Ok(())
}

/// Where a worker whose connection comes from `peer` says it is.
fn place(hello: Hello, peer: IpAddr) -> Result<Place, Status> {
    let ours = env!("CARGO_PKG_VERSION");
    if hello.version != ours {
        return Err(Status::failed_precondition(format!(
            "the worker is netplan {}, the orchestrator is {ours}: use one image for both",
            hello.version
        )));
    }
    let address = |what: &str, text: &str| {
        let address: IpAddr = text
            .parse()
            .map_err(|_| Status::invalid_argument(format!("{what} `{text}` is no IP address")))?;
        match address::refusal(address, peer) {
            Some(why) => Err(Status::invalid_argument(format!(
                "{what} `{text}` cannot be measured by: {why}"
            ))),
            None => Ok(address),
        }
    };
    let cluster_ip = match hello.cluster_ip.as_str() {
        "" => None,
        text => Some(address("cluster_ip", text)?.to_string()),
    };
    let pod_ip = address("pod_ip", &hello.pod_ip)?;
    let environment: WorkerEnvironment = serde_json::from_str(&hello.environment_json)
        .map_err(|error| Status::invalid_argument(format!("environment_json is none: {error}")))?;
    Ok(Place {
        node: hello.node,
        pod_ip: pod_ip.to_string(),
        cluster_ip,
        peer_ip: address::other_origin(pod_ip, peer).map(|peer| peer.to_string()),
        environment,
    })
}

/// What a worker's answer means to the state.
fn input(session: Session, message: FromWorker) -> Result<Input, Malformed> {
    Ok(match message.message.ok_or(Malformed("message"))? {
        Message::Hello(_) => return Err(Malformed("an answer: a second Hello came")),
        Message::ServerReady(ready) => Input::ServerReady {
            session,
            step: Step(ready.step),
        },
        Message::ServerEnded(end) => Input::ServerEnded {
            session,
            step: Step(end.step),
            ended: what_ended(end.exit)?,
            observed: end.observed,
        },
        Message::ClientEnded(end) => Input::ClientEnded {
            session,
            step: Step(end.step),
            ended: what_ended(end.exit)?,
            wall: Duration::from_micros(end.wall_us),
            tcp: end.tcp,
            observed: end.observed,
        },
    })
}
