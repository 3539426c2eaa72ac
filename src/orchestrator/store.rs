//! Puts events on disk, each with the tool's output that belongs to it.

use std::path::Path;

use jiff::Timestamp;

use super::state::message::Emission;
use crate::results::{Event, Journal, JournalError, RunDir, RunDirError, VERSION, journal};

/// The run's directory, open for writing.
#[derive(Debug)]
pub(super) struct Store {
    folder: RunDir,
    journal: Journal,
}

/// The disk refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Folder(#[from] RunDirError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Store {
    /// Begins the journal in `folder`, or continues the one that is there and hands each of its events
    /// to `visit`. `resume` is a journal to begin with.
    ///
    /// # Errors
    /// When the folder or its journal cannot be read or written, or another process writes it.
    pub fn open(
        folder: &Path,
        resume: Option<&[u8]>,
        visit: &mut dyn FnMut(Event),
    ) -> Result<Self, StoreError> {
        match RunDir::open(folder) {
            Ok(dir) => Ok(Self {
                folder: dir,
                journal: Journal::open_with(folder, visit)?,
            }),
            Err(RunDirError::NotARun(_)) => {
                let dir = RunDir::create(folder)?;
                if let Some(begun) = resume {
                    dir.write(journal::FILE_NAME, begun)?;
                    return Self::open(folder, None, visit);
                }
                Ok(Self {
                    folder: dir,
                    journal: Journal::create(folder)?,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The number that the next event gets.
    pub fn next_seq(&self) -> u64 {
        self.journal.next_seq()
    }

    /// Returns once it is on disk: the raw output first, so that no event names a missing file.
    pub fn put(&mut self, at: Timestamp, emission: Emission) -> Result<(), StoreError> {
        let Emission { kind, raw } = emission;
        if let (Some(name), Some(content)) = (kind.raw_name(), &raw) {
            self.folder.write_raw(name, content)?;
        }
        self.journal.append(&Event {
            v: VERSION,
            seq: self.journal.next_seq(),
            at,
            kind,
        })?;
        Ok(())
    }
}
