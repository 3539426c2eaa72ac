//! The gRPC side: checks who calls and hands everything to the driver.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::journal_stream::{Availability, JournalStream};
use super::messages::{check_lengths, input_from, mark_from, place_from};
use super::session_rate::SessionRate;
use super::state::message::{Input, Place, Session};
use crate::rpc::pb::from_worker::Message;
use crate::rpc::pb::orchestrator_server::Orchestrator;
use crate::rpc::pb::{
    CancelRequest, CancelResponse, CollectedRequest, CollectedResponse, CopyPart, FromWorker,
    GiveUpRequest, GiveUpResponse, MarkRequest, MarkResponse, Record, ToWorker, WatchRequest,
};
use crate::rpc::{Peer, with_version};

/// How long a worker may take to say Hello on a stream that it has opened.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Orders that a worker has not taken yet. A test that measures its paths together sends one for each path at once; a worker
/// that has more of them to take loses its session.
const ORDERS: usize = 1024;
/// The characters that are kept of the reason why a worker was given up.
const MAX_REASON_CHARS: usize = 1024;
/// Records that a watcher has not taken yet; each may carry a tool's output.
const RECORDS: usize = 1;
/// How many may watch at once. Each holds a few outputs in memory while it takes none.
const WATCHERS: usize = 8;

/// Where the orders of a session go.
pub(super) type Orders = mpsc::Sender<Result<ToWorker, Status>>;

/// What the service tells the driver.
#[derive(Debug)]
pub(super) enum Call {
    /// Something for the state.
    Input(Input),
    /// A worker has opened a session; its orders go here.
    Joined {
        worker: String,
        session: Session,
        place: Place,
        orders: Orders,
    },
    /// A worker sends a part of its copy of the journal.
    CopyPart { session: Session, part: CopyPart },
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
    availability: watch::Receiver<Availability>,
    sessions: Arc<AtomicU64>,
    session_rate: SessionRate,
    workers: Arc<[String]>,
    watchers: Arc<Semaphore>,
}

impl Service {
    pub fn new(
        calls: mpsc::Sender<Call>,
        folder: PathBuf,
        availability: watch::Receiver<Availability>,
        workers: Arc<[String]>,
    ) -> Self {
        Self {
            calls,
            folder,
            availability,
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

    fn check_is_in_plan(&self, worker: &str) -> Result<(), Status> {
        if self.workers.iter().any(|known| known == worker) {
            return Ok(());
        }
        let text = format!("the plan has no worker `{worker}`");
        Err(Status::failed_precondition(text))
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
        let peer = Peer::from_request(&request)?;
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
        check_lengths(&hello)?;
        peer.must_be_worker(&hello.worker)?;
        self.check_is_in_plan(&hello.worker)?;
        let worker = hello.worker.clone();
        let place = place_from(hello, peer.ip())?;
        if !self.session_rate.admits(&worker, Instant::now()) {
            let text = format!("worker `{worker}` opens sessions too often; it may try again");
            return Err(Status::resource_exhausted(text));
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
            // The worker leaves with its stream's end, a broken stream, or a message that makes no sense.
            while let Ok(Some(message)) = answers.message().await {
                let call = if let Some(Message::CopyPart(part)) = message.message {
                    Call::CopyPart { session, part }
                } else if let Ok(input) = input_from(session, message) {
                    Call::Input(input)
                } else {
                    break;
                };
                if calls.send(call).await.is_err() {
                    return;
                }
            }
            let left = Call::Input(Input::WorkerLeft { worker, session });
            // An error means that the driver has ended.
            let _ = calls.send(left).await;
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let Ok(watcher) = Arc::clone(&self.watchers).try_acquire_owned() else {
            return Err(Status::resource_exhausted(format!(
                "{WATCHERS} command lines watch this run already; end one of them"
            )));
        };
        let from = request.into_inner().from_seq;
        let mut records = JournalStream::open(&self.folder, from, self.availability.clone())?;
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
        Peer::from_request(&request)?.must_be_client()?;
        self.call(Call::Input(Input::Cancel)).await?;
        Ok(with_version(Response::new(CancelResponse {})))
    }

    async fn give_up(
        &self,
        request: Request<GiveUpRequest>,
    ) -> Result<Response<GiveUpResponse>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let GiveUpRequest { worker, words } = request.into_inner();
        self.check_is_in_plan(&worker)?;
        let reason = words.chars().take(MAX_REASON_CHARS).collect();
        let input = Input::WorkerGivenUp { worker, reason };
        self.call(Call::Input(input)).await?;
        Ok(with_version(Response::new(GiveUpResponse {})))
    }

    async fn mark(&self, request: Request<MarkRequest>) -> Result<Response<MarkResponse>, Status> {
        let now = Timestamp::now();
        Peer::from_request(&request)?.must_be_client()?;
        if let Some(mark) = mark_from(&request.into_inner(), now) {
            self.call(Call::Input(Input::Mark(mark))).await?;
        }
        Ok(Response::new(MarkResponse {}))
    }

    async fn collected(
        &self,
        request: Request<CollectedRequest>,
    ) -> Result<Response<CollectedResponse>, Status> {
        Peer::from_request(&request)?.must_be_client()?;
        let through_seq = request.into_inner().through_seq;
        self.call(Call::Collected { through_seq }).await?;
        Ok(Response::new(CollectedResponse {}))
    }
}
