//! Puts events on disk, each with the tool's output that belongs to it.

use std::path::Path;

use jiff::Timestamp;

use super::state::copy::claim::HeldJournal;
use super::state::copy::epoch::Epoch;
use super::state::message::Emission;
use crate::files;
use crate::results::{
    Event, EventKind, Journal, JournalError, RunDir, RunDirError, VERSION, journal,
};
use crate::rpc::pb::Record;

/// The file, beside the journal, with the epoch of the orchestrator that writes it.
const EPOCH_FILE: &str = "epoch";
const LARGEST_EPOCH_BYTES: u64 = 64;

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

    /// What the folder holds of the run, which may be nothing.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn find(folder: &Path) -> Result<HeldJournal, StoreError> {
        let Ok(dir) = RunDir::open(folder) else {
            return Ok(HeldJournal::default());
        };
        let mut complete = false;
        let journal = Journal::open_with(folder, &mut |event| {
            complete = matches!(event.kind, EventKind::RunEnded { .. });
        })?;
        Ok(HeldJournal {
            epoch: read_epoch(&dir),
            next_seq: journal.next_seq(),
            complete,
        })
    }

    /// Removes the journal in `folder`: a newer copy replaces it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn replace(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(journal::FILE_NAME);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(RunDirError::Write {
                path: file,
                source: error,
            }
            .into()),
            _ => Self::open(folder, None, &mut |_| {}),
        }
    }

    /// Records the epoch of the orchestrator that writes from now on.
    pub fn set_epoch(&self, epoch: Epoch) -> Result<(), StoreError> {
        Ok(self.folder.write(EPOCH_FILE, epoch.0.to_string())?)
    }

    /// The number that the next event gets.
    pub fn next_seq(&self) -> u64 {
        self.journal.next_seq()
    }

    /// Returns once all are on disk: the raw outputs first, so that no event names a missing file.
    pub fn put(&mut self, emissions: Vec<(Timestamp, Emission)>) -> Result<(), StoreError> {
        let mut events = Vec::with_capacity(emissions.len());
        for ((at, Emission { kind, raw }), seq) in emissions.into_iter().zip(self.next_seq()..) {
            if let (Some(name), Some(content)) = (kind.raw_name(), &raw) {
                self.folder.write_raw(name, content)?;
            }
            let v = VERSION;
            events.push(Event { v, seq, at, kind });
        }
        Ok(self.journal.append_all(&events)?)
    }

    /// Appends records of a copy.
    pub fn put_records(&mut self, records: Vec<Record>) -> Result<(), StoreError> {
        let mut lines = Vec::with_capacity(records.len());
        for Record { line, raw, .. } in records {
            if let Some(raw) = raw {
                self.folder.write_raw(&raw.name, &raw.content)?;
            }
            lines.push(line);
        }
        self.journal.append_raw_lines(&lines)?;
        Ok(())
    }
}

fn read_epoch(dir: &RunDir) -> Epoch {
    let text = files::read_text(&dir.file(EPOCH_FILE), LARGEST_EPOCH_BYTES);
    let number = text.ok().and_then(|text| text.trim().parse().ok());
    Epoch(number.unwrap_or_default())
}
