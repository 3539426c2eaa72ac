//! Whether the API server answers while a run is followed, and still has the run. A stream through it may be silent
//! for long, so that its end alone says nothing in time; and a node may take long to end a pod that is deleted.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use kube::api::ListParams;
use tokio::time::{sleep, timeout};

use super::cluster_run::Kubernetes;
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
            if std::mem::discriminant(&health) != std::mem::discriminant(last) {
                return health;
            }
        }
    }

    async fn health(&self) -> Health {
        let api: Api<Job> = Api::namespaced(self.connection().client.clone(), self.namespace());
        let jobs = ListParams::default().labels(&selector(self.id()));
        match timeout(ANSWERS_WITHIN, api.list_metadata(&jobs)).await {
            // Templates may make other objects than Jobs; then there are none from the beginning.
            Ok(Ok(jobs)) => {
                let mut jobs = jobs.items.iter();
                let stays = jobs.any(|job| job.metadata.deletion_timestamp.is_none());
                if self.has_had_jobs(stays) && !stays {
                    Health::Removed
                } else {
                    Health::Answers
                }
            }
            // A refusal is an answer.
            Ok(Err(error)) if code(&error).is_some_and(|code| code < 500) => Health::Answers,
            Ok(Err(error)) => Health::Silent(cause(&error)),
            Err(_) => Health::Silent(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())),
        }
    }
}
