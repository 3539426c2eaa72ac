//! `events.jsonl`: what happened in a run, an event a line.
//!
//! A line is one [`Event`] as JSON: `{"v":1,"seq":0,"at":"…","event":"run_started",…}`. `seq` counts
//! from 0 without gaps. A line is appended with a single write that includes its newline, and is on
//! disk before anybody hears of it; so only the last line can be torn, and a torn line was never
//! acknowledged. Whoever writes holds an exclusive lock on the file.

mod error;
mod file;
mod reader;

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use self::error::failed;
pub use self::error::{FILE_NAME, JournalError, Tear, TearKind};
pub use self::file::sync_directory;
pub use self::reader::{LONGEST_LINE_BYTES, Reader, Recovered, is_empty, read, read_bytes};
use self::reader::{holds_nothing, parse_line};
use super::event::{Event, EventKind};
use crate::diag::json;

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
        let file = file::create(&path)?;
        if !holds_nothing(&mut Reader::new(BufReader::new(&file))) {
            return Err(JournalError::Exists(path));
        }
        file.set_len(0)
            .map_err(|source| failed("truncate", &path, source))?;
        file::sync_directory(dir).map_err(|source| failed("sync", dir, source))?;
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
        let file = file::open(&path)?;
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
        self.write_lines(&[&line])?;
        Ok(line)
    }

    /// Appends events with one write, and returns once all are on disk.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn append_all(&mut self, events: &[Event]) -> Result<(), JournalError> {
        let mut lines = Vec::with_capacity(events.len());
        for (event, seq) in events.iter().zip(self.next_seq..) {
            if event.seq != seq {
                return Err(self.gap(seq, event.seq));
            }
            lines.push(to_line(event)?);
        }
        self.write_lines(&lines)
    }

    /// Appends lines of another journal as they are, with one write. Returns once all are on disk, and whether the
    /// last of them is the run's end.
    ///
    /// # Errors
    /// When one of them is not an event of this version, does not follow the one before, or cannot be written;
    /// then the journal is as before.
    pub fn append_raw_lines(&mut self, lines: &[String]) -> Result<bool, JournalError> {
        let mut ended = false;
        for (line, seq) in lines.iter().zip(self.next_seq..) {
            let event = parse_raw_line(line)?;
            if event.seq != seq {
                return Err(self.gap(seq, event.seq));
            }
            ended = matches!(event.kind, EventKind::RunEnded { .. });
        }
        self.write_lines(lines)?;
        Ok(ended)
    }

    /// Appends a line of another journal as it is, and returns its event; for a line that is stored
    /// already, does nothing and returns none. For copies of an orchestrator's records.
    ///
    /// # Errors
    /// When it is not an event of this version, leaves a gap, or cannot be written.
    pub fn append_raw_line(&mut self, line: &str) -> Result<Option<Event>, JournalError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let event = parse_raw_line(line)?;
        if event.seq < self.next_seq {
            return Ok(None);
        }
        self.expect_next(event.seq)?;
        self.write_lines(&[line])?;
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
        Err(self.gap(self.next_seq, got))
    }

    fn gap(&self, expected: u64, got: u64) -> JournalError {
        JournalError::Sequence {
            path: self.path.clone(),
            expected,
            got,
        }
    }

    fn write_lines(&mut self, lines: &[impl AsRef<str>]) -> Result<(), JournalError> {
        if self.broken {
            return Err(JournalError::Broken(self.path.clone()));
        }
        let Some((last, _)) = lines.split_last() else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line.as_ref().as_bytes());
            bytes.push(b'\n');
        }
        if let Err(source) = self
            .file
            .seek(SeekFrom::Start(self.len))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| self.file.sync_data())
        {
            // A full disk may have taken half a line; a later line must not be glued to it.
            self.broken = self.file.set_len(self.len).is_err();
            return Err(failed("write", &self.path, source));
        }
        self.len += bytes.len() as u64;
        self.last_line = self.len - last.as_ref().len() as u64 - 1;
        self.next_seq += lines.len() as u64;
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

fn parse_raw_line(line: &str) -> Result<Event, JournalError> {
    if line.contains('\n') {
        return Err(JournalError::Line(TearKind::Garbage(
            "it holds a line break".to_owned(),
        )));
    }
    parse_line(line.as_bytes()).map_err(JournalError::Line)
}
