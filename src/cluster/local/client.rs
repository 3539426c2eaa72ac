//! A local cluster, as the command line uses it: starts the sandbox and sends it requests.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use super::blueprint::assemble::Blueprint;
use super::blueprint::fault::FaultPlan;
use super::capture;
use super::ipc::framing::{Receiver, Sender};
use super::ipc::messages::{Answer, Call, Message, Request};
use super::machine::families::with_families;
use super::machine::host_paths::{host_files, paths_to_show};
use super::machine::path_lookup::search_path;
use super::machine::process_limit::process_limit_reached;
use super::sandbox::Stage;
use super::sandbox_process::SandboxProcess;
use crate::cluster::{Arrivals, Cluster, Error, FaultSwitch, Health, PodAddresses, PodEnded};
use crate::plan::{self, Fault};
use crate::render::Manifest;
use crate::system::with_original_file_limit;

/// A local cluster. It is gone when this value is dropped, or its process ends, however it does.
#[derive(Debug)]
pub struct Local {
    settings: plan::Local,
    /// Programs that pods start by name.
    programs: BTreeSet<String>,
    blueprint: OnceLock<Blueprint>,
    sender: Arc<Sender>,
    /// To the thread that sends: what is much does not fit a socket's buffer.
    requests: std::sync::mpsc::Sender<Request>,
    waiting: Arc<Waiting>,
    next_id: AtomicU64,
    ended: tokio::sync::Mutex<mpsc::UnboundedReceiver<PodEnded>>,
    sandbox: SandboxProcess,
    /// Each ends its packet capture when it is dropped.
    captures: Mutex<Vec<UnixStream>>,
}

type Reply = (Result<Answer, Error>, Option<OwnedFd>);

/// Who waits for an answer, and why none will come any more.
#[derive(Debug, Default)]
struct Waiting {
    requests: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
    gone: OnceLock<String>,
}

