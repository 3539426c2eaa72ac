//! Whether the API server answers while a run is followed. A stream through it may be silent for long, so that
//! its end alone says nothing in time.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::cluster_run::Kubernetes;
use crate::cluster::kubernetes::api_error::{cause, code};

/// The pause between two questions.
const ASKED_EVERY: Duration = Duration::from_secs(4);
/// The version is answered without looking anything up.
const ANSWERS_WITHIN: Duration = Duration::from_secs(4);

impl Kubernetes {
    /// Asks until the answer is another than `was_silent`: why there is none, or `None` when there is one.
    pub(super) async fn wait_for_silence(&self, was_silent: bool) -> Option<String> {
        loop {
            sleep(ASKED_EVERY).await;
            let asked = self.connection().client.apiserver_version();
            let silent = match timeout(ANSWERS_WITHIN, asked).await {
                Ok(Ok(_)) => None,
                // A refusal is an answer.
                Ok(Err(error)) if code(&error).is_some_and(|code| code < 500) => None,
                Ok(Err(error)) => Some(cause(&error)),
                Err(_) => Some(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())),
            };
            if silent.is_some() != was_silent {
                return silent;
            }
        }
    }
}
