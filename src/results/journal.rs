//! `events.jsonl`: what happened in a run, an event a line.
//!
//! A line is one [`Event`] as JSON: `{"v":1,"seq":0,"at":"…","event":"run_started",…}`. `seq` counts
//! from 0 without gaps. A line is appended with a single write that includes its newline, and is on
//! disk before anybody hears of it; so only the last line can be torn, and a torn line was never
//! acknowledged. Whoever writes holds an exclusive lock on the file.

mod error;
mod reader;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use self::error::failed;
pub use self::error::{FILE_NAME, JournalError, Tear, TearKind};
pub use self::reader::{Reader, Recovered, is_empty, read, read_bytes};
use self::reader::{holds_nothing, parse_line};
use super::event::Event;
use crate::diag::json;
use crate::files;

/// A journal that is read as a whole, to be handed on, is not longer.
pub const LARGEST_BYTES: u64 = 1 << 30;

/// Writes a run's journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    next_seq: u64,
    /// Bytes of whole lines; what a failed write leaves beyond is cut off again.
    len: u64,
    /// Bytes of the lines before the last one.
    last_line: u64,
    /// A failed write could not be undone: nothing may follow it.
    broken: bool,
}

impl Journal {
    /// Begins the journal of a new run in `dir`, which must be there. A journal that holds no event is
    /// begun anew: its run ended before anything happened. A link is not followed.
    ///
    /// # Errors
    /// When `dir` has the journal of a run already, another process writes it, or it cannot be written.
    pub fn create(dir: &Path) -> Result<Journal, JournalError> {
        let path = dir.join(FILE_NAME);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let file = files::open_regular_here(&path, &mut options)
            .map_err(|source| failed("create", &path, source))?;
        lock(&file, &path)?;
        if !holds_nothing(&mut Reader::new(BufReader::new(&file))) {
            return Err(JournalError::Exists(path));
        }
        file.set_len(0)
            .map_err(|source| failed("truncate", &path, source))?;
        // The file's name is part of the directory, which has its own way to the disk.
        File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|source| failed("sync", dir, source))?;
        Ok(Journal {
            file,
            path,
            next_seq: 0,
            len: 0,
            last_line: 0,
            broken: false,
        })
    }

    /// Continues the journal in `dir`: cuts off a torn last line and appends after the last whole one.
    /// Also returns what it holds.
    ///
    /// # Errors
    /// When there is none, when another process writes it, or when it is damaged elsewhere than in
    /// its last line; then nothing is changed.
    pub fn open(dir: &Path) -> Result<(Journal, Recovered), JournalError> {
        let mut events = Vec::new();
        let (journal, mut recovered) = Self::continue_in(dir, &mut |event| events.push(event))?;
        recovered.events = events;
        Ok((journal, recovered))
    }

    /// Like [`Journal::open`], but hands the events to `visit` one by one: a journal may be larger
    /// than memory.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_with(dir: &Path, visit: &mut dyn FnMut(Event)) -> Result<Journal, JournalError> {
        Ok(Self::continue_in(dir, visit)?.0)
    }

    fn continue_in(
        dir: &Path,
        visit: &mut dyn FnMut(Event),
    ) -> Result<(Journal, Recovered), JournalError> {
        let path = dir.join(FILE_NAME);
        let file = files::open_regular(&path, OpenOptions::new().read(true).append(true))
            .map_err(|source| failed("open", &path, source))?;
        lock(&file, &path)?;
        let mut reader = Reader::new(BufReader::new(&file));
        let recovered = reader
            .visit_all(visit)
            .map_err(|source| failed("read", &path, source))?;
        let (len, last_line) = reader.offsets();
        let next_seq = reader.next_seq();
        if let Some(tear) = &recovered.torn {
            if !tear.at_end {
                return Err(JournalError::Damaged {
                    path,
                    tear: tear.clone(),
                });
            }
            file.set_len(len)
                .and_then(|()| file.sync_data())
                .map_err(|source| failed("truncate", &path, source))?;
        }
        let journal = Journal {
            file,
            path,
            next_seq,
            len,
            last_line,
            broken: false,
        };
        Ok((journal, recovered))
    }

    /// The number that the next event must have.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Where the journal is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends an event, and returns its line (without the newline) once it is on disk.
    ///
    /// # Errors
    /// When its number is not the next, or when it cannot be written; then the journal is as before.
    pub fn append(&mut self, event: &Event) -> Result<String, JournalError> {
        self.expect_next(event.seq)?;
        let line = to_line(event)?;
        self.write_line(&line)?;
        Ok(line)
    }

    /// Appends a line of another journal as it is, and returns its event; for a line that is stored
    /// already, does nothing and returns none. For copies of an orchestrator's records.
    ///
    /// # Errors
    /// When it is not an event of this version, leaves a gap, or cannot be written.
    pub fn append_raw_line(&mut self, line: &str) -> Result<Option<Event>, JournalError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        if line.contains('\n') {
            return Err(JournalError::Line(TearKind::Garbage(
                "it holds a line break".to_owned(),
            )));
        }
        let event = parse_line(line.as_bytes()).map_err(JournalError::Line)?;
        if event.seq < self.next_seq {
            return Ok(None);
        }
        self.expect_next(event.seq)?;
        self.write_line(line)?;
        Ok(Some(event))
    }

    /// Cuts the last event off, e.g. the end of a cancelled run that is to continue.
    ///
    /// # Errors
    /// When the file cannot be cut.
    pub fn take_back(&mut self) -> Result<(), JournalError> {
        self.file
            .set_len(self.last_line)
            .and_then(|()| self.file.sync_data())
            .map_err(|source| failed("truncate", &self.path, source))?;
        self.len = self.last_line;
        self.next_seq = self.next_seq.saturating_sub(1);
        Ok(())
    }

    fn expect_next(&self, got: u64) -> Result<(), JournalError> {
        if got == self.next_seq {
            return Ok(());
        }
        Err(JournalError::Sequence {
            path: self.path.clone(),
            expected: self.next_seq,
            got,
        })
    }

    fn write_line(&mut self, line: &str) -> Result<(), JournalError> {
        if self.broken {
            return Err(JournalError::Broken(self.path.clone()));
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        if let Err(source) = self
            .file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data())
        {
            // A full disk may have taken half a line; a later line must not be glued to it.
            self.broken = self.file.set_len(self.len).is_err();
            return Err(failed("write", &self.path, source));
        }
        self.last_line = self.len;
        self.len += bytes.len() as u64;
        self.next_seq += 1;
        Ok(())
    }
}

/// An event as its line in the journal, without the newline.
///
/// # Errors
/// Never for events of this crate: none has a map whose keys are not strings.
pub fn to_line(event: &Event) -> Result<String, JournalError> {
    json::to_string(event).map_err(|error| JournalError::Line(TearKind::Garbage(error.to_string())))
}

fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::Locked(path.to_owned()),
        TryLockError::Error(source) => failed("lock", path, source),
    })
}
