//! Reads a run's records: the lines of a journal, each with the raw output that belongs to it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::event::Event;
use super::{journal, run_dir};

/// A line of the journal, and the raw output that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    pub seq: u64,
    /// Without the newline.
    pub line: String,
    /// File name under `raw/`, and its content. A file that was removed is not a reason to withhold the figures.
    pub raw: Option<(String, Vec<u8>)>,
}

/// Reads the records of a run's directory in their order, while it may still grow.
#[derive(Debug)]
pub struct RecordReader {
    folder: PathBuf,
    lines: BufReader<File>,
    /// Number of the line that comes next.
    at: u64,
}

impl RecordReader {
    /// Reads from a sequence number on. The journal must have the lines before it.
    ///
    /// # Errors
    /// When the journal cannot be opened, or is shorter.
    pub fn open(folder: &Path, from: u64) -> io::Result<Self> {
        let file = File::open(folder.join(journal::FILE_NAME))?;
        let mut reader = Self {
            folder: folder.to_owned(),
            lines: BufReader::new(file),
            at: 0,
        };
        while reader.at < from {
            reader.next_line()?;
        }
        Ok(reader)
    }

    /// The number of the next record.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.at
    }

    /// The next record, which must be there.
    ///
    /// # Errors
    /// When the journal is shorter, or cannot be read.
    pub fn next_record(&mut self) -> io::Result<StoredRecord> {
        let line = self.next_line()?;
        let event: Event = serde_json::from_str(&line)?;
        let raw = event.kind.raw_name().and_then(|name| {
            run_dir::check_raw_name(name).ok()?;
            let content = std::fs::read(self.folder.join(run_dir::file::RAW).join(name)).ok()?;
            Some((name.to_owned(), content))
        });
        Ok(StoredRecord {
            seq: event.seq,
            line,
            raw,
        })
    }

    fn next_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        if line.pop() != Some('\n') {
            let what = "the journal is shorter than it was";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        self.at += 1;
        Ok(line)
    }
}
