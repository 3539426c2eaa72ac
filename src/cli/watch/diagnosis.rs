//! Asks workers what they reach of the orchestrator, and says which layer of the network is broken.

use std::time::Duration;

use anyhow::{Context, anyhow};
use futures::future::join_all;
use tokio::time::timeout;

use super::connection::connect_worker;
use crate::cli::connectivity::{endpoint, evidence};
use crate::cluster::{Cluster, PodAddresses};
use crate::connectivity::{Evidence, Layer, find_all};
use crate::diag::error_chain;
use crate::render::ORCHESTRATOR_PORT;
use crate::rpc::Identity;
use crate::rpc::pb::DialRequest;

/// For the addresses of pods and the way to a worker.
const ASKED_WITHIN: Duration = Duration::from_millis(700);
/// For the worker's attempts. A healthy network answers within milliseconds, and the first retransmission of
/// a SYN comes after a second.
const DIALLED_WITHIN: Duration = Duration::from_millis(1500);

/// What to ask, and of whom.
#[derive(Debug)]
pub(super) struct Diagnosis<'a, C> {
    pub cluster: &'a C,
    /// The rendered name of the orchestrator's pod.
    pub orchestrator: &'a str,
    pub identity: &'a Identity,
}

impl<C> Clone for Diagnosis<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Diagnosis<'_, C> {}

impl<C: Cluster + Sync> Diagnosis<'_, C> {
    /// A sentence for each of the workers: which layer keeps it from the orchestrator. `present` are the workers
    /// that have joined.
    pub async fn explain(&self, workers: &[String], present: &[String]) -> Vec<String> {
        let asked = timeout(ASKED_WITHIN, self.cluster.addresses(self.orchestrator)).await;
        let orchestrator = match asked {
            Ok(Ok(orchestrator)) => orchestrator,
            Ok(Err(error)) => {
                return vec![format!("cannot tell where the orchestrator is: {error}")];
            }
            Err(_) => {
                return vec!["cannot tell where the orchestrator is: no answer in time".to_owned()];
            }
        };
        let (evidence, neighbours) = tokio::join!(
            join_all(workers.iter().map(|worker| self.ask(worker, &orchestrator))),
            join_all(present.iter().map(|worker| self.node(worker))),
        );
        let known: Vec<&Evidence> = evidence.iter().flatten().collect();
        let layers = find_all(&known, |one| has_neighbour(&one.from.node, &neighbours));
        let mut layers = layers.into_iter();
        let sentence = |(worker, evidence): (&String, &anyhow::Result<Evidence>)| match evidence {
            // Each evidence has its layer.
            Ok(evidence) => Some(sentence(worker, evidence, layers.next()?)),
            Err(error) => Some(format!(
                "worker `{worker}` cannot be asked what it reaches: {error:#}"
            )),
        };
        workers.iter().zip(&evidence).filter_map(sentence).collect()
    }

    /// What a worker reaches of the orchestrator.
    async fn ask(&self, worker: &str, orchestrator: &PodAddresses) -> anyhow::Result<Evidence> {
        let pod = self.pod(worker);
        let within = ASKED_WITHIN;
        let (own, client) = tokio::join!(
            timeout(within, self.cluster.addresses(&pod)),
            timeout(
                within,
                connect_worker(self.cluster, &pod, worker, self.identity, within)
            ),
        );
        let own = own.context("the cluster does not answer")??;
        let mut client = client.context("the worker does not answer")??;
        let name = self.orchestrator.to_owned();
        let addresses = orchestrator.pod_ips.iter().chain(&orchestrator.service_ips);
        let request = DialRequest {
            hosts: addresses
                .map(ToString::to_string)
                .chain([name.clone()])
                .collect(),
            port: ORCHESTRATOR_PORT.into(),
            timeout_ms: u32::try_from(DIALLED_WITHIN.as_millis()).unwrap_or(u32::MAX),
            send_segment: true,
            exchange_segments: false,
        };
        let answered = timeout(DIALLED_WITHIN + ASKED_WITHIN, client.dial(request)).await;
        let response = answered
            .context("the worker does not answer")?
            .map_err(|status| anyhow!("{}", error_chain(&status)))?;
        Ok(evidence(
            endpoint(format!("worker `{worker}`"), own),
            ("the orchestrator".to_owned(), orchestrator.clone()),
            name,
            response.into_inner(),
        ))
    }

    /// The node of a worker.
    async fn node(&self, worker: &str) -> Option<String> {
        let pod = self.pod(worker);
        let asked = self.cluster.addresses(&pod);
        let found = timeout(ASKED_WITHIN, asked).await;
        found.ok()?.ok().map(|found| found.node)
    }

    /// The rendered name of a worker's pod.
    pub fn pod(&self, worker: &str) -> String {
        let prefix = self
            .orchestrator
            .strip_suffix("orchestrator")
            .unwrap_or_default();
        format!("{prefix}{worker}")
    }
}

/// Whether one of the workers that have joined is on this node. The node of a pod that has none yet is empty.
fn has_neighbour(node: &str, neighbours: &[Option<String>]) -> bool {
    let mut neighbours = neighbours.iter().flatten();
    !node.is_empty() && neighbours.any(|neighbour| neighbour == node)
}

fn sentence(worker: &str, evidence: &Evidence, layer: Layer) -> String {
    let node = match evidence.from.node.as_str() {
        "" => String::new(),
        node => format!(" on `{node}`"),
    };
    let explained = layer.explain(evidence);
    match layer {
        Layer::Nothing => format!("worker `{worker}`{node}: {explained}"),
        _ => format!("worker `{worker}`{node} cannot reach the orchestrator: {explained}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_of_unknown_nodes_are_no_neighbours() {
        let neighbours = ["n1", ""].map(|node| Some(node.to_owned()));
        assert!(has_neighbour("n1", &neighbours));
        assert!(!has_neighbour("n2", &neighbours));
        assert!(!has_neighbour("", &neighbours));
    }
}
