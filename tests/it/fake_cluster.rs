//! The API server in memory on a port of loopback, for the program itself, with a real orchestrator
//! behind its port-forward and workers that measure nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use netplan::diag::Source;
use netplan::orchestrator::state::Limits;
use netplan::orchestrator::{self, Linger, Settings};
use netplan::output::csv::nptest::{self as nptest_csv, Dialect};
use netplan::plan::ForbiddenConnection;
use netplan::render::ORCHESTRATOR_PORT;
use netplan::report::Report;
use netplan::results::{Event, archive};
use netplan::rpc::{CLIENT, Identity, connect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use crate::fake_api::{FakeApi, running};
use crate::orchestrator::{Worker, hello};
use crate::support::SOON;

const NAMESPACE: &str = "netplan";

/// A cluster that the program can be pointed at.
pub struct FakeCluster {
    pub api: FakeApi,
    /// Where `kubeconfig` is, and where the program is to be started.
    pub folder: TempDir,
    /// Where the orchestrator listens; nowhere when it does not run.
    orchestrator: Arc<Mutex<Option<SocketAddr>>>,
    /// A change cuts all port-forwards.
    cuts: Arc<watch::Sender<u32>>,
}

/// An orchestrator and its workers.
pub struct Running {
    pub id: String,
    pub journal: TempDir,
    /// A permit lets one client end.
    pub pace: Arc<Semaphore>,
    pub over: JoinHandle<()>,
}

impl FakeCluster {
    pub async fn start() -> Self {
        let api = FakeApi::new(|_| running());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let orchestrator = Arc::new(Mutex::new(None));
        let cuts = Arc::new(watch::Sender::new(0));
        tokio::spawn(serve(
            listener,
            api.clone(),
            orchestrator.clone(),
            cuts.clone(),
        ));
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": format!("http://{address}")}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "me"}}],
            "users": [{"name": "me", "user": {}}],
        });
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();
        Self {
            api,
            folder,
            orchestrator,
            cuts,
        }
    }

    /// Waits for the objects of a run and does what its pods would.
    pub async fn play(&self) -> Running {
        let mut changes = self.api.changes();
        let job = loop {
            let all = self.api.all();
            let mut jobs = all.iter().filter_map(|name| name.strip_prefix("jobs/"));
            if let Some(job) = jobs.find(|job| job.ends_with("-orchestrator")) {
                break job.to_owned();
            }
            let applied = timeout(SOON, changes.changed()).await;
            applied.expect("objects should be applied").unwrap();
        };
        let prefix = job.strip_suffix("-orchestrator").unwrap().to_owned();
        let id = prefix.strip_prefix("netplan-").unwrap().to_owned();
        let plan = self.api.get("configmaps", NAMESPACE, &prefix).unwrap();
        let journal = tempfile::tempdir().unwrap();
        let settings = Settings {
            run: id.clone(),
            plan: Source::new("plan.yaml", plan["data"]["plan.yaml"].as_str().unwrap()),
            only: None,
            forbidden: self.forbidden(&job),
            identity: self.identity("orchestrator", &job),
            journal: journal.path().join("run"),
            resume: plan["binaryData"]["journal.gz"].as_str().map(|text| {
                let folded: k8s_openapi::ByteString = serde_json::from_value(json!(text)).unwrap();
                archive::unfold(&folded.0).unwrap()
            }),
            copies: None,
            salt: 1,
            limits: Limits::default(),
            linger: Linger::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        *self.orchestrator.lock().unwrap() = Some(address);
        let pace = Arc::new(Semaphore::new(0));
        for (index, worker) in self.workers(&prefix).into_iter().enumerate() {
            let identity = self.identity(&worker, &format!("{prefix}-{worker}"));
            let pace = pace.clone();
            tokio::spawn(async move {
                let client = connect(&address.to_string(), &identity).await.unwrap();
                let joined = Worker::join(client, hello(&worker, index)).await.unwrap();
                joined.obey_at(pace).await;
            });
        }
        let pod = self.api.pod_of(NAMESPACE, &job);
        let pod = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let api = self.api.clone();
        let address = self.orchestrator.clone();
        let over = tokio::spawn(async move {
            let tell = |line: &str| api.log(&pod, line);
            let never = std::future::pending();
            orchestrator::run(settings, listener, never, tell, csv)
                .await
                .unwrap();
            *address.lock().unwrap() = None;
            // Somebody may have removed all by now.
            api.complete(NAMESPACE, &job);
        });
        Running {
            id,
            journal,
            pace,
            over,
        }
    }

    /// The workers of a run, by their Secrets, which are there before any Job.
    fn workers(&self, prefix: &str) -> Vec<String> {
        let of_worker = |name: &String| {
            let name = name.strip_prefix("secrets/")?;
            let worker = name.strip_prefix(prefix)?.strip_prefix('-')?;
            (worker != "orchestrator").then(|| worker.to_owned())
        };
        self.api.all().iter().filter_map(of_worker).collect()
    }

    /// The connections that the orchestrator's pod is told to try.
    fn forbidden(&self, job: &str) -> Vec<ForbiddenConnection> {
        let job = self.api.get("jobs", NAMESPACE, job).unwrap();
        let command = &job["spec"]["template"]["spec"]["containers"][0]["command"];
        let words = command.as_array().unwrap().iter();
        let words = words.filter_map(|word| word.as_str().unwrap().strip_prefix("--forbidden="));
        words.map(|word| word.parse().unwrap()).collect()
    }

    /// Breaks all connections through the port-forward.
    pub fn cut_forwards(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Breaks all connections to the orchestrator, and lets none be made.
    pub fn cut_orchestrator_off(&self) {
        *self.orchestrator.lock().unwrap() = None;
        self.cut_forwards();
    }

    /// What a pod takes from the Secret that it mounts.
    fn identity(&self, role: &str, secret: &str) -> Identity {
        assert_ne!(role, CLIENT);
        let secret_object = self.api.get("secrets", NAMESPACE, secret).unwrap();
        let data: BTreeMap<String, k8s_openapi::ByteString> =
            serde_json::from_value(secret_object["data"].clone()).unwrap();
        let data = data
            .into_iter()
            .map(|(key, bytes)| (key, bytes.0))
            .collect();
        Identity::from_secret(role, secret, data).unwrap()
    }

    /// Kind and name of all that a run has made.
    pub fn made(&self) -> Vec<String> {
        let mut all = self.api.all();
        all.retain(|name| !name.starts_with("nodes/"));
        all
    }
}

fn csv(events: &[Event]) -> String {
    let report = Report::from_events(events).unwrap();
    nptest_csv::render(&report, Dialect::Nptest) + "END CSV DATA"
}

async fn serve(
    listener: TcpListener,
    api: FakeApi,
    orchestrator: Arc<Mutex<Option<SocketAddr>>>,
    cuts: Arc<watch::Sender<u32>>,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (api, orchestrator, cuts) = (api.clone(), orchestrator.clone(), cuts.clone());
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (api, place, cuts) = (api.clone(), orchestrator.clone(), cuts.clone());
            async move {
                if request.uri().path().ends_with("/portforward") {
                    let place = *place.lock().unwrap();
                    return Ok(forward(request, place, cuts.subscribe()).map(Either::Left));
                }
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let request = Request::from_parts(head, Body::from(body.to_vec()));
                Ok::<_, Infallible>(api.answer(request).await.map(Either::Right))
            }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades(),
        );
    }
}

