//! The worker's copy of the run's journal: the orchestrator's pod may be lost, and its journal with it.
//!
//! The folder has the layout of a run's directory, and a file with the epoch of the orchestrator that wrote the
//! copy. It lives as long as the worker's pod.

use std::fs;
use std::path::{Path, PathBuf};

use crate::results::{
    EventKind, Journal, RecordReader, RunDir, StoredRecord, epoch_file, journal, run_dir,
};
use crate::rpc;
use crate::rpc::pb::{self, CopyPart, Held, Hold, Record};

/// A copy with its raw outputs is not larger. The process may not write a longer file than that either.
const LARGEST_BYTES: u64 = 1 << 30;

/// What the worker holds, and whom it obeys.
#[derive(Debug, Default)]
pub(super) struct JournalCopy {
    /// `None` when there is no folder for a copy.
    folder: Option<PathBuf>,
    obeyed: u64,
    /// Of the copy.
    epoch: u64,
    journal: Option<Journal>,
    /// Of journal and raw outputs.
    bytes: u64,
    complete: bool,
}

impl JournalCopy {
    /// Finds what an earlier process of the pod has left in the folder. What cannot be read counts as nothing.
    pub fn open(folder: Option<&Path>) -> Self {
        let Some(folder) = folder else {
            return Self::default();
        };
        let mut complete = false;
        let journal = Journal::open_with(folder, &mut |event| {
            complete = matches!(event.kind, EventKind::RunEnded { .. });
        });
        let journal = journal.ok();
        Self {
            obeyed: epoch_file::read(folder, epoch_file::OBEYED),
            bytes: journal.as_ref().map_or(0, |_| bytes_in(folder)),
            epoch: journal
                .as_ref()
                .map_or(0, |_| epoch_file::read(folder, epoch_file::JOURNAL)),
            complete: complete && journal.is_some(),
            journal,
            folder: Some(folder.to_owned()),
        }
    }

    /// The greatest epoch that the worker has obeyed.
    pub fn obeyed(&self) -> u64 {
        self.obeyed
    }

    /// What is held, for the orchestrator.
    pub fn describe(&self) -> Option<pb::Copy> {
        self.folder.as_ref()?;
        Some(pb::Copy {
            next_seq: self.next_seq(),
            epoch: self.epoch,
            complete: self.complete,
        })
    }

    /// Whether the copy has the run's end.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether an order of the orchestrator of this epoch counts. One of a greater epoch than before ends the
    /// authority of all others; that is on disk before the worker does anything for it.
    pub fn obeys(&mut self, epoch: u64) -> bool {
        if epoch > self.obeyed {
            if let Some(folder) = &self.folder {
                // Without the file, the other workers still know.
                let _ = epoch_file::write(folder, epoch_file::OBEYED, epoch);
            }
            self.obeyed = epoch;
        }
        epoch == self.obeyed
    }

    /// Appends records. Returns once they are on disk.
    pub fn hold(&mut self, hold: Hold) -> Held {
        let problem = self.write(hold).err().unwrap_or_default();
        Held {
            next_seq: self.next_seq(),
            problem,
        }
    }

    /// The records of the copy from a sequence number on.
    ///
    /// # Errors
    /// When there is no copy, or it is shorter.
    pub fn records(
        &self,
        from: u64,
    ) -> std::io::Result<impl Iterator<Item = std::io::Result<Record>> + use<>> {
        let none = || std::io::Error::other("this worker has no copy of the journal");
        let folder = self.folder.as_deref().ok_or_else(none)?;
        let mut records = RecordReader::open(folder, from)?;
        let through = self.next_seq();
        Ok(std::iter::from_fn(move || {
            (records.next_seq() < through).then(|| records.next_record().map(record_from))
        }))
    }

    /// The parts of the copy, in their order. The last one says so, or why no more can be read.
    pub fn parts(&self) -> Parts {
        Parts {
            records: self
                .folder
                .as_deref()
                .and_then(|folder| RecordReader::open(folder, 0).ok()),
            through: self.next_seq(),
            is_over: false,
        }
    }

    /// How many records the copy has.
    pub fn next_seq(&self) -> u64 {
        self.journal.as_ref().map_or(0, Journal::next_seq)
    }

