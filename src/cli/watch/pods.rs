//! The pods of a run that end while it is followed.

use std::time::Duration;

use anyhow::anyhow;
use futures::stream::{self, Stream, StreamExt};
use tonic::Code;

use super::connection::Lost;
use super::sink::Sink;
use crate::cluster::{Cluster, Exit, Next, PodEnded};
use crate::rpc::Client;
use crate::rpc::pb::GiveUpRequest;

/// The orchestrator answers at once.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// The pods that end, one after the other. A cluster takes several steps to find one, and a caller that
/// drops the future between two of them loses nothing.
pub(super) fn pods_ended<C: Cluster + Sync>(cluster: &C) -> impl Stream<Item = PodEnded> {
    stream::unfold(cluster, async |cluster: &C| {
        let pod = cluster.ended().await?;
        Some((pod, cluster))
    })
    .fuse()
}

/// Decides what the end of a pod means for the run.
#[derive(Debug)]
pub(super) struct EndedPods {
    /// The rendered name of the orchestrator's pod.
    orchestrator: String,
    /// The cluster outlives this process.
    lasting: bool,
    /// The watch of the pods has ended, e.g. because it is not permitted.
    is_blind: bool,
    /// Workers that the cluster does not start again, and why. The orchestrator does not know of them yet.
    given_up: Vec<GiveUpRequest>,
}

impl EndedPods {
    pub(super) fn new(orchestrator: String, lasting: bool) -> Self {
        Self {
            orchestrator,
            lasting,
            is_blind: false,
            given_up: Vec::new(),
        }
    }

    /// Whether no pod's end will be seen any more.
    pub(super) fn is_blind(&self) -> bool {
        self.is_blind
    }

    /// Takes note of a pod that has ended, or of the end of the watch. `is_ending` says that the run is
    /// ending, and that its pods may end with it.
    pub(super) fn take(
        &mut self,
        ended: Option<PodEnded>,
        is_ending: bool,
        sink: &dyn Sink,
    ) -> Result<(), Lost> {
        let Some(pod) = ended else {
            if self.lasting {
                // Only the watch of the pods has ended; the records still arrive.
                self.is_blind = true;
                return Ok(());
            }
            let error = anyhow!("the local cluster has ended by itself");
            return Err(Lost::Final(error));
        };
        // A worker that the orchestrator has released may end before the last record is here.
        let well = pod.exit == Exit::Code(0) && pod.pod != self.orchestrator;
        if well || is_ending {
            return Ok(());
        }
        let said = pod.last_lines.join("\n  ");
        let message = if said.is_empty() {
            pod.to_string()
        } else {
            format!("{pod}\n  {said}")
        };
        if pod.pod == self.orchestrator {
            match pod.next {
                Next::Restarted(_) => {}
                Next::GaveUp(_) => return Err(Lost::Final(anyhow!(message))),
                Next::Stays if self.lasting && pod.exit == Exit::Removed => {
                    return Err(removed(&pod));
                }
                Next::Removed => return Err(removed(&pod)),
                Next::Replaced | Next::Stays => return Err(Lost::Again(anyhow!(message))),
            }
        }
        if let Next::GaveUp(_) | Next::Stays | Next::Removed = pod.next {
            if !self.lasting && !sink.has_begun() {
                return Err(Lost::Final(anyhow!(message)));
            }
            if let Some(worker) = self.worker_of(&pod.pod) {
                self.given_up.push(GiveUpRequest {
                    worker: worker.to_owned(),
                    words: pod.to_string(),
                });
            }
        }
        sink.say(&message);
        Ok(())
    }

    /// Tells the orchestrator which workers it must not wait for.
    pub(super) async fn pass_on(&mut self, client: &mut Client) {
        while let Some(request) = self.given_up.last() {
            let asked = client.give_up(request.clone());
            match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
                Ok(Ok(_)) => drop(self.given_up.pop()),
                // It does not know the worker, or the call: asking again would not help.
                Ok(Err(status)) if status.code() != Code::Unavailable => drop(self.given_up.pop()),
                // The next connection tells it.
                _ => return,
            }
        }
    }

    /// The plan's name for the worker of a pod.
    fn worker_of<'p>(&self, pod: &'p str) -> Option<&'p str> {
        let prefix = self.orchestrator.strip_suffix("orchestrator")?;
        pod.strip_prefix(prefix)
    }
}

/// Nothing makes another pod of the orchestrator.
fn removed(pod: &PodEnded) -> Lost {
    Lost::Final(anyhow!(
        "somebody has removed the run: the Job or the namespace of pod `{}` was deleted",
        pod.pod
    ))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::cli::watch::tests::fake_cluster::FakeCluster;

    #[tokio::test]
    async fn news_of_a_pod_comes_through_between_records() {
        let cluster = FakeCluster {
            ended: Some(PodEnded {
                pod: "w1".to_owned(),
                exit: Exit::Code(1),
                last_lines: Vec::new(),
                next: Next::Replaced,
            }),
            ..FakeCluster::default()
        };
        let mut pods = pin!(pods_ended(&cluster));
        for _record in 0..100 {
            tokio::select! {
                biased;
                pod = pods.next() => {
                    assert_eq!(pod.unwrap().pod, "w1");
                    return;
                }
                () = tokio::task::yield_now() => {}
            }
        }
        panic!("it never came");
    }
}
