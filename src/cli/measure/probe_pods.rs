//! The pods of `netplan doctor --probe`: each dials all others, by each of their addresses.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, anyhow};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use tokio::time::{Instant, sleep, timeout};

use super::prepare::Prepared;
use crate::cli::connectivity::{Unasked, endpoint, evidence, matrix};
use crate::cli::interrupt::Interrupt;
use crate::cli::kubernetes::run_lookup;
use crate::cli::terminal::printer;
use crate::cli::watch::connect_worker;
use crate::cluster::{Cluster, PodAddresses};
use crate::connectivity::{Evidence, Layer, find};
use crate::diag::error_chain;
use crate::output::terminal;
use crate::rpc::WorkerClient;
use crate::rpc::pb::{DialRequest, ListenRequest};
use crate::tools::{self, Transport};

/// Nodes that are probed; their pairs are as many as the square of it.
const MOST_NODES: usize = 32;
/// For the way to a pod whose process has just been started.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// For the attempts of one pair.
const DIALLED_WITHIN: Duration = Duration::from_millis(1500);
/// kube-proxy and DNS may take this long to know a new Service.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(300);
/// Pairs that are probed at once.
const AT_ONCE: usize = 64;
/// How long the pods listen.
const LISTENED_FOR: Duration = Duration::from_secs(60);

/// What the pods reach of each other.
pub(super) struct Found {
    /// What each pod reaches of each other one.
    pairs: Vec<(Evidence, Layer)>,
    unasked: Vec<Unasked>,
}

impl Found {
    /// Whether all pods were asked, and reach each other.
    pub fn is_well(&self) -> bool {
        let mut pairs = self.pairs.iter();
        self.unasked.is_empty() && pairs.all(|(_, layer)| *layer == Layer::Nothing)
    }
}

/// Probes and removes the pods, whatever happens.
pub(super) async fn attend<C: Cluster + Sync>(
    cluster: C,
    prepared: &Prepared,
) -> anyhow::Result<Option<Found>> {
    let count = prepared.plan.workers.len();
    if count > MOST_NODES {
        return Err(anyhow!(
            "{count} nodes can take a pod, and `--probe` tries at most {MOST_NODES}: choose some with \
             `kubernetes.node_selector` in a plan, and name the plan"
        ));
    }
    let mut interrupt = Interrupt::listen()?;
    let found = tokio::select! {
        found = all_pairs(&cluster, prepared) => found.map(Some),
        _ = interrupt.next() => Ok(None),
    };
    if matches!(found, Ok(None)) {
        printer::warning("interrupted; removing the pods (once more: at once)");
    }
    // The removal takes longer.
    let shown = match &found {
        Ok(Some(found)) => show(found),
        _ => Ok(()),
    };
    let run = &prepared.run;
    let clean = run_lookup::command_in("clean", &run.id, &run.namespace);
    let removed = tokio::select! {
        removed = cluster.down() => removed.map_err(anyhow::Error::from),
        _ = interrupt.next() => Err(anyhow!("interrupted; `{clean} --force` removes what is left")),
    };
    if let (Err(_), Err(error)) = (&found, &removed) {
        printer::warning(&printer::chain(error));
    }
    let found = found?;
    removed?;
    shown?;
    Ok(found)
}

fn show(found: &Found) -> anyhow::Result<()> {
    let (width, colour) = (printer::width(), printer::colour_stdout());
    let document = matrix(&found.pairs, &found.unasked);
    printer::results(&terminal::render(&document, width, colour))
}

/// A pod of the probe.
struct Pod {
    worker: String,
    /// Its rendered name, and that of its Service.
    name: String,
    addresses: PodAddresses,
    client: WorkerClient,
}

