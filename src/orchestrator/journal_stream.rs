//! The records of a run for somebody who watches: from disk up to what is there, then live.
//!
//! Each watcher reads the journal for itself; only the count of events that are on disk is shared.
//! So no record is missing or sent twice between old and live ones, a slow watcher delays nobody, and
//! no output stays in memory.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use tokio::sync::watch;
use tonic::Status;

use crate::results::{Event, journal, run_dir};
use crate::rpc::pb::{RawOutput, Record};

/// How far the journal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Events on disk: the number of the one that comes next.
    pub next_seq: u64,
    /// There will be no more.
    pub finished: bool,
}

/// Reads records in their order.
#[derive(Debug)]
pub(super) struct JournalStream {
    folder: PathBuf,
    lines: BufReader<File>,
    /// Number of the line that comes next.
    at: u64,
    from: u64,
    extent: watch::Receiver<Extent>,
}

impl JournalStream {
    pub fn open(folder: &Path, from: u64, extent: watch::Receiver<Extent>) -> Result<Self, Status> {
        let file = File::open(folder.join(journal::FILE_NAME)).map_err(|error| broken(&error))?;
        Ok(Self {
            folder: folder.to_owned(),
            lines: BufReader::new(file),
            at: 0,
            from,
            extent,
        })
    }

    /// The next record, as soon as it is there; none when the run has finished.
    pub async fn next(&mut self) -> Result<Option<Record>, Status> {
        loop {
            let extent = *self.extent.borrow_and_update();
            if self.at < extent.next_seq {
                let line = self.line()?;
                if self.at > self.from {
                    return self.record(line).map(Some);
                }
            } else if extent.finished || self.extent.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    fn line(&mut self) -> Result<String, Status> {
        let mut line = String::new();
        self.lines
            .read_line(&mut line)
            .map_err(|error| broken(&error))?;
        if line.pop() != Some('\n') {
            return Err(broken(&"it is shorter than it was"));
        }
        self.at += 1;
        Ok(line)
    }

    fn record(&self, line: String) -> Result<Record, Status> {
        let event: Event = serde_json::from_str(&line).map_err(|error| broken(&error))?;
        // A file that was removed is not a reason to withhold the figures.
        let raw = event.kind.raw_name().and_then(|name| {
            run_dir::check_raw_name(name).ok()?;
            let content = std::fs::read(self.folder.join(run_dir::file::RAW).join(name)).ok()?;
            let name = name.to_owned();
            Some(RawOutput { name, content })
        });
        let seq = event.seq;
        Ok(Record { seq, line, raw })
    }
}

fn broken(why: &dyn std::fmt::Display) -> Status {
    Status::data_loss(format!("the journal cannot be read: {why}"))
}
