//! What a finished orchestrator leaves in its log when nobody has taken the records: its journal
//! ends with its container.

use std::path::Path;

use crate::results::archive::{self, ArchiveError, Encoded};
use crate::results::{Event, journal, run_dir};

/// The lines of the log that hold the journal in `folder` and the raw outputs that `events` name.
///
/// # Errors
/// When not even the journal has room.
pub(super) async fn archive(folder: &Path, events: &[Event]) -> Result<String, ArchiveError> {
    let folder = folder.to_owned();
    let names = events.iter().filter_map(|event| event.kind.raw_name());
    let names: Vec<String> = names.map(str::to_owned).collect();
    // Packing takes a moment, in which others may come for the records.
    let encoded = tokio::task::spawn_blocking(move || encode(&folder, names)).await;
    let encoded = encoded.map_err(|error| ArchiveError::Damaged(error.to_string()))?;
    Ok(match encoded? {
        Encoded { text, left_out: 0 } => text,
        Encoded { text, left_out } => format!(
            "{text}\n{left_out} of the tools' raw outputs had no room in this log; \
             all figures are in the journal"
        ),
    })
}

fn encode(folder: &Path, names: Vec<String>) -> Result<Encoded, ArchiveError> {
    let file = folder.join(journal::FILE_NAME);
    let text = std::fs::read(&file).map_err(|error| {
        ArchiveError::Damaged(format!("cannot read `{}`: {error}", file.display()))
    })?;
    let raw = folder.join(run_dir::file::RAW);
    let outputs = names.into_iter().filter_map(|name| {
        run_dir::check_raw_name(&name).ok()?;
        // A file that somebody has removed is no reason to withhold the rest.
        let content = std::fs::read(raw.join(&name)).ok()?;
        Some((name, content))
    });
    archive::encode(&text, outputs, archive::LIMIT_BYTES)
}
