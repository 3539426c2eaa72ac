//! A worker's session: joins the orchestrator, obeys its orders, and comes back when the stream
//! breaks.

use std::error::Error as _;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use nix::sys::prctl::set_child_subreaper;
use tokio::net::lookup_host;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::control;
use super::host_info;
use super::observe::Observer;
use super::shared_copy::SharedCopy;
use super::steps::Steps;
use crate::diag::error_chain;
use crate::rpc::pb::to_worker::Message as Order;
use crate::rpc::pb::{FromWorker, Hello, ToWorker, from_worker};
use crate::rpc::{Identity, Malformed, connect};

/// How long a worker that no orchestrator takes keeps trying, by default: an orchestrator's
/// image may have to be pulled, its node may have to restart.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// How long a worker that holds the journal of a finished run waits for somebody to collect it, by default.
pub const COPY_PATIENCE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long the name of the worker's own Service may take to be known.
const SERVICE_KNOWN_WITHIN: Duration = Duration::from_secs(30);
/// After this long without it, the worker says so.
const SERVICE_EXPECTED_WITHIN: Duration = Duration::from_secs(3);
/// A worker that has been alone for this long prints why, for log collectors.
const ALONE_REPORTED_AFTER: Duration = Duration::from_secs(5);
/// How long an orchestrator that took the connection may take to open the stream.
const JOINED_WITHIN: Duration = Duration::from_secs(10);
/// A session that lasted this long counts as a success: the pauses start over after it.
const HELD: Duration = Duration::from_secs(1);
/// Answers that wait to be sent.
const ANSWERS: usize = 16;

/// Who a worker is, and whom it works for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The plan's name for it.
    pub name: String,
    /// The orchestrator's `host:port`.
    pub orchestrator: String,
    /// The host name of the worker's own Service, if it has one.
    pub service: Option<String>,
    pub identity: Identity,
    /// The address that others dial by default.
    pub pod_ip: IpAddr,
    /// The pod's address of the other family, if any.
    pub other_pod_ip: Option<IpAddr>,
    pub node: String,
    /// The loopback port on which it answers the command line, if any.
    pub control_ports: Option<RangeInclusive<u16>>,
    /// Programs of declared tools: the worker announces which files they are.
    pub programs: Vec<String>,
    /// How long it keeps trying while no orchestrator takes it; see [`PATIENCE`].
    pub patience: Duration,
    /// The folder for a copy of the run's journal; `None` when this worker holds none.
    pub copy: Option<PathBuf>,
    /// How long it keeps trying when it holds the journal of a finished run; see [`COPY_PATIENCE`].
    pub copy_patience: Duration,
    /// Takes a line for people whenever the worker joins, or waits for the orchestrator.
    pub tell: fn(&str),
}

/// Why a worker gave up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the worker's own service `{service}` has no usable address: {why}")]
    Service { service: String, why: String },
    #[error(
        "the orchestrator at `{at}` and this worker do not accept each other: {why}; \
         a worker needs the certificate of its own run, and the same version of netplan"
    )]
    Refused { at: String, why: String },
    #[error("no orchestrator at `{at}` for {seconds} s: {why}")]
    Lost {
        at: String,
        seconds: u64,
        why: String,
    },
}

/// Why a worker ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The orchestrator said goodbye: the run is over.
    Goodbye,
    /// It was asked to leave, e.g. because its pod is evicted. The run may continue.
    Shutdown,
}

/// Works until the orchestrator says goodbye or `shutdown` comes. No tool outlives it.
///
/// # Errors
/// When the worker's own Service has no address, the orchestrator refuses the worker, or nobody took it for
/// as long as its patience lasts.
pub async fn run(
    settings: &Settings,
    shutdown: impl Future<Output = ()>,
) -> Result<Parting, Error> {
    // Processes that a killed tool leaves come to this one, which reaps them; see `process`. Where
    // that is not possible, another process does.
    let _ = set_child_subreaper(true);
    let mut copy = SharedCopy::open(settings.copy.clone()).await;
    let _control = match settings.control_ports.clone() {
        Some(ports) => {
            match control::serve(ports.clone(), &settings.identity, copy.clone()).await {
                Ok(server) => Some(server),
                Err(error) => {
                    let message = format!(
                        "cannot answer the command line on any of the loopback ports {ports:?}: {error}"
                    );
                    (settings.tell)(&message);
                    // Nobody could collect the copy, e.g. if many workers are on one node's network.
                    copy = SharedCopy::default();
                    None
                }
            }
        }
        None => None,
    };
    let mut steps = Steps::observed_by(Observer::new(settings.pod_ip));
    let ending = tokio::select! {
        ending = work(settings, &mut steps, &copy) => ending.map(|()| Parting::Goodbye),
        () = copy.collected() => Ok(Parting::Goodbye),
        () = shutdown => Ok(Parting::Shutdown),
    };
    steps.kill().await;
    ending
}