/// Making namespaces takes milliseconds; a machine that needs longer than this is stuck.
const START: Duration = Duration::from_secs(10);
/// What is read of the sandbox's standard error.
const SAID_BYTES: u64 = 64 * 1024;
/// For the whole network and all pods' processes.
const UP: Duration = Duration::from_secs(120);
/// For an answer that is due at once, and beyond what the sandbox was told to wait.
const ANSWER: Duration = Duration::from_secs(10);
impl Local {
    /// Makes the cluster's namespaces; they are empty until [`Cluster::apply`].
    ///
    /// `exe` is the netplan program, which for the program itself is `/proc/self/exe`; its `main`
    /// must begin with [`super::sandbox::dispatch`].
    ///
    /// # Errors
    /// [`Error::Problem`] when the kernel refuses namespaces, with what to do about it.
    pub async fn start(exe: &Path, settings: &plan::Local) -> Result<Self, Error> {
        let cannot = |error: io::Error| Error::system("start the local cluster", error);
        let not_started = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                Error::from(process_limit_reached("start the local cluster"))
            }
            _ => cannot(error),
        };
        let (near, far) = UnixStream::pair().map_err(cannot)?;
        let mut command = Stage::Hold.command(exe);
        command
            // Links below folders that it covers lead nowhere then.
            .env("PATH", search_path())
            .stdin(OwnedFd::from(far))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // The terminal's Ctrl-C is for the command line, which decides what it means.
            .process_group(0);
        let mut child = with_original_file_limit(|| command.spawn()).map_err(not_started)?;
        // It holds the other end of the socket too.
        drop(command);
        let stderr = child.stderr.take();
        let sandbox = SandboxProcess::new(child);
        let receiver = Receiver::new(near.try_clone().map_err(cannot)?);
        let waiting = Arc::new(Waiting::default());
        let (hello, greeted) = oneshot::channel();
        let (events, ended) = mpsc::unbounded_channel();
        let listener = Arc::clone(&waiting);
        thread::Builder::new()
            .name("local-cluster".to_owned())
            .spawn(move || listen(receiver, stderr, &listener, hello, &events))
            .map_err(not_started)?;
        let sender = Arc::new(Sender::new(near));
        let (requests, queue) = std::sync::mpsc::channel();
        let sending = Arc::clone(&sender);
        thread::Builder::new()
            .name("local-cluster".to_owned())
            .spawn(move || send(&sending, &queue))
            .map_err(not_started)?;
        let local = Self {
            settings: with_families(settings),
            programs: BTreeSet::new(),
            blueprint: OnceLock::new(),
            sender,
            requests,
            waiting,
            next_id: AtomicU64::new(0),
            ended: tokio::sync::Mutex::new(ended),
            sandbox,
            captures: Mutex::default(),
        };
        match tokio::time::timeout(START, greeted).await {
            Ok(Ok(hello)) => hello.map(|()| local),
            Ok(Err(_)) => Err(local.waiting.gone()),
            Err(_) => Err(Error::Gone {
                why: ": it did not start within 10 s".to_owned(),
            }),
        }
    }

    /// Has pods find these programs where this process finds them, also where a pod has a folder of its own,
    /// as it has with `/tmp`. To be called before [`Cluster::apply`].
    #[must_use]
    pub fn with_programs(mut self, programs: BTreeSet<String>) -> Self {
        self.programs = programs;
        self
    }

    /// Ends a pod's processes, as a crash would; its restart policy takes it from there.
    ///
    /// # Errors
    /// [`Error::NoSuchPod`], or the cluster is gone.
    pub async fn kill(&self, pod: &str) -> Result<(), Error> {
        let pod = pod.to_owned();
        self.call(Call::Kill { pod }, ANSWER).await.map(drop)
    }

    fn fault(&self, fault: &Fault) -> Result<FaultPlan, Error> {
        match self.blueprint.get() {
            Some(blueprint) => blueprint.fault(fault),
            None => Err(Error::system("prepare a fault", "no objects were applied")),
        }
    }

    async fn switch(&self, call: Call) -> Result<FaultSwitch, Error> {
        match self.call(call, UP).await? {
            (Answer::Switched(switch), _) => Ok(switch),
            _ => Err(Error::system("switch a fault", "it did not say when")),
        }
    }

    /// Has the sandbox do something, which must not take longer than `within`.
    async fn call(&self, call: Call, within: Duration) -> Result<(Answer, Option<OwnedFd>), Error> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (reply, answered) = oneshot::channel();
        lock(&self.waiting.requests).insert(id, reply);
        let sent = self.requests.send(Request { id, call });
        if sent.is_err() || self.waiting.gone.get().is_some() {
            lock(&self.waiting.requests).remove(&id);
            return Err(self.waiting.gone());
        }
        match tokio::time::timeout(within, answered).await {
            Ok(Ok((answer, fd))) => answer.map(|answer| (answer, fd)),
            Ok(Err(_)) => Err(self.waiting.gone()),
            Err(_) => {
                lock(&self.waiting.requests).remove(&id);
                let limit = within.as_secs();
                Err(Error::Gone {
                    why: format!(": it did not answer within {limit} s"),
                })
            }
        }
    }
}

impl Cluster for Local {
    type Stream = TcpStream;

    async fn apply(&self, manifests: &[Manifest]) -> Result<(), Error> {
        let mut blueprint = Blueprint::new(manifests, &self.settings)?;
        let files = host_files(&self.programs)?;
        for pod in &mut blueprint.pods {
            pod.host_paths = paths_to_show(&files, &pod.mounts);
        }
        let call = Call::Up {
            network: blueprint.network.clone(),
            pods: blueprint.pods.clone(),
        };
        self.blueprint
            .set(blueprint)
            .map_err(|_| Error::AlreadyApplied)?;
        self.call(call, UP).await.map(drop)
    }

    async fn connect(&self, pod: &str, port: u16, within: Duration) -> Result<TcpStream, Error> {
        let within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let call = Call::Connect {
            pod: pod.to_owned(),
            port,
            within_ms,
        };
        let cannot = |error: io::Error| Error::Connect {
            pod: pod.to_owned(),
            port,
            why: error.to_string(),
        };
        let (_, fd) = self.call(call, within.saturating_add(ANSWER)).await?;
        let fd = fd.ok_or_else(|| cannot(io::Error::other("no socket was sent")))?;
        let stream = std::net::TcpStream::from(fd);
        // A mark is small, and its uncertainty is how long it takes.
        stream.set_nodelay(true).map_err(cannot)?;
        stream.set_nonblocking(true).map_err(cannot)?;
        TcpStream::from_std(stream).map_err(cannot)
    }