/// Answers as an API server does, and then passes bytes on.
fn forward(
    mut request: Request<Incoming>,
    to: Option<SocketAddr>,
    cut: watch::Receiver<u32>,
) -> Response<Empty<Bytes>> {
    let key = request.headers()[header::SEC_WEBSOCKET_KEY].as_bytes();
    let accept = derive_accept_key(key);
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(pass(upgrade, to, cut));
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "Upgrade")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .header(header::SEC_WEBSOCKET_PROTOCOL, "v4.channel.k8s.io")
        .body(Empty::new())
        .unwrap()
}

/// Channel 0 has the bytes, channel 1 an error; each begins with the port.
async fn pass(upgrade: OnUpgrade, to: Option<SocketAddr>, mut cut: watch::Receiver<u32>) {
    let Ok(stream) = upgrade.await else { return };
    cut.borrow_and_update();
    let io = TokioIo::new(stream);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    let port = ORCHESTRATOR_PORT.to_le_bytes();
    for channel in [0, 1] {
        let begin = Message::binary(vec![channel, port[0], port[1]]);
        if socket.send(begin).await.is_err() {
            return;
        }
    }
    let Some(to) = to else {
        let _ = socket
            .send(Message::binary(b"\x01connection refused".to_vec()))
            .await;
        return;
    };
    let Ok(mut pod) = TcpStream::connect(to).await else {
        return;
    };
    let mut bytes = vec![0; 64 << 10];
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(data))) if data.len() > 1 => {
                    if pod.write_all(&data[1..]).await.is_err() {
                        return;
                    }
                }
                Some(Ok(message)) if !message.is_close() => {}
                _ => return,
            },
            read = pod.read(&mut bytes) => match read {
                Ok(count) if count > 0 => {
                    let data = [&[0], &bytes[..count]].concat();
                    if socket.send(Message::binary(data)).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            _ = cut.changed() => return,
        }
    }
}

/// The events of a journal in a folder, as they are on disk.
pub fn journal(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("events.jsonl")).unwrap_or_default()
}

/// The value of a key in each line.
pub fn kinds(journal: &str) -> Vec<String> {
    let event = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["event"].as_str().unwrap().to_owned()
    };
    journal.lines().map(event).collect()
}