async fn work(settings: &Settings, steps: &mut Steps, copy: &SharedCopy) -> Result<(), Error> {
    let text = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
    // With the journal of a finished run it measures no more, and must stay until somebody collects it.
    let holds_results = copy.with(|copy| copy.is_complete()).await;
    let service = async {
        if holds_results {
            return Ok([None, None]);
        }
        own_service(settings).await
    };
    let (environment, cluster_ips) = tokio::join!(
        host_info::gather(settings.pod_ip, &settings.programs),
        service
    );
    let [cluster_ip, other_cluster_ip] = cluster_ips?;
    let mut hello = Hello {
        worker: settings.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pod_ip: settings.pod_ip.to_string(),
        cluster_ip: text(cluster_ip),
        node: settings.node.clone(),
        environment_json: serde_json::to_string(&environment).unwrap_or_default(),
        other_pod_ip: text(settings.other_pod_ip),
        other_cluster_ip: text(other_cluster_ip),
        epoch: 0,
        copy: None,
        kept: Vec::new(),
    };
    let at = &settings.orchestrator;
    let mut alone_since = Instant::now();
    let mut pauses = Pauses::default();
    let mut is_reported = false;
    let mut last_ran: Option<Instant> = None;
    loop {
        let begun = Instant::now();
        hello.kept = steps.kept();
        if hello.kept.iter().any(|step| step.is_running) {
            last_ran = Some(begun);
        }
        (hello.epoch, hello.copy) = copy.with(|copy| (copy.obeyed(), copy.describe())).await;
        let ending = session(settings, &hello, steps, copy).await;
        // No tool of a session lives on in the next, unless it outlives sessions.
        steps.end_session().await;
        let why = match ending {
            Ending::Goodbye => return Ok(()),
            Ending::Refused(why) => {
                return Err(Error::Refused {
                    at: at.clone(),
                    why,
                });
            }
            Ending::Lost(why) => {
                (settings.tell)(&format!("lost the orchestrator at `{at}`: {why}"));
                // An orchestrator that drops the worker at once counts as absent.
                if begun.elapsed() >= HELD {
                    alone_since = Instant::now();
                    is_reported = false;
                    pauses = Pauses::default();
                }
                why
            }
            Ending::Absent(why) => {
                if pauses.is_first() {
                    (settings.tell)(&format!("waiting for the orchestrator at `{at}`: {why}"));
                }
                why
            }
        };
        let alone = alone_since.elapsed();
        if copy.with(|copy| copy.is_complete()).await {
            if alone >= settings.copy_patience {
                return Ok(());
            }
        } else {
            // What a tool measures is kept as long after its end.
            let has_waited = last_ran.is_none_or(|ran| ran.elapsed() >= settings.patience);
            let gives_up = alone >= settings.patience && has_waited;
            if gives_up || (alone >= ALONE_REPORTED_AFTER && !is_reported) {
                is_reported = true;
                (settings.tell)(&alone_record(settings, alone, &why));
            }
            if gives_up {
                return Err(Error::Lost {
                    at: at.clone(),
                    seconds: alone.as_secs(),
                    why,
                });
            }
        }
        sleep(pauses.next()).await;
    }
}

/// One line of JSON that says why the worker is alone.
fn alone_record(settings: &Settings, alone: Duration, why: &str) -> String {
    serde_json::json!({
        "level": "error",
        "message": "cannot reach the orchestrator",
        "worker": settings.name,
        "node": settings.node,
        "orchestrator": settings.orchestrator,
        "waited_s": alone.as_secs(),
        "error": why,
    })
    .to_string()
}

