//! Other runs on the same cluster: runs that share nodes disturb each other.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::anyhow;
use tokio::time::{Instant, sleep};

use crate::cli::terminal::printer;
use crate::cluster::Error;
use crate::cluster::kubernetes::{Connection, Run, State};

/// Between two looks at the runs of a cluster. Nothing is measured yet.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// `--wait` gives up then.
const WAITS_AT_MOST: Duration = Duration::from_secs(12 * 60 * 60);

/// The runs that have been named.
#[derive(Debug, Default)]
pub(super) struct OtherRuns {
    named: BTreeSet<String>,
}

impl OtherRuns {
    /// Names the runs that measure on the cluster.
    pub async fn warn(&mut self, connection: &Connection, own: &str) {
        let new = self.unnamed(connection, own).await;
        if !new.is_empty() {
            printer::warning(&format!(
                "{}; runs that share nodes disturb each other: `--wait` starts when they have ended",
                text(&new)
            ));
        }
    }

    /// Names those that began while this run measured.
    pub async fn warn_at_end(&mut self, connection: &Connection, own: &str) {
        let new = self.unnamed(connection, own).await;
        if !new.is_empty() {
            printer::warning(&format!(
                "{}, and began during this run; figures of shared nodes are not to be trusted",
                text(&new)
            ));
        }
    }

    /// Those that have not been named yet; from now on they have.
    async fn unnamed(&mut self, connection: &Connection, own: &str) -> Vec<Run> {
        // Whatever fails here fails the run, too.
        let active = active(connection, own).await.unwrap_or_default();
        let new = active.into_iter();
        new.filter(|run| self.named.insert(run.id.clone()))
            .collect()
    }
}

/// Waits until no other run measures on the cluster.
///
/// # Errors
/// When one still does after a long time, or the API server fails for as long.
pub(super) async fn wait(connection: &Connection, own: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + WAITS_AT_MOST;
    let mut waits_for = BTreeSet::new();
    let mut failed_with = String::new();
    loop {
        let is_late = Instant::now() >= deadline;
        let active = match active(connection, own).await {
            Ok(active) => active,
            Err(error) if is_late => return Err(error.into()),
            Err(error) => {
                let error = error.to_string();
                if error != failed_with {
                    printer::warning(&format!("{error}; asking again"));
                    failed_with = error;
                }
                sleep(LOOKS_EVERY).await;
                continue;
            }
        };
        if active.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<String> = active.iter().map(|run| run.id.clone()).collect();
        if is_late {
            let hours = WAITS_AT_MOST.as_secs() / 3600;
            return Err(anyhow!(
                "{} after {hours} h; start without `--wait`, or end it with `netplan cancel`",
                text(&active)
            ));
        }
        if ids != waits_for {
            printer::note(&format!("{}; waiting for its end", text(&active)));
            waits_for = ids;
        }
        sleep(LOOKS_EVERY).await;
    }
}

/// The runs that measure or are about to. Without the permission to list them, none are known.
async fn active(connection: &Connection, own: &str) -> Result<Vec<Run>, Error> {
    let runs = connection.permitted_runs().await?.into_iter();
    Ok(runs.filter(|run| is_active(run) && run.id != own).collect())
}

fn is_active(run: &Run) -> bool {
    matches!(run.state, State::Starting | State::Running)
}

/// `run 0badcafe measures on this cluster (namespace team-a)`.
fn text(runs: &[Run]) -> String {
    let list: Vec<String> = runs
        .iter()
        .map(|run| format!("{} (namespace {})", run.id, run.namespace))
        .collect();
    match list.as_slice() {
        [one] => format!("run {one} measures on this cluster"),
        _ => format!("runs {} measure on this cluster", list.join(", ")),
    }
}
