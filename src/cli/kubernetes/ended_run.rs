//! What a run has left behind whose orchestrator has ended: in its log, or in the copy of a worker.

use std::collections::HashMap;

use anyhow::{Context, anyhow, bail};

use super::journal_copy::{self, Holder};
use super::run_lookup;
use crate::cli::terminal::printer;
use crate::cli::watch::{Followed, Sink};
use crate::cluster::kubernetes::{Connection, Kubernetes, Run, State};
use crate::diag::count;
use crate::render::RunContext;
use crate::results::archive::{self, Archive, ArchiveError};
use crate::results::journal;
use crate::rpc::Identity;
use crate::rpc::pb::{RawOutput, Record};

/// Collects the records of a run that has ended, those that `sink` lacks. `None` if it has not ended, or has left nothing
/// that can be reached.
pub(in crate::cli) async fn collect(
    connection: &Connection,
    cluster: &Kubernetes,
    id: &str,
    identity: &Identity,
    sink: &mut dyn Sink,
) -> anyhow::Result<Option<Followed>> {
    let runs = connection.runs().await.unwrap_or_default();
    let Some(run) = runs.iter().find(|run| run.id == id) else {
        return Ok(None);
    };
    if run.state == State::Finished
        && let Ok(archive) = log(cluster, run).await
    {
        return unpack(archive, sink).map(Some);
    }
    if !matches!(run.state, State::Finished | State::Failed | State::Remains) {
        return Ok(None);
    }
    match journal_copy::find(cluster, identity).await {
        Some(holder) => collect_copy(holder, id, sink).await.map(Some),
        None => Ok(None),
    }
}

/// Collects the records from a worker's copy.
pub(super) async fn collect_copy(
    holder: Holder,
    id: &str,
    sink: &mut dyn Sink,
) -> anyhow::Result<Followed> {
    printer::note(&format!(
        "run {id}: the orchestrator is gone; collecting from the copy of worker `{}`",
        holder.worker
    ));
    if !journal_copy::collect(holder, sink).await? {
        printer::warning(&format!(
            "run {id} was cut off: its results end where the copy ends; `netplan run --resume` measures the rest"
        ));
    }
    Ok(Followed::Over)
}

/// What a finished orchestrator has left in its log.
pub(super) async fn log(cluster: &Kubernetes, run: &Run) -> anyhow::Result<Archive> {
    let orchestrator = RunContext::new(&run.id, None).orchestrator();
    let log = cluster.log(&orchestrator, None).await?;
    archive::decode(&log).map_err(|error| {
        let why = match (&error, run.state) {
            (ArchiveError::None, State::Finished) => {
                "; somebody has collected its results while it ran"
            }
            _ => "",
        };
        anyhow!(
            "run {} has {}, and {error}{why}; `kubectl logs --namespace {} job/{orchestrator}` shows \
             what there is, and `{}` removes the run",
            run.id,
            run.state,
            run.namespace,
            run_lookup::command("clean", run)
        )
    })
}

/// Takes the records out of an archive.
pub(super) fn unpack(archive: Archive, sink: &mut dyn Sink) -> anyhow::Result<Followed> {
    let recovered = journal::read_bytes(&archive.journal);
    let text = String::from_utf8(archive.journal).context("the journal in the log is not text")?;
    let mut raw: HashMap<String, Vec<u8>> = archive.raw.into_iter().collect();
    let mut lost = 0;
    for (event, line) in recovered.events.iter().zip(text.lines()) {
        let named = event.kind.raw_name();
        let content = named.and_then(|name| raw.remove_entry(name));
        lost += usize::from(named.is_some() && content.is_none());
        sink.take(&Record {
            seq: event.seq,
            line: line.to_owned(),
            raw: content.map(|(name, content)| RawOutput { name, content }),
            gathering: None,
            go: None,
        })?;
    }
    if lost > 0 {
        printer::note(&format!(
            "{} had no room in the log; all figures are here",
            count(lost, "raw output")
        ));
    }
    match recovered.torn {
        Some(tear) => bail!("the journal in the log cannot be read further: {tear}"),
        None => Ok(Followed::Over),
    }
}