/// One stream, from its opening to its end.
async fn session(
    settings: &Settings,
    hello: &Hello,
    steps: &mut Steps,
    copy: &SharedCopy,
) -> Ending {
    let at = &settings.orchestrator;
    let mut client = match connect(at, &settings.identity).await {
        Ok(client) => client,
        Err(error) if is_refusal(&error.why) => return Ending::Refused(error.why),
        Err(error) => return Ending::Absent(error.why),
    };
    let (answers, outgoing) = mpsc::channel(ANSWERS);
    let message = Some(from_worker::Message::Hello(hello.clone()));
    // There is room: the channel is new.
    let _ = answers.try_send(FromWorker { message });
    let mut orders = match timeout(JOINED_WITHIN, client.work(ReceiverStream::new(outgoing))).await
    {
        Ok(Ok(response)) => response.into_inner(),
        Ok(Err(status)) => return refused_or(Ending::Absent, &status),
        Err(_) => return Ending::Absent("it takes the connection, but no worker".to_owned()),
    };
    (settings.tell)(&format!(
        "joined the orchestrator at `{at}` as `{}`",
        settings.name
    ));
    for answer in steps.begin_session(answers.clone()) {
        // Without room the stream has broken, which shows next.
        let _ = answers.send(answer).await;
    }
    loop {
        let order = tokio::select! {
            order = orders.message() => order,
            () = steps.ended() => continue,
        };
        match order {
            Ok(Some(order)) if !copy.obeys(order.epoch).await => {
                return Ending::Lost("another orchestrator has taken its place".to_owned());
            }
            Ok(Some(ToWorker { message, epoch })) => match message {
                Some(Order::StartServer(order)) => {
                    steps.start_server(order, epoch, answers.clone());
                }
                Some(Order::RunClient(order)) => steps.run_client(order, epoch, answers.clone()),
                Some(Order::Accept(order)) => steps.accept(order, answers.clone()),
                Some(Order::TryConnection(order)) => steps.try_connection(order, answers.clone()),
                Some(Order::Stop(order)) => steps.stop(order.step),
                Some(Order::Forget(order)) => steps.forget(order.step),
                Some(Order::Hold(order)) => {
                    let held = copy.with(move |copy| copy.hold(order)).await;
                    let message = Some(from_worker::Message::Held(held));
                    // Without room the stream has broken, which shows next.
                    let _ = answers.send(FromWorker { message }).await;
                }
                Some(Order::SendCopy(_)) => {
                    let parts = copy.with(|copy| copy.parts()).await;
                    let answers = answers.clone();
                    tokio::task::spawn_blocking(move || {
                        for part in parts {
                            let message = Some(from_worker::Message::CopyPart(part));
                            if answers.blocking_send(FromWorker { message }).is_err() {
                                return;
                            }
                        }
                    });
                }
                Some(Order::Goodbye(_)) => return Ending::Goodbye,
                None => return Ending::Refused(Malformed("message").to_string()),
            },
            Ok(None) => return Ending::Lost("it ended the stream".to_owned()),
            Err(status) => return refused_or(Ending::Lost, &status),
        }
    }
}

/// How a session ended.
#[derive(Debug)]
enum Ending {
    /// The run is over.
    Goodbye,
    /// Trying again will not help.
    Refused(String),
    /// It could not be reached, yet.
    Absent(String),
    /// The stream broke.
    Lost(String),
}

/// What a failed call means: a refusal, or `otherwise`.
fn refused_or(otherwise: fn(String) -> Ending, status: &Status) -> Ending {
    let said = match status.source() {
        // The transport failed, and the cause knows why.
        Some(cause) => error_chain(cause),
        None if status.message().is_empty() => status.code().description().to_owned(),
        None => status.message().to_owned(),
    };
    match status.code() {
        Code::Unauthenticated
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::InvalidArgument
        | Code::Unimplemented => Ending::Refused(said),
        // With TLS 1.3 a server refuses a client's certificate only after the client's handshake.
        _ if is_refusal(&said) => Ending::Refused(said),
        _ => otherwise(said),
    }
}