async fn all_pairs<C: Cluster + Sync>(cluster: &C, prepared: &Prepared) -> anyhow::Result<Found> {
    cluster.apply(&prepared.manifests).await?;
    let ports = tools::Ports::for_plan(&prepared.plan);
    let port = prepared.plan.workers.keys().find_map(|worker| {
        let mut ports = ports.worker(worker).into_iter();
        ports.find(|port| port.transport == Transport::Tcp)
    });
    let port = port.context("the probe has no port")?.number;
    let workers = prepared.plan.workers.keys();
    let asked = workers.map(async |worker| (worker, pod(cluster, prepared, worker, port).await));
    let mut pods = Vec::new();
    let mut unasked: BTreeMap<String, String> = BTreeMap::new();
    for (worker, answer) in join_all(asked).await {
        match answer {
            Ok(pod) => pods.push(pod),
            Err(error) => drop(unasked.insert(worker.clone(), format!("{error:#}"))),
        }
    }
    let mut open: Vec<(usize, usize)> = (0..pods.len())
        .flat_map(|from| (0..pods.len()).map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
        .collect();
    let mut found: Vec<((usize, usize), Evidence)> = Vec::new();
    let settled = Instant::now() + SETTLED_WITHIN;
    loop {
        let asked = open.iter().map(|&(from, to)| {
            let (from_pod, to_pod) = (&pods[from], &pods[to]);
            async move { ((from, to), dial(from_pod, to_pod, port).await) }
        });
        let answers: Vec<_> = stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let is_last = Instant::now() >= settled;
        open.clear();
        for (pair, answer) in answers {
            match answer {
                Ok(evidence) if is_last || find(&evidence, false) == Layer::Nothing => {
                    found.push((pair, evidence));
                }
                Err(error) if is_last => {
                    let worker = pods[pair.0].worker.clone();
                    unasked.entry(worker).or_insert(format!("{error:#}"));
                }
                _ => open.push(pair),
            }
        }
        if open.is_empty() {
            break;
        }
        sleep(PAUSE).await;
    }
    found.sort_by_key(|(pair, _)| *pair);
    let found = found.into_iter().map(|(_, evidence)| {
        let layer = find(&evidence, false);
        (evidence, layer)
    });
    let unasked = unasked.into_iter().map(|(worker, why)| Unasked {
        name: format!("`{worker}`"),
        why,
    });
    Ok(Found {
        pairs: found.collect(),
        unasked: unasked.collect(),
    })
}

/// A pod that others can dial from now on.
async fn pod<C: Cluster + Sync>(
    cluster: &C,
    prepared: &Prepared,
    worker: &str,
    port: u16,
) -> anyhow::Result<Pod> {
    let name = prepared.run.worker(worker);
    let (addresses, client) = tokio::join!(
        cluster.addresses(&name),
        connect_worker(cluster, &name, worker, &prepared.client, CONNECTED_WITHIN),
    );
    let mut client = client?;
    let listen = ListenRequest {
        port: port.into(),
        duration_ms: u32::try_from(LISTENED_FOR.as_millis()).unwrap_or(u32::MAX),
    };
    let listening = timeout(CONNECTED_WITHIN, client.listen(listen)).await;
    listening
        .with_context(|| format!("pod `{name}` does not answer"))?
        .map_err(|status| anyhow!("pod `{name}`: {}", error_chain(&status)))?;
    Ok(Pod {
        worker: worker.to_owned(),
        name,
        addresses: addresses?,
        client,
    })
}

/// What one pod reaches of another.
async fn dial(from: &Pod, to: &Pod, port: u16) -> anyhow::Result<Evidence> {
    let addresses = to.addresses.pod_ips.iter().chain(&to.addresses.service_ips);
    let hosts = addresses.map(ToString::to_string).chain([to.name.clone()]);
    let request = DialRequest {
        hosts: hosts.collect(),
        port: port.into(),
        timeout_ms: u32::try_from(DIALLED_WITHIN.as_millis()).unwrap_or(u32::MAX),
        send_segment: false,
        exchange_segments: true,
    };
    let mut client = from.client.clone();
    let answered = timeout(DIALLED_WITHIN + CONNECTED_WITHIN, client.dial(request)).await;
    let response = answered
        .with_context(|| format!("pod `{}` does not answer", from.name))?
        .map_err(|status| anyhow!("pod `{}`: {}", from.name, error_chain(&status)))?;
    Ok(evidence(
        endpoint(format!("`{}`", from.worker), from.addresses.clone()),
        (format!("`{}`", to.worker), to.addresses.clone()),
        to.name.clone(),
        response.into_inner(),
    ))
}
