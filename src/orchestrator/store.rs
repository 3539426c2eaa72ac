//! Puts events on disk, each with the tool's output that belongs to it.

use std::path::Path;

use jiff::Timestamp;

use super::finish::shorten;
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
    /// Begins the journal in `folder`, or goes on with the one that is there; then also returns
    /// its events, each as [`shorten`] leaves it. `resume` is a journal to begin with.
    pub fn open(folder: &Path, resume: Option<&[u8]>) -> Result<(Self, Vec<Event>), StoreError> {
        match RunDir::open(folder) {
            Ok(dir) => {
                let (journal, recovered) = Journal::open_by(folder, shorten)?;
                let folder = dir;
                Ok((Self { folder, journal }, recovered.events))
            }
            Err(RunDirError::NotARun(_)) => {
                let dir = RunDir::create(folder)?;
                if let Some(begun) = resume {
                    dir.write(journal::FILE_NAME, begun)?;
                    return Self::open(folder, None);
                }
                let journal = Journal::create(folder)?;
                let folder = dir;
                Ok((Self { folder, journal }, Vec::new()))
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
