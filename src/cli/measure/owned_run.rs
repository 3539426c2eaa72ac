//! A run that a Job of the cluster owns, e.g. that of a chart: however often the Job's pod starts, there is one run.

use crate::cli::measure::prepare::{Begun, Prepared};
use crate::cli::terminal::printer;
use crate::cluster::Cluster;
use crate::cluster::kubernetes::{Connection, Owner, Presence};

/// A new run with the id that the owner gives it.
pub(super) fn begun(owner: &Owner, only: Option<&str>) -> Begun {
    Begun {
        id: owner.run_id().to_owned(),
        only: only.map(ToOwned::to_owned),
        journal: Vec::new(),
    }
}

/// Whether an earlier start of the Job's pod has applied the whole run. What one has applied in part is removed:
/// its pods have certificates that nobody else has.
///
/// # Errors
/// When the cluster cannot be asked, or the part cannot be removed.
pub(super) async fn is_there(
    connection: &Connection,
    prepared: &Prepared,
) -> Result<bool, anyhow::Error> {
    let (id, namespace) = (&prepared.run.id, &prepared.run.namespace);
    let presence = connection.presence(namespace, id, &prepared.manifests);
    match presence.await? {
        Presence::Absent => Ok(false),
        Presence::Complete => Ok(true),
        Presence::Partial => {
            printer::note(&format!(
                "removing run {id}, of which an earlier start applied only a part"
            ));
            connection.run(id, namespace).down().await?;
            Ok(false)
        }
    }
}
