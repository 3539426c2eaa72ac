//! `events.jsonl`: what happened in a run, an event a line.
//!
//! A line is one [`Event`] as JSON: `{"v":1,"seq":0,"at":"…","event":"run_started",…}`. `seq` counts
//! from 0 without gaps. A line is appended with a single write that includes its newline, and is on
//! disk before anybody hears of it; so only the last line can be torn, and a torn line was never
//! acknowledged. Whoever writes holds an exclusive lock on the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::event::{Event, EventKind, VERSION};

/// The journal's name in a run's directory.
pub const FILE_NAME: &str = "events.jsonl";

/// Writes a run's journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    next_seq: u64,
    /// Bytes of whole lines; what a failed write leaves beyond is cut off again.
    len: u64,
    /// A failed write could not be undone: nothing may follow it.
    broken: bool,
}

/// Why a journal cannot be written or read.
#[derive(Debug, Error)]
pub enum JournalError {
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "`{}` already exists: a run's directory holds one run; choose another directory",
        .0.display()
    )]
    Exists(PathBuf),
    #[error(
        "`{}` is being written by another netplan; wait until it has ended",
        .0.display()
    )]
    Locked(PathBuf),
    #[error(
        "`{}` is damaged before its end ({tear}); it can be reported up to there, but not continued",
        path.display()
    )]
    Damaged { path: PathBuf, tear: Tear },
    #[error("event {got} does not follow: `{}` goes on with {expected}", path.display())]
    Sequence {
        path: PathBuf,
        expected: u64,
        got: u64,
    },
    #[error("not an event line: {0}")]
    Line(TearKind),
    #[error(
        "`{}` could not be written before and is closed; what it holds can be reported",
        .0.display()
    )]
    Broken(PathBuf),
}

impl Journal {
    /// Begins the journal of a new run in `dir`, which must be there.
    ///
    /// # Errors
    /// When `dir` has a journal already or cannot be written to.
    pub fn create(dir: &Path) -> Result<Journal, JournalError> {
        let path = dir.join(FILE_NAME);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => JournalError::Exists(path.clone()),
                _ => failed("create", &path, source),
            })?;
        lock(&file, &path)?;
        // The file's name is part of the directory, which has its own way to the disk.
        File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|source| failed("sync", dir, source))?;
        Ok(Journal {
            file,
            path,
            next_seq: 0,
            len: 0,
            broken: false,
        })
    }

    /// Goes on with the journal in `dir`: cuts off a torn last line and continues after the last
    /// whole one. Also returns what it holds.
    ///
    /// # Errors
    /// When there is none, when another process writes it, or when it is damaged elsewhere than in
    /// its last line; then nothing is changed.
    pub fn open(dir: &Path) -> Result<(Journal, Recovered), JournalError> {
        let path = dir.join(FILE_NAME);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .map_err(|source| failed("open", &path, source))?;
        lock(&file, &path)?;
        let bytes = std::fs::read(&path).map_err(|source| failed("read", &path, source))?;
        let recovered = read_bytes(&bytes);
        if let Some(tear) = &recovered.torn {
            if !tear.at_end {
                return Err(JournalError::Damaged {
                    path,
                    tear: tear.clone(),
                });
            }
            file.set_len(tear.offset)
                .and_then(|()| file.sync_data())
                .map_err(|source| failed("truncate", &path, source))?;
        }
        let len = recovered
            .torn
            .as_ref()
            .map_or(bytes.len() as u64, |tear| tear.offset);
        let journal = Journal {
            file,
            path,
            next_seq: recovered.events.len() as u64,
            len,
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

    /// Cuts the last event off: that of a cancelled run which is to go on is its end.
    ///
    /// # Errors
    /// When the file cannot be read or cut.
    pub fn take_back(&mut self) -> Result<(), JournalError> {
        let failed = |source| failed("truncate", &self.path, source);
        let bytes = std::fs::read(&self.path).map_err(failed)?;
        let lines = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let before = lines.iter().rposition(|byte| *byte == b'\n');
        let len = before.map_or(0, |at| at as u64 + 1);
        self.file
            .set_len(len)
            .and_then(|()| self.file.sync_data())
            .map_err(failed)?;
        self.len = len;
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
        self.len += bytes.len() as u64;
        self.next_seq += 1;
        Ok(())
    }
}

/// An event as it stands in the journal, without the newline.
///
/// # Errors
/// Never for events of this crate: none has a map whose keys are not strings.
pub fn to_line(event: &Event) -> Result<String, JournalError> {
    serde_json::to_string(event)
        .map_err(|error| JournalError::Line(TearKind::Garbage(error.to_string())))
}

/// What could be read of a journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// The events up to the tear.
    pub events: Vec<Event>,
    /// Where and why reading stopped before the end of the file.
    pub torn: Option<Tear>,
    /// The run came to its own end (also by being cancelled): its last event says so.
    pub complete: bool,
}

