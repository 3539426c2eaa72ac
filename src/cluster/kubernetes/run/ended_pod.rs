//! What is told of a pod that has ended: its last lines, and whether another one takes its place.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::LogParams;

use super::cluster_run::Kubernetes;
use crate::cluster::kubernetes::api_error::code;
use crate::cluster::kubernetes::pods::job_outcome::{JobOutcome, job_outcome};
use crate::cluster::kubernetes::pods::terminations::Termination;
use crate::cluster::{Next, PodEnded};
use crate::results::Progress;

/// Of a process that has ended.
const LAST_LINES: usize = 15;

impl Kubernetes {
    /// The end of a log; of the container before the running one when there is one.
    pub(super) async fn last_lines(&self, name: &str, previous: bool) -> Vec<String> {
        for previous in [previous, false] {
            let params = LogParams {
                previous,
                // There may be a record of progress for each line of text.
                tail_lines: i64::try_from(2 * LAST_LINES).ok(),
                ..LogParams::default()
            };
            match self.connection().ask(self.pods().logs(name, &params)).await {
                Ok(text) if !text.trim().is_empty() => {
                    return Progress::last_text_lines(&text, LAST_LINES);
                }
                _ if previous => {}
                _ => break,
            }
        }
        Vec::new()
    }

    /// Whether a Job makes another pod.
    async fn next(&self, ended: &Termination) -> Next {
        let (Next::Replaced, Some(job)) = (ended.next, &ended.job) else {
            return ended.next;
        };
        let api: Api<Job> = Api::namespaced(self.connection().client.clone(), self.namespace());
        if self.namespace_is_leaving().await {
            return Next::Removed;
        }
        match self.connection().ask(api.get(job)).await {
            Ok(job) if job.metadata.deletion_timestamp.is_some() => Next::Removed,
            Ok(job) if job_outcome(&job) == Some(JobOutcome::Failed) => {
                let failed = job.status.and_then(|status| status.failed).unwrap_or(1);
                Next::GaveUp(u32::try_from(failed).unwrap_or(1))
            }
            Err(error) if code(&error) == Some(404) => Next::Removed,
            Ok(_) | Err(_) => Next::Replaced,
        }
    }

    /// Whether somebody has deleted the namespace: nothing new is made in it. Without the permission to view it
    /// the Job alone tells.
    async fn namespace_is_leaving(&self) -> bool {
        let api: Api<Namespace> = Api::all(self.connection().client.clone());
        let found = self.connection().ask(api.get_opt(self.namespace())).await;
        match found {
            Ok(Some(namespace)) => namespace.metadata.deletion_timestamp.is_some(),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// What is told of an end: with its last lines, which are asked for only now.
    pub(super) async fn to_pod_ended(&self, ended: &Termination) -> PodEnded {
        let mut last_lines: Vec<String> = ended.why.iter().cloned().collect();
        if let Some(name) = &ended.log_of {
            last_lines.extend(self.last_lines(name, ended.previous).await);
        }
        PodEnded {
            pod: ended.pod.clone(),
            exit: ended.exit,
            last_lines,
            next: self.next(ended).await,
        }
    }
}
