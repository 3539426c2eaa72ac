//! Reads a run's records: the lines of a journal, each with the raw output that belongs to it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::event::Event;
use super::{journal, run_dir};
use crate::files;
use crate::tools::LARGEST_OUTPUT_BYTES;

/// A batch has at most so many records, and no further one once it has so many bytes.
const MOST_RECORDS: usize = 256;
const ENOUGH_BYTES: usize = 512 << 10;
/// A raw output is that of both streams of a process.
const LARGEST_RAW_BYTES: u64 = 2 * LARGEST_OUTPUT_BYTES as u64 + (64 << 10);

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
        let path = folder.join(journal::FILE_NAME);
        let file = files::open_regular_here(&path, OpenOptions::new().read(true))?;
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
            let path = self.folder.join(run_dir::file::RAW).join(name);
            let file = files::open_regular_here(&path, OpenOptions::new().read(true)).ok()?;
            let content = files::read_to_limit(file, LARGEST_RAW_BYTES).ok()?;
            Some((name.to_owned(), content))
        });
        Ok(StoredRecord {
            seq: event.seq,
            line,
            raw,
        })
    }

    /// The next records up to the one before `end`: at least one, unless `end` has come, and as many as a message
    /// should carry.
    ///
    /// # Errors
    /// As [`RecordReader::next_record`].
    pub fn next_batch(&mut self, end: u64) -> io::Result<Vec<StoredRecord>> {
        let mut records = Vec::new();
        let mut bytes = 0;
        while self.at < end && records.len() < MOST_RECORDS && bytes < ENOUGH_BYTES {
            let record = self.next_record()?;
            bytes += record.line.len() + record.raw.as_ref().map_or(0, |(_, raw)| raw.len());
            records.push(record);
        }
        Ok(records)
    }

    fn next_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        (&mut self.lines)
            .take(journal::LONGEST_LINE_BYTES)
            .read_line(&mut line)?;
        if line.len() as u64 == journal::LONGEST_LINE_BYTES {
            let what = format!("line {} of the journal is too long", self.at + 1);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        if line.pop() != Some('\n') {
            let what = "the journal is shorter than it was";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        self.at += 1;
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{EventKind, Journal, RunDir, Sample};
    use crate::schedule::CellId;

    #[test]
    fn a_raw_output_is_read_only_from_a_regular_file() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path()).unwrap();
        let sample = Sample {
            raw: Some("a.json".to_owned()),
            ..Sample::example(&CellId("a/b".to_owned()))
        };
        let event = Event {
            v: super::super::VERSION,
            seq: 0,
            at: jiff::Timestamp::UNIX_EPOCH,
            kind: EventKind::Sample(sample),
        };
        Journal::create(folder.path())
            .unwrap()
            .append(&event)
            .unwrap();
        let raw = || {
            let mut records = RecordReader::open(folder.path(), 0).unwrap();
            records.next_record().unwrap().raw
        };
        assert_eq!(raw(), None);
        run.write_raw("a.json", b"text").unwrap();
        assert_eq!(raw(), Some(("a.json".to_owned(), b"text".to_vec())));
        #[cfg(unix)]
        {
            let path = folder.path().join("raw/a.json");
            std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
            std::os::unix::fs::symlink("../elsewhere", &path).unwrap();
            assert_eq!(raw(), None, "a link");
        }
    }

    #[test]
    fn a_line_has_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(journal::FILE_NAME);
        let file = File::create(path).unwrap();
        file.set_len(journal::LONGEST_LINE_BYTES + 1).unwrap();
        let mut records = RecordReader::open(folder.path(), 0).unwrap();
        let error = records.next_record().unwrap_err();
        assert_eq!(error.to_string(), "line 1 of the journal is too long");
    }
}
