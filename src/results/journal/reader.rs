//! Reading a journal event by event, up to a tear if there is one.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::error::{FILE_NAME, JournalError, Tear, TearKind, failed};
use crate::files;
use crate::results::event::{Event, EventKind, OLDEST_VERSION, Outcome, Sample, VERSION};
use crate::schedule::CellId;

/// No event of ours is longer: the longest holds a plan.
pub const LONGEST_LINE_BYTES: u64 = 16 << 20;

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

/// Reads the events of a journal one after the other; it holds one line at a time.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    line: Vec<u8>,
    /// The number of the next event, which is that of the events so far.
    next_seq: u64,
    /// Bytes of the whole lines so far, and before the last of them.
    offset: u64,
    last_line: u64,
    torn: Option<Tear>,
    /// The last event so far is the run's end.
    ended: bool,
}

impl Reader<BufReader<File>> {
    /// Opens the journal in a run's directory.
    ///
    /// # Errors
    /// When it cannot be opened, or is not a regular file.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join(FILE_NAME);
        let file = files::open_regular(&path, OpenOptions::new().read(true));
        let file = file.map_err(|source| failed("read", &path, source))?;
        Ok(Self::new(BufReader::new(file)))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads from the journal's start.
    pub fn new(reader: R) -> Self {
        Self {
            source: reader,
            line: Vec::new(),
            next_seq: 0,
            offset: 0,
            last_line: 0,
            torn: None,
            ended: false,
        }
    }

    /// The next event; none at the end, or from a tear on.
    ///
    /// # Errors
    /// When reading fails.
    pub fn next_event(&mut self) -> io::Result<Option<Event>> {
        if self.torn.is_some() {
            return Ok(None);
        }
        self.line.clear();
        let mut bounded = (&mut self.source).take(LONGEST_LINE_BYTES);
        bounded.read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        let read = match self.line.strip_suffix(b"\n") {
            None => Err(TearKind::Torn),
            Some(line) => parse_line(line).and_then(|event| match self.next_seq {
                expected if event.seq == expected => Ok(event),
                expected => Err(TearKind::Gap {
                    expected,
                    got: event.seq,
                }),
            }),
        };
        match read {
            Ok(event) => {
                self.last_line = self.offset;
                self.offset += self.line.len() as u64;
                self.next_seq += 1;
                self.ended = matches!(event.kind, EventKind::RunEnded { .. });
                Ok(Some(event))
            }
            Err(kind) => {
                let last = self.source.fill_buf()?.is_empty();
                let kind = match kind {
                    TearKind::Torn if !last => {
                        TearKind::Garbage(format!("it is longer than {LONGEST_LINE_BYTES} bytes"))
                    }
                    kind => kind,
                };
                self.torn = Some(Tear {
                    line: usize::try_from(self.next_seq)
                        .unwrap_or(usize::MAX)
                        .saturating_add(1),
                    offset: self.offset,
                    // Another version's line is whole, and no place to write into.
                    at_end: last && !matches!(kind, TearKind::Version(_)),
                    kind,
                });
                Ok(None)
            }
        }
    }

    /// All events from here on.
    ///
    /// # Errors
    /// When reading fails.
    pub fn recover(&mut self) -> io::Result<Recovered> {
        let mut events = Vec::new();
        let recovered = self.visit_all(&mut |event| events.push(event))?;
        Ok(Recovered {
            events,
            ..recovered
        })
    }

    /// Hands all events from here on to `visit`, and returns the rest of what was recovered.
    pub(super) fn visit_all(&mut self, visit: &mut dyn FnMut(Event)) -> io::Result<Recovered> {
        while let Some(event) = self.next_event()? {
            visit(event);
        }
        Ok(Recovered {
            events: Vec::new(),
            torn: self.torn.clone(),
            complete: self.torn.is_none() && self.ended,
        })
    }

    /// The number of the next event.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Where and why reading stopped before the end, if it did.
    #[must_use]
    pub fn torn(&self) -> Option<&Tear> {
        self.torn.as_ref()
    }

    /// Bytes of the whole lines that were read, and of those before the last one.
    pub(super) fn offsets(&self) -> (u64, u64) {
        (self.offset, self.last_line)
    }
}

/// Reads the journal in a run's directory, up to a tear if there is one.
///
/// # Errors
/// When the file cannot be read. A torn or empty journal is not an error.
pub fn read(dir: &Path) -> Result<Recovered, JournalError> {
    let failed = |source| failed("read", &dir.join(FILE_NAME), source);
    Reader::open(dir)?.recover().map_err(failed)
}

/// Reads a journal's content, up to a tear if there is one.
#[must_use]
pub fn read_bytes(bytes: &[u8]) -> Recovered {
    // Memory can always be read.
    Reader::new(bytes).recover().unwrap_or_default()
}

/// Whether the journal in a directory holds no event, and nothing that may have been one.
#[must_use]
pub fn is_empty(dir: &Path) -> bool {
    Reader::open(dir).is_ok_and(|mut reader| holds_nothing(&mut reader))
}

/// Whether the journal has no event: it is empty, or its first line was cut off.
pub(super) fn holds_nothing(reader: &mut Reader<impl BufRead>) -> bool {
    let first = reader.next_event();
    matches!(first, Ok(None)) && reader.torn().is_none_or(|tear| tear.at_end)
}

/// An event from its line, without the newline.
pub(super) fn parse_line(line: &[u8]) -> Result<Event, TearKind> {
    // The version first: a later one may have events that are unknown here.
    #[derive(Deserialize)]
    struct Head<'a> {
        v: u64,
        seq: Option<u64>,
        at: Option<Timestamp>,
        #[serde(borrow, default)]
        event: Cow<'a, str>,
        // What the events that most lines have consist of.
        #[serde(borrow)]
        cell: Option<Cow<'a, str>>,
        sample: Option<u32>,
        attempt: Option<u32>,
        outcome: Option<Outcome>,
    }
    let garbage = |error: serde_json::Error| TearKind::Garbage(error.to_string());
    let head: Head<'_> = serde_json::from_slice(line).map_err(garbage)?;
    if !(u64::from(OLDEST_VERSION)..=u64::from(VERSION)).contains(&head.v) {
        return Err(TearKind::Version(head.v));
    }
    let cell = || head.cell.as_deref().map(|id| CellId(id.to_owned()));
    // Read as what they are these take a third of the time: where one of several kinds is read, each value is
    // put aside first.
    let kind = match (&*head.event, head.sample, head.attempt) {
        ("sample", ..) => {
            let sample: Sample = serde_json::from_slice(line).map_err(garbage)?;
            Some(EventKind::Sample(sample))
        }
        ("sample_started", Some(sample), Some(attempt)) => {
            cell().map(|cell| EventKind::SampleStarted {
                cell,
                sample,
                attempt,
            })
        }
        ("cell_ended", ..) => cell()
            .zip(head.outcome)
            .map(|(cell, outcome)| EventKind::CellEnded { cell, outcome }),
        _ => None,
    };
    let event = match (head.seq, head.at, kind) {
        (Some(seq), Some(at), Some(kind)) => Event {
            v: VERSION,
            seq,
            at,
            kind,
        },
        _ => serde_json::from_slice(line).map_err(garbage)?,
    };
    // What an earlier version says is read as this version says it.
    Ok(Event {
        v: VERSION,
        ..event
    })
}
