//! The worker's copy of the run's journal: the orchestrator's pod may be lost, and its journal with it.
//!
//! The folder has the layout of a run's directory, and a file with the epoch of the orchestrator that wrote the
//! copy. It lives as long as the worker's pod.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::files;
use crate::results::{EventKind, Journal, RecordReader, RunDir, StoredRecord, journal};
use crate::rpc::pb::{self, CopyPart, Held, Hold, RawOutput, Record};

/// The epoch of the orchestrator whose journal the copy is of.
const EPOCH_FILE: &str = "epoch";
/// The greatest epoch that the worker has obeyed.
const OBEYED_FILE: &str = "obeyed";
const LARGEST_EPOCH_BYTES: u64 = 64;
/// Permissions of these files, less the umask.
const MODE: u32 = 0o600;
/// A part has at most so many records, and no further one once it has so many bytes.
const MOST_RECORDS: usize = 256;
const ENOUGH_BYTES: usize = 512 << 10;
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
    /// Of journal and raw outputs, as far as this process has written them.
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
            obeyed: read_epoch(folder, OBEYED_FILE),
            bytes: 0,
            epoch: journal
                .as_ref()
                .map_or(0, |_| read_epoch(folder, EPOCH_FILE)),
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
                let _ = write_epoch(folder, OBEYED_FILE, epoch);
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

    fn next_seq(&self) -> u64 {
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
        if self.epoch != self.obeyed {
            write_epoch(folder, EPOCH_FILE, self.obeyed)?;
            self.epoch = self.obeyed;
        }
        let Some(journal) = &mut self.journal else {
            return Err("the copy has no beginning".to_owned());
        };
        if hold.from_seq + known != journal.next_seq() {
            return Err(format!(
                "record {} does not follow: the copy has {}",
                hold.from_seq,
                journal.next_seq()
            ));
        }
        let raw_bytes = |record: &Record| record.raw.as_ref().map_or(0, |raw| raw.content.len());
        let sizes = hold
            .records
            .iter()
            .map(|record| record.line.len() + raw_bytes(record));
        let more = sizes.sum::<usize>() as u64;
        if self.bytes + more > LARGEST_BYTES {
            return Err(format!(
                "the copy would be larger than {LARGEST_BYTES} bytes"
            ));
        }
        self.bytes += more;
        let dir = RunDir::open(folder).map_err(|error| error.to_string())?;
        let mut lines = Vec::with_capacity(hold.records.len());
        let known = usize::try_from(known).unwrap_or(usize::MAX);
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
    write_epoch(folder, EPOCH_FILE, epoch)?;
    Journal::create(folder).map_err(|error| error.to_string())
}

fn read_epoch(folder: &Path, name: &str) -> u64 {
    let text = files::read_text(&folder.join(name), LARGEST_EPOCH_BYTES);
    let number = text.ok().and_then(|text| text.trim().parse().ok());
    number.unwrap_or_default()
}

fn write_epoch(folder: &Path, name: &str, epoch: u64) -> Result<(), String> {
    let path = folder.join(name);
    let text = epoch.to_string();
    let written = files::replace(&path, MODE, files::Durability::Synced, |file| {
        std::io::Write::write_all(file, text.as_bytes())
    });
    written.map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}

fn record_from(record: StoredRecord) -> Record {
    let StoredRecord { seq, line, raw } = record;
    let raw = raw.map(|(name, content)| RawOutput { name, content });
    Record {
        seq,
        line,
        raw,
        gathering: None,
    }
}

/// The worker's copy, for its session and for the command line.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedCopy {
    copy: Arc<Mutex<JournalCopy>>,
    collected: Arc<Notify>,
}

impl SharedCopy {
    /// Opens the copy in a folder, if there is one.
    pub async fn open(folder: Option<PathBuf>) -> Self {
        let opened = tokio::task::spawn_blocking(move || JournalCopy::open(folder.as_deref()));
        Self {
            copy: Arc::new(Mutex::new(opened.await.unwrap_or_default())),
            collected: Arc::default(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, JournalCopy> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the copy where waiting for the disk delays nobody.
    pub async fn with<T: Default + Send + 'static>(
        &self,
        use_copy: impl FnOnce(&mut JournalCopy) -> T + Send + 'static,
    ) -> T {
        let copy = self.clone();
        let used = tokio::task::spawn_blocking(move || use_copy(&mut copy.lock()));
        used.await.unwrap_or_default()
    }

    /// Whether an order of this epoch counts.
    pub async fn obeys(&self, epoch: u64) -> bool {
        // Most orders are of the same orchestrator as the one before.
        let is_same = self.lock().obeyed() == epoch;
        is_same || self.with(move |copy| copy.obeys(epoch)).await
    }

    /// Somebody has every record up to this one.
    pub fn set_collected(&self, through_seq: u64) {
        let copy = self.lock();
        if copy.is_complete() && through_seq + 1 >= copy.next_seq() {
            self.collected.notify_one();
        }
    }

    /// Resolves when somebody has all records of the finished run.
    pub async fn collected(&self) {
        self.collected.notified().await;
    }
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
        let mut bytes = 0;
        while part.records.len() < MOST_RECORDS && bytes < ENOUGH_BYTES {
            if records.next_seq() >= self.through {
                part.last = true;
                return Ok(());
            }
            let record = records.next_record()?;
            bytes += record.line.len() + record.raw.as_ref().map_or(0, |(_, raw)| raw.len());
            part.records.push(record_from(record));
        }
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
        // Another orchestrator begins anew.
        assert!(copy.obeys(11));
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
