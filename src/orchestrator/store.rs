//! Puts events on disk, each with the tool's output that belongs to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::state::copy::claim::HeldJournal;
use super::state::copy::epoch::Epoch;
use super::state::message::Emission;
use crate::results::{
    Event, EventKind, Journal, JournalError, RunDir, RunDirError, VERSION, epoch_file, journal,
    run_dir,
};
use crate::rpc::pb::Record;

/// The folder, beside the journal, that holds a worker's copy until all of it has arrived.
const INCOMING: &str = "incoming";

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
        if RunDir::open(folder).is_err() {
            return Ok(HeldJournal::default());
        }
        let mut complete = false;
        let journal = Journal::open_with(folder, &mut |event| {
            complete = matches!(event.kind, EventKind::RunEnded { .. });
        })?;
        Ok(HeldJournal {
            epoch: Epoch(epoch_file::read(folder, epoch_file::JOURNAL)),
            next_seq: journal.next_seq(),
            complete,
        })
    }

    /// Begins to receive a worker's copy in a folder beside the journal in `folder`, which stays as it is until
    /// [`Store::install`].
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn receive(folder: &Path) -> Result<Self, StoreError> {
        Self::discard_received(folder)?;
        Self::open(&folder.join(INCOMING), None, &mut |_| {})
    }

    /// Removes what [`Store::receive`] has left.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn discard_received(folder: &Path) -> Result<(), StoreError> {
        let incoming = folder.join(INCOMING);
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(write_failed(incoming)(error))
            }
            _ => Ok(()),
        }
    }

    /// Replaces the journal in `folder` by the copy that has been received: the raw outputs first, so that no event
    /// names a missing file.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn install(self, folder: &Path) -> Result<(), StoreError> {
        let incoming = self.folder.path().to_owned();
        // Not every system renames an open file.
        drop(self);
        let from = incoming.join(run_dir::file::RAW);
        let to = folder.join(run_dir::file::RAW);
        fs::create_dir_all(&to).map_err(write_failed(to.clone()))?;
        for entry in fs::read_dir(&from).map_err(write_failed(from.clone()))? {
            let entry = entry.map_err(write_failed(from.clone()))?;
            let target = to.join(entry.file_name());
            fs::rename(entry.path(), &target).map_err(write_failed(target))?;
        }
        let target = folder.join(journal::FILE_NAME);
        fs::rename(incoming.join(journal::FILE_NAME), &target).map_err(write_failed(target))?;
        journal::sync_directory(folder).map_err(write_failed(folder.to_owned()))?;
        Self::discard_received(folder)
    }

    /// Records the epoch of the orchestrator that writes from now on.
    pub fn set_epoch(&self, epoch: Epoch) -> Result<(), StoreError> {
        Ok(epoch_file::write(
            self.folder.path(),
            epoch_file::JOURNAL,
            epoch.0,
        )?)
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

fn write_failed(path: PathBuf) -> impl FnOnce(io::Error) -> StoreError {
    move |source| RunDirError::Write { path, source }.into()
}
