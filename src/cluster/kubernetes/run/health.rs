//! Whether the API server answers while a run is followed, still has the run, and brings its pods back. A stream through
//! it may be silent for long, so that its end alone says nothing in time; and a node may take long to end a pod that is
//! deleted.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use tokio::time::{sleep, timeout};

use super::cluster_run::Kubernetes;
use super::hindrance::{hindrance, waits};
use crate::cluster::Health;
use crate::cluster::kubernetes::api_error::{cause, code};
use crate::cluster::kubernetes::labels::selector;

/// The pause between two questions.
const ASKED_EVERY: Duration = Duration::from_secs(4);
const ANSWERS_WITHIN: Duration = Duration::from_secs(4);

impl Kubernetes {
    /// Asks until the answer is another than `last`.
    pub(super) async fn wait_for_health(&self, last: &Health) -> Health {
        loop {
            sleep(ASKED_EVERY).await;
            let health = self.health().await;
            let is_news = match (&health, last) {
                // The words of a silence vary from one attempt to the next.
                (Health::Silent(_), Health::Silent(_)) => false,
                (health, last) => health != last,
            };
            if is_news {
                return health;
            }
        }
    }

    async fn health(&self) -> Health {
        let api: Api<Job> = Api::namespaced(self.connection().client.clone(), self.namespace());
        let jobs = ListParams::default().labels(&selector(self.id()));
        match timeout(ANSWERS_WITHIN, api.list(&jobs)).await {
            // Templates may make other objects than Jobs; then there are none from the beginning.
            Ok(Ok(jobs)) => {
                let mut left = jobs.items.iter();
                let stays = left.any(|job| job.metadata.deletion_timestamp.is_none());
                if self.has_had_jobs(stays) && !stays {
                    return Health::Removed;
                }
                let hindered = timeout(ANSWERS_WITHIN, self.hindrance(&jobs.items)).await;
                hindered
                    .ok()
                    .flatten()
                    .map_or(Health::Answers, Health::Hindered)
            }
            // A refusal is an answer.
            Ok(Err(error)) if code(&error).is_some_and(|code| code < 500) => Health::Answers,
            Ok(Err(error)) => Health::Silent(cause(&error)),
            Err(_) => Health::Silent(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())),
        }
    }

    /// Why a pod does not come back, if one does not. What may not be asked is not known.
    async fn hindrance(&self, jobs: &[Job]) -> Option<String> {
        if !jobs.iter().any(waits) {
            return None;
        }
        let of_run = ListParams::default().labels(&selector(self.id()));
        let pods = self.pods().list(&of_run).await.ok()?.items;
        let events: Api<Event> =
            Api::namespaced(self.connection().client.clone(), self.namespace());
        let refusals = ListParams::default().fields("reason=FailedCreate,involvedObject.kind=Job");
        let events = events.list(&refusals).await.map(|list| list.items);
        hindrance(jobs, &pods, &events.unwrap_or_default(), self.births())
    }
}