/// Where a journal cannot be read further, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {kind}")]
pub struct Tear {
    /// Counts from 1.
    pub line: usize,
    /// Bytes of whole lines before it.
    pub offset: u64,
    /// It is the last line, so nothing acknowledged can be lost: a write that was cut off.
    pub at_end: bool,
    pub kind: TearKind,
}

/// Why a line is no event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TearKind {
    #[error("the line was cut off while it was written")]
    Torn,
    #[error("the line is not an event ({0})")]
    Garbage(String),
    #[error("event {expected} should stand here, but {got} does")]
    Gap { expected: u64, got: u64 },
    #[error(
        "the line has format version {0}, and this netplan reads version {VERSION}; \
         use the netplan that wrote it"
    )]
    Version(u64),
}

/// Reads the journal in a run's directory, up to a tear if there is one.
///
/// # Errors
/// When the file cannot be read. A journal that is torn, or empty, is no error.
pub fn read(dir: &Path) -> Result<Recovered, JournalError> {
    let path = dir.join(FILE_NAME);
    let bytes = std::fs::read(&path).map_err(|source| failed("read", &path, source))?;
    Ok(read_bytes(&bytes))
}

/// Reads a journal's content, up to a tear if there is one.
#[must_use]
pub fn read_bytes(bytes: &[u8]) -> Recovered {
    let mut events: Vec<Event> = Vec::new();
    let mut offset = 0;
    let mut torn = None;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let read = match line.strip_suffix(b"\n") {
            None => Err(TearKind::Torn),
            Some(text) => parse_line(text).and_then(|event| match events.len() as u64 {
                expected if event.seq == expected => Ok(event),
                expected => Err(TearKind::Gap {
                    expected,
                    got: event.seq,
                }),
            }),
        };
        match read {
            Ok(event) => events.push(event),
            Err(kind) => {
                let last = offset + line.len() == bytes.len();
                torn = Some(Tear {
                    line: events.len() + 1,
                    offset: offset as u64,
                    // Another version's line is whole, and no place to write into.
                    at_end: last && !matches!(kind, TearKind::Version(_)),
                    kind,
                });
                break;
            }
        }
        offset += line.len();
    }
    let complete = torn.is_none()
        && matches!(
            events.last(),
            Some(Event {
                kind: EventKind::RunEnded { .. },
                ..
            })
        );
    Recovered {
        events,
        torn,
        complete,
    }
}

fn parse_line(line: &[u8]) -> Result<Event, TearKind> {
    // The version first: a later one may have events that are unknown here.
    #[derive(Deserialize)]
    struct Head {
        v: u64,
    }
    let garbage = |error: serde_json::Error| TearKind::Garbage(error.to_string());
    let head: Head = serde_json::from_slice(line).map_err(garbage)?;
    if head.v != u64::from(VERSION) {
        return Err(TearKind::Version(head.v));
    }
    serde_json::from_slice(line).map_err(garbage)
}

fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::Locked(path.to_owned()),
        TryLockError::Error(source) => failed("lock", path, source),
    })
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}
