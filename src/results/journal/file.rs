//! The file of a journal, opened by the one process that writes it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::error::{JournalError, failed};
use crate::files;

/// Opens the journal to append to it, and keeps every other writer out.
///
/// # Errors
/// When it cannot be opened, or another process writes it.
pub(super) fn open(path: &Path) -> Result<File, JournalError> {
    let opened = files::open_regular(path, &mut options());
    finish(opened, path, "open")
}

/// As [`open`], and creates it if it is missing. A link is not followed.
///
/// # Errors
/// As [`open`].
pub(super) fn create(path: &Path) -> Result<File, JournalError> {
    let opened = files::open_regular_here(path, options().create(true));
    finish(opened, path, "create")
}

#[cfg(unix)]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    options
}

#[cfg(unix)]
fn finish(opened: io::Result<File>, path: &Path, what: &'static str) -> Result<File, JournalError> {
    let file = opened.map_err(|source| failed(what, path, source))?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => JournalError::Locked(path.to_owned()),
        std::fs::TryLockError::Error(source) => failed("lock", path, source),
    })?;
    Ok(file)
}

/// A lock would keep readers out too; the share mode keeps out writers only. A file that is opened to append cannot
/// be cut off there.
#[cfg(windows)]
fn options() -> OpenOptions {
    /// `FILE_SHARE_READ` of `CreateFile`.
    const SHARE_READ: u32 = 1;
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, SHARE_READ);
    options
}

#[cfg(windows)]
fn finish(opened: io::Result<File>, path: &Path, what: &'static str) -> Result<File, JournalError> {
    /// `ERROR_SHARING_VIOLATION` of `CreateFile`.
    const SHARING_VIOLATION: i32 = 32;
    opened.map_err(|source| match source.raw_os_error() {
        Some(SHARING_VIOLATION) => JournalError::Locked(path.to_owned()),
        _ => failed(what, path, source),
    })
}

/// Puts the names in a directory on disk: they have a way there of their own.
///
/// # Errors
/// Those of the system calls.
pub fn sync_directory(dir: &Path) -> io::Result<()> {
    // Windows keeps them in its own journal, and has no call for a directory.
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}
