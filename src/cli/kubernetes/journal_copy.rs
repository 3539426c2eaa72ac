//! Reads the journal of a run from the worker that holds a copy of it: the orchestrator's pod may be gone.

use std::time::Duration;

use anyhow::{anyhow, bail};
use futures::future::join_all;
use tokio::time::timeout;

use crate::cli::watch::{Heard, Sink, connect_worker};
use crate::cluster::kubernetes::Kubernetes;
use crate::diag::error_chain;
use crate::rpc::pb::{Copy, CopyCollectedRequest, DescribeCopyRequest, ReadCopyRequest};
use crate::rpc::{self, Identity, WorkerClient};

/// For a worker to say what it holds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// For a running worker to take a connection.
const LISTENS_WITHIN: Duration = Duration::from_secs(2);
/// For the next record to arrive.
const RECORD_WITHIN: Duration = Duration::from_secs(30);

/// The worker with the newest copy.
pub(in crate::cli) struct Holder {
    /// The plan's name for it.
    pub worker: String,
    pub copy: Copy,
    client: WorkerClient,
}

/// Asks all workers that run what they hold. `None` when no copy can be reached.
pub(in crate::cli) async fn find(cluster: &Kubernetes, identity: &Identity) -> Option<Holder> {
    let workers = cluster.running_workers().await.ok()?;
    let asked = workers.into_iter().map(async |(pod, worker)| {
        let described = timeout(ANSWERS_WITHIN, describe(cluster, identity, &pod, &worker));
        described.await.ok().flatten()
    });
    let holders = join_all(asked).await.into_iter().flatten();
    holders.max_by_key(|holder| (holder.copy.epoch, holder.copy.next_seq))
}

async fn describe(
    cluster: &Kubernetes,
    identity: &Identity,
    pod: &str,
    worker: &str,
) -> Option<Holder> {
    let client = connect_worker(cluster, pod, worker, identity, LISTENS_WITHIN).await;
    let mut client = client.ok()?;
    let answer = client.describe_copy(DescribeCopyRequest {}).await.ok()?;
    rpc::same_version(answer.metadata()).ok()?;
    let copy = answer.into_inner().copy.filter(|copy| copy.next_seq > 0)?;
    Some(Holder {
        worker: worker.to_owned(),
        copy,
        client,
    })
}

/// Hands all records of a copy that the sink lacks to it. Returns whether the last one is the run's end; then the worker
/// need wait no longer.
pub(in crate::cli) async fn collect(
    mut holder: Holder,
    sink: &mut dyn Sink,
) -> anyhow::Result<bool> {
    let from_seq = sink.begins_at();
    if from_seq > holder.copy.next_seq {
        bail!(sink.begun_anew());
    }
    let worker = &holder.worker;
    let lost = |status: tonic::Status| {
        anyhow!(
            "cannot read the copy of worker `{worker}`: {}",
            error_chain(&status)
        )
    };
    let asked = holder.client.read_copy(ReadCopyRequest { from_seq });
    let answer = timeout(RECORD_WITHIN, asked).await.map_err(|_| {
        let limit = RECORD_WITHIN.as_secs();
        anyhow!(
            "worker `{worker}` does not begin to send its copy within {limit} s; run the command again"
        )
    })?;
    let mut records = answer.map_err(lost)?.into_inner();
    let mut is_over = false;
    loop {
        let record = timeout(RECORD_WITHIN, records.message())
            .await
            .map_err(|_| {
                let limit = RECORD_WITHIN.as_secs();
                anyhow!("worker `{worker}` sends no record of its copy for {limit} s")
            })?;
        let Some(record) = record.map_err(lost)? else {
            break;
        };
        is_over = sink.take(&record)? == Heard::RunEnded;
    }
    if let (true, Some(through_seq)) = (is_over, sink.holds_through()) {
        // The worker waits for some time, and then ends all the same.
        let collected = holder
            .client
            .copy_collected(CopyCollectedRequest { through_seq });
        let _ = timeout(ANSWERS_WITHIN, collected).await;
    }
    Ok(is_over)
}