/// Whether TLS refused one of the two ends, by the text of its error: the error itself is hidden
/// in those of two other crates.
fn is_refusal(text: &str) -> bool {
    ["invalid peer certificate", "received fatal alert"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// The cluster IPs of the worker's own Service, one of each family. First comes the one of the pod's
/// address family where there is one. The cluster's DNS may hear of the Service later than the pod starts.
async fn own_service(settings: &Settings) -> Result<[Option<IpAddr>; 2], Error> {
    let Some(service) = &settings.service else {
        return Ok([None, None]);
    };
    let end = Instant::now() + SERVICE_KNOWN_WITHIN;
    let mut patience = pin!(sleep(SERVICE_EXPECTED_WITHIN));
    let mut is_late = false;
    let mut pauses = Pauses::default();
    loop {
        let mut lookup = pin!(lookup_host((service.as_str(), 0)));
        let found = loop {
            tokio::select! {
                found = &mut lookup => break found,
                () = &mut patience, if !is_late => {
                    is_late = true;
                    (settings.tell)(&format!(
                        "DNS has not told the address of the pod's own Service `{service}` within {} s",
                        SERVICE_EXPECTED_WITHIN.as_secs()
                    ));
                }
            }
        };
        let why = match found {
            Ok(addresses) => {
                let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
                let [first, other] = one_of_each_family(&addresses, settings.pod_ip);
                let is_own =
                    |ip: &IpAddr| *ip == settings.pod_ip || Some(*ip) == settings.other_pod_ip;
                match first {
                    // A pod's own short name is the pod: measuring by it would leave the Service out.
                    Some(address) if is_own(&address) => {
                        return Err(Error::Service {
                            service: service.clone(),
                            why: format!(
                                "it leads to the pod's own address {address}; \
                                 give the name as `<service>.<namespace>.svc`"
                            ),
                        });
                    }
                    Some(_) => return Ok([first, other]),
                    None => "the name is known, without an address".to_owned(),
                }
            }
            Err(error) => error.to_string(),
        };
        if Instant::now() >= end {
            return Err(Error::Service {
                service: service.clone(),
                why,
            });
        }
        sleep(pauses.next()).await;
    }
}

/// The first address of the family of `like`, and of the other one. Where there is none of the first, the other
/// takes its place.
fn one_of_each_family(addresses: &[IpAddr], like: IpAddr) -> [Option<IpAddr>; 2] {
    let find = |is_like: bool| {
        let mut addresses = addresses.iter().copied();
        addresses.find(|ip| (ip.is_ipv4() == like.is_ipv4()) == is_like)
    };
    match find(true) {
        Some(first) => [Some(first), find(false)],
        None => [find(false), None],
    }
}

/// Pauses between attempts: the first few are short, because all parts of a local run start at
/// once; the last ones are bearable for whoever is asked.
#[derive(Debug, Default)]
struct Pauses(u32);

impl Pauses {
    const FIRST: Duration = Duration::from_millis(2);
    const LONGEST: Duration = Duration::from_millis(500);

    fn is_first(&self) -> bool {
        self.0 == 0
    }

    fn next(&mut self) -> Duration {
        let pause = Self::FIRST.saturating_mul(2_u32.saturating_pow(self.0));
        self.0 = self.0.saturating_add(1);
        pause.min(Self::LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_milliseconds_to_half_a_second() {
        let mut pauses = Pauses::default();
        let first: Vec<u128> = (0..10).map(|_| pauses.next().as_millis()).collect();
        assert_eq!(first, [2, 4, 8, 16, 32, 64, 128, 256, 500, 500]);
        assert_eq!(Pauses(u32::MAX).next(), Pauses::LONGEST);
    }

    #[test]
    fn the_pods_family_comes_first() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let (v4, v6) = (ip("10.96.0.1"), ip("fd00::1"));
        let ordered = |found: &[IpAddr], like| one_of_each_family(found, like);
        assert_eq!(ordered(&[v6, v4], v4), [Some(v4), Some(v6)]);
        assert_eq!(ordered(&[v4, v6], v6), [Some(v6), Some(v4)]);
        assert_eq!(ordered(&[v6, ip("fd00::2")], v6), [Some(v6), None]);
        assert_eq!(ordered(&[v6], v4), [Some(v6), None]);
        assert_eq!(ordered(&[], v4), [None, None]);
    }

    #[test]
    fn a_refusal_is_told_from_an_absence() {
        let ending = |status| refused_or(Ending::Lost, &status);
        assert!(matches!(
            ending(Status::failed_precondition("v")),
            Ending::Refused(_)
        ));
        assert!(matches!(ending(Status::unavailable("v")), Ending::Lost(_)));
    }
}
