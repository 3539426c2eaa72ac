//! The health of the cluster while a run is followed: does the API server answer, can the pods run?

use std::time::Duration;

use futures::stream::{self, Stream, StreamExt};
use tokio::time::Instant;

use crate::cluster::{Cluster, Health};

/// While the API server does not answer, attempts say nothing about the orchestrator. They count again after
/// this long.
pub(super) const SILENCE_BORNE: Duration = Duration::from_secs(600);

/// The changes of the cluster's health.
pub(super) fn health_changes<C: Cluster + Sync>(cluster: &C) -> impl Stream<Item = Health> {
    stream::unfold((cluster, Health::Answers), async |(cluster, last)| {
        let health = cluster.health(&last).await;
        Some((health.clone(), (cluster, health)))
    })
    .fuse()
}

/// What is known of the cluster's health.
#[derive(Debug, Default)]
pub(super) struct ClusterHealth {
    /// Since when the API server does not answer.
    silent_since: Option<Instant>,
    /// A pod does not come back. That it has come back is told by what it does.
    is_hindered: bool,
}

impl ClusterHealth {
    /// Takes note of a change; returns what to say of it. `is_over` says that the run's last record is here.
    pub fn take(&mut self, health: &Health, is_over: bool) -> Option<String> {
        self.silent_since = match health {
            Health::Silent(_) => self.silent_since.or_else(|| Some(Instant::now())),
            Health::Answers | Health::Hindered(_) | Health::Removed => None,
        };
        let was_hindered =
            std::mem::replace(&mut self.is_hindered, matches!(health, Health::Hindered(_)));
        match health {
            Health::Silent(why) => Some(format!(
                "the API server does not answer: {why}; the run continues by itself"
            )),
            Health::Hindered(why) => Some(why.clone()),
            Health::Answers if was_hindered => None,
            Health::Answers => Some("the API server answers again".to_owned()),
            // The pods of a run that has ended are removed.
            Health::Removed if is_over => None,
            Health::Removed => {
                Some("somebody is removing the run: its Jobs are deleted".to_owned())
            }
        }
    }

    /// Whether the API server's silence explains that the orchestrator cannot be reached.
    pub fn explains_silence(&self) -> bool {
        let since = self.silent_since;
        since.is_some_and(|since| since.elapsed() < SILENCE_BORNE)
    }
}
