//! Connections to the orchestrator, and how they end.

use std::time::Duration;

use anyhow::anyhow;
use futures::future::select_ok;

use crate::catalog::WORKER_CONTROL_PORTS;
use crate::cluster::Cluster;
use crate::render::ORCHESTRATOR_PORT;
use crate::rpc::pb::CancelRequest;
use crate::rpc::{self, Client, Identity, WorkerClient};

/// The orchestrator is a process that has just been started; it listens within milliseconds.
const ORCHESTRATOR_LISTENS_WITHIN: Duration = Duration::from_secs(20);

/// For the other ports of a worker, when the first one is somebody else's or nobody's: it listens there already.
const OTHER_PORT_WITHIN: Duration = Duration::from_millis(500);

/// Why a connection to the orchestrator was of no more use.
#[derive(Debug)]
pub(in crate::cli) enum Lost {
    /// The next one may be; the run itself may be well.
    Again(anyhow::Error),
    /// There is nothing to come back to.
    Final(anyhow::Error),
}

impl From<Lost> for anyhow::Error {
    fn from(lost: Lost) -> Self {
        let (Lost::Again(error) | Lost::Final(error)) = lost;
        error
    }
}

/// Connects to the orchestrator.
pub(super) async fn connect<C: Cluster + Sync>(
    cluster: &C,
    orchestrator: &str,
    identity: &Identity,
) -> Result<Client, Lost> {
    let within = ORCHESTRATOR_LISTENS_WITHIN;
    let stream = cluster
        .connect(orchestrator, ORCHESTRATOR_PORT, within)
        .await
        .map_err(|error| Lost::Again(error.into()))?;
    let client = rpc::connect_over(stream, identity).await;
    client.map_err(|error| Lost::Again(error.into()))
}

/// Connects to what a worker answers the command line, by the cluster's port-forward. `pod` is the rendered
/// name of the worker's pod. Where others share its network, one of them may have the first port: only the worker's
/// certificate tells.
pub(in crate::cli) async fn connect_worker<C: Cluster + Sync>(
    cluster: &C,
    pod: &str,
    worker: &str,
    identity: &Identity,
    within: Duration,
) -> anyhow::Result<WorkerClient> {
    let connect = async |port, within| -> anyhow::Result<WorkerClient> {
        let stream = cluster.connect(pod, port, within).await?;
        Ok(rpc::connect_worker_over(stream, identity, worker).await?)
    };
    let (first, last) = WORKER_CONTROL_PORTS.into_inner();
    let error = match connect(first, within).await {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    let others = (first + 1..=last).map(|port| Box::pin(connect(port, OTHER_PORT_WITHIN)));
    match select_ok(others).await {
        Ok((client, _)) => Ok(client),
        Err(_) => Err(error),
    }
}

/// Asks the orchestrator to stop the run.
pub(in crate::cli) async fn cancel<C: Cluster + Sync>(
    cluster: &C,
    orchestrator: &str,
    identity: &Identity,
) -> anyhow::Result<()> {
    let mut client = connect(cluster, orchestrator, identity).await?;
    let answer = client.cancel(CancelRequest {}).await;
    let answer = answer.map_err(|status| anyhow!("{}", crate::diag::error_chain(&status)))?;
    rpc::same_version(answer.metadata())?;
    Ok(())
}