    async fn ended(&self) -> Option<PodEnded> {
        self.ended.lock().await.recv().await
    }

    /// Its end is told by [`Cluster::ended`], and it has no other silence.
    async fn health(&self, _: &Health) -> Health {
        std::future::pending().await
    }

    async fn logs(&self, pod: &str) -> Result<String, Error> {
        let pod = pod.to_owned();
        match self.call(Call::Logs { pod }, ANSWER).await? {
            (Answer::Text(text), _) => Ok(text),
            _ => Ok(String::new()),
        }
    }

    async fn addresses(&self, pod: &str) -> Result<PodAddresses, Error> {
        let blueprint = self.blueprint.get();
        let addresses = blueprint.and_then(|blueprint| blueprint.addresses(pod));
        addresses.ok_or_else(|| Error::NoSuchPod {
            pod: pod.to_owned(),
        })
    }

    async fn prepare_fault(&self, fault: &Fault) -> Result<(), Error> {
        let call = Call::PrepareFault(self.fault(fault)?);
        self.call(call, UP).await.map(drop)
    }

    async fn begin_fault(&self, fault: &Fault) -> Result<FaultSwitch, Error> {
        self.switch(Call::BeginFault(self.fault(fault)?)).await
    }

    async fn end_fault(&self, fault: &Fault) -> Result<FaultSwitch, Error> {
        self.switch(Call::EndFault(self.fault(fault)?)).await
    }

    async fn end_faults(&self) -> Result<(), Error> {
        self.call(Call::EndFaults, ANSWER).await.map(drop)
    }

    async fn capture(&self, pod: &str, port: u16, into: &Arrivals) -> Result<(), Error> {
        let what = format!("capture packets in pod `{pod}`");
        let pod = pod.to_owned();
        let (_, socket) = self.call(Call::Capture { pod, port }, ANSWER).await?;
        let socket = socket.ok_or_else(|| Error::system(&what, "no socket was sent"))?;
        let started = capture::start(socket, into.clone());
        let end = started.map_err(|error| Error::system(&what, error))?;
        lock(&self.captures).push(end);
        Ok(())
    }

    fn description(&self) -> serde_json::Value {
        self.blueprint
            .get()
            .map(Blueprint::describe)
            .unwrap_or_default()
    }

    async fn down(mut self) -> Result<(), Error> {
        self.sender.close();
        self.sandbox.ended().await;
        Ok(())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.sender.close();
    }
}

impl Waiting {
    fn gone(&self) -> Error {
        Error::Gone {
            why: self.gone.get().cloned().unwrap_or_default(),
        }
    }
}

/// Sends requests until there are no more, or nobody takes them.
fn send(sender: &Sender, requests: &std::sync::mpsc::Receiver<Request>) {
    for request in requests {
        if sender.send(&request, None).is_err() {
            // The end of the other direction says why.
            return;
        }
    }
}

/// Hands on what the sandbox says, until it ends.
fn listen(
    mut receiver: Receiver,
    stderr: Option<impl Read>,
    waiting: &Waiting,
    hello: oneshot::Sender<Result<(), Error>>,
    events: &mpsc::UnboundedSender<PodEnded>,
) {
    let mut hello = Some(hello);
    // Whoever does not wait any more needs no answer.
    while let Ok(Some(message)) = receiver.receive() {
        match message {
            Message::Hello(result) => {
                if let Some(hello) = hello.take() {
                    let _ = hello.send(result);
                }
            }
            Message::Answer { id, answer } => {
                let fd = match answer {
                    Ok(Answer::Socket) => receiver.take_fd(),
                    _ => None,
                };
                if let Some(reply) = lock(&waiting.requests).remove(&id) {
                    let _ = reply.send((answer, fd));
                }
            }
            Message::Ended(ended) => {
                let _ = events.send(ended);
            }
        }
    }
    let mut said = String::new();
    if let Some(stderr) = stderr {
        let _ = stderr.take(SAID_BYTES).read_to_string(&mut said);
    }
    let why = match said.trim() {
        "" => ": its processes were killed; if you did not do that, `sudo dmesg` tells whether memory \
               ran out"
            .to_owned(),
        said => format!(": {said}"),
    };
    let _ = waiting.gone.set(why);
    lock(&waiting.requests).clear();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
