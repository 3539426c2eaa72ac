//! Runs a worker: it joins the orchestrator, and comes back when a session breaks, until the run is over or nobody has
//! taken it for too long.

use std::net::IpAddr;
use std::time::Duration;

use nix::sys::prctl::set_child_subreaper;
use tokio::time::{Instant, sleep};

use super::control;
use super::host_info;
use super::observe::Observer;
use super::own_service;
use super::pauses::Pauses;
use super::session::{Ending, session};
use super::settings::Settings;
use super::shared_copy::SharedCopy;
use super::steps::Steps;
use crate::rpc::pb::Hello;

/// A worker that has been alone for this long prints why, for log collectors.
const ALONE_REPORTED_AFTER: Duration = Duration::from_secs(5);

/// A session that lasted this long counts as a success: the pauses start over after it.
const HELD: Duration = Duration::from_secs(1);

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
        let Some(service) = &settings.service else {
            return Ok([None, None]);
        };
        let cluster_ips = own_service::cluster_ips(service, settings).await;
        cluster_ips.map_err(|why| Error::Service {
            service: service.clone(),
            why,
        })
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
