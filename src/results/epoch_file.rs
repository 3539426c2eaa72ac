//! Files that hold the epoch of an orchestrator: a number, as text, beside a journal.

use std::io::Write as _;
use std::path::Path;

use super::run_dir::RunDirError;
use crate::files::{self, Durability};

/// The file with the epoch of the orchestrator whose journal is beside it.
pub const JOURNAL: &str = "epoch";
/// The file with the greatest epoch that a worker has obeyed.
pub const OBEYED: &str = "obeyed";

const LARGEST_BYTES: u64 = 64;
/// Permissions of the files, less the umask.
const MODE: u32 = 0o600;

/// Reads an epoch; 0 when there is none that can be read.
#[must_use]
pub fn read(folder: &Path, name: &str) -> u64 {
    let text = files::read_text(&folder.join(name), LARGEST_BYTES);
    let number = text.ok().and_then(|text| text.trim().parse().ok());
    number.unwrap_or_default()
}

/// Writes an epoch. Returns once it is on disk.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, name: &str, epoch: u64) -> Result<(), RunDirError> {
    let path = folder.join(name);
    let text = epoch.to_string();
    files::replace(&path, MODE, Durability::Synced, |file| {
        file.write_all(text.as_bytes())
    })
    .map_err(|source| RunDirError::Write { path, source })
}