    fn write(&mut self, hold: Hold) -> Result<(), String> {
        let Some(folder) = &self.folder else {
            return Err("the worker has no folder for a copy".to_owned());
        };
        // The same orchestrator may send again what it does not know to be here.
        let is_same = self.epoch == self.obeyed && self.journal.is_some();
        let known = if is_same {
            self.next_seq().saturating_sub(hold.from_seq)
        } else {
            0
        };
        if hold.from_seq == 0 && !is_same {
            self.complete = false;
            self.journal = None;
            self.journal = Some(begin(folder, self.obeyed)?);
            self.bytes = 0;
            self.epoch = self.obeyed;
        }
        let Some(journal) = &mut self.journal else {
            return Err("the copy has no beginning".to_owned());
        };
        if hold.from_seq.checked_add(known) != Some(journal.next_seq()) {
            return Err(format!(
                "record {} does not follow: the copy has {}",
                hold.from_seq,
                journal.next_seq()
            ));
        }
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let raw_bytes = |record: &Record| record.raw.as_ref().map_or(0, |raw| raw.content.len());
        let sizes = hold
            .records
            .iter()
            .skip(known)
            .map(|record| record.line.len() + 1 + raw_bytes(record));
        let more = sizes.sum::<usize>() as u64;
        if self.bytes + more > LARGEST_BYTES {
            return Err(format!(
                "the copy would be larger than {LARGEST_BYTES} bytes"
            ));
        }
        if self.epoch != self.obeyed {
            write_epoch(folder, self.obeyed)?;
            self.epoch = self.obeyed;
        }
        self.bytes += more;
        let dir = RunDir::open(folder).map_err(|error| error.to_string())?;
        let mut lines = Vec::with_capacity(hold.records.len());
        for Record { line, raw, .. } in hold.records.into_iter().skip(known) {
            if let Some(raw) = raw {
                let written = dir.write_raw(&raw.name, &raw.content);
                written.map_err(|error| error.to_string())?;
            }
            lines.push(line);
        }
        if !lines.is_empty() {
            let ended = journal.append_raw_lines(&lines);
            self.complete = ended.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// Begins a copy; an earlier one is removed.
fn begin(folder: &Path, epoch: u64) -> Result<Journal, String> {
    let _ = fs::remove_file(folder.join(journal::FILE_NAME));
    RunDir::create(folder).map_err(|error| error.to_string())?;
    write_epoch(folder, epoch)?;
    Journal::create(folder).map_err(|error| error.to_string())
}

fn write_epoch(folder: &Path, epoch: u64) -> Result<(), String> {
    let written = epoch_file::write(folder, epoch_file::JOURNAL, epoch);
    written.map_err(|error| error.to_string())
}

/// The size of the journal and the raw outputs in a folder.
fn bytes_in(folder: &Path) -> u64 {
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let raw = fs::read_dir(folder.join(run_dir::file::RAW));
    let raw = raw.into_iter().flatten().flatten();
    let raw: u64 = raw.map(|entry| size(&entry.path())).sum();
    size(&folder.join(journal::FILE_NAME)) + raw
}

fn record_from(record: StoredRecord) -> Record {
    rpc::record(record.seq, record.line, record.raw)
}

/// Reads a copy part by part.
#[derive(Debug)]
pub(super) struct Parts {
    records: Option<RecordReader>,
    through: u64,
    is_over: bool,
}

impl Iterator for Parts {
    type Item = CopyPart;

    fn next(&mut self) -> Option<CopyPart> {
        if self.is_over {
            return None;
        }
        let mut part = CopyPart::default();
        if let Err(error) = self.read(&mut part) {
            part.problem = error.to_string();
        }
        self.is_over = part.last || !part.problem.is_empty();
        Some(part)
    }
}

impl Parts {
    fn read(&mut self, part: &mut CopyPart) -> std::io::Result<()> {
        let Some(records) = &mut self.records else {
            return Err(std::io::Error::other("there is no copy"));
        };
        let batch = records.next_batch(self.through)?;
        part.records = batch.into_iter().map(record_from).collect();
        part.last = records.next_seq() >= self.through;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::results::{Event, VERSION};

    fn record(seq: u64) -> Record {
        let event = Event {
            v: VERSION,
            seq,
            at: Timestamp::UNIX_EPOCH,
            kind: match seq {
                4 => EventKind::RunEnded { cancelled: false },
                _ => EventKind::WorkerLeft {
                    worker: "w1".to_owned(),
                },
            },
        };
        Record {
            seq,
            line: journal::to_line(&event).unwrap(),
            ..Record::default()
        }
    }

    fn hold(range: std::ops::Range<u64>) -> Hold {
        Hold {
            from_seq: range.start,
            records: range.map(record).collect(),
        }
    }

    #[test]
    fn a_copy_outlives_its_process_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut copy = JournalCopy::open(Some(folder.path()));
        assert!(copy.obeys(7) && !copy.obeys(6));
        assert_eq!(
            copy.hold(hold(0..2)),
            Held {
                next_seq: 2,
                problem: String::new()
            }
        );
        assert!(!copy.hold(hold(3..4)).problem.is_empty(), "a gap");
        assert_eq!(copy.hold(hold(2..4)).next_seq, 4);
        drop(copy);
        let mut copy = JournalCopy::open(Some(folder.path()));
        let described = pb::Copy {
            next_seq: 4,
            epoch: 7,
            complete: false,
        };
        assert_eq!((copy.describe(), copy.obeyed()), (Some(described), 7));
        let parts: Vec<CopyPart> = copy.parts().collect();
        assert_eq!(parts.len(), 1);
        assert!(parts[0].last && parts[0].problem.is_empty());
        assert_eq!(parts[0].records, (0..4).map(record).collect::<Vec<_>>());
        assert!(copy.obeys(9));
        assert_eq!(copy.hold(hold(4..5)).problem, "");
        assert!(copy.is_complete());
        assert_eq!(copy.describe().unwrap().epoch, 9);
        // An answer may have been lost; then the same comes again.
        assert_eq!(
            copy.hold(hold(3..5)),
            Held {
                next_seq: 5,
                problem: String::new()
            }
        );
        let bytes = copy.bytes;
        assert_eq!(
            bytes,
            bytes_in(folder.path()),
            "repeated records count once"
        );
        drop(copy);
        let mut copy = JournalCopy::open(Some(folder.path()));
        assert_eq!(copy.bytes, bytes, "the next process counts the same");
        assert!(copy.obeys(11));
        // An order that is refused leaves the copy to the orchestrator that wrote it.
        assert!(!copy.hold(hold(7..8)).problem.is_empty());
        assert_eq!(copy.describe().unwrap().epoch, 9);
        // Another orchestrator begins anew.
        assert_eq!(copy.hold(hold(0..1)).next_seq, 1);
        assert!(!copy.is_complete());
    }

    #[test]
    fn without_a_folder_there_is_no_copy() {
        let mut copy = JournalCopy::open(None);
        assert_eq!(copy.describe(), None);
        assert!(copy.obeys(1) && copy.obeys(2) && !copy.obeys(1));
        assert!(!copy.hold(hold(0..1)).problem.is_empty());
    }
}
