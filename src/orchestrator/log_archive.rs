//! The archive that a finished orchestrator prints to its log when nobody has collected the records:
//! its journal is lost with its container.

use std::fs::File;
use std::path::Path;

use crate::results::archive::{self, ArchiveError, Encoded};
use crate::results::{journal, run_dir};

/// The lines of the log that hold the journal in `folder` and the raw outputs of these names.
///
/// # Errors
/// When not even the journal has room.
pub(super) async fn archive(folder: &Path, names: Vec<String>) -> Result<String, ArchiveError> {
    let folder = folder.to_owned();
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
    let damaged = |error: std::io::Error| {
        ArchiveError::Damaged(format!("cannot read `{}`: {error}", file.display()))
    };
    let journal = File::open(&file).map_err(damaged)?;
    let size = journal.metadata().map_err(damaged)?.len();
    let raw = folder.join(run_dir::file::RAW);
    let outputs = names.into_iter().filter_map(|name| {
        run_dir::check_raw_name(&name).ok()?;
        // A file that was removed is not a reason to withhold the rest.
        let content = std::fs::read(raw.join(&name)).ok()?;
        Some((name, content))
    });
    archive::encode(journal, size, outputs, archive::LIMIT_BYTES)
}
