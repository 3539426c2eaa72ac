//! Sends the records of the journal to the worker that holds its copy, a few at a time.

use std::path::PathBuf;

use super::messages::record_from;
use super::state::message::Session;
use crate::results::RecordReader;
use crate::rpc::pb::Hold;

/// What is copied, and how far that is.
#[derive(Debug)]
pub(super) struct Copier {
    folder: PathBuf,
    job: Option<Job>,
}

#[derive(Debug)]
struct Job {
    session: Session,
    /// The next record to send.
    next: u64,
    through: u64,
    /// Open from the first record on.
    records: Option<RecordReader>,
    /// The worker has not answered the last message.
    is_waiting: bool,
}

impl Copier {
    /// Copies the journal in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, job: None }
    }

    /// Begins to send the records from `from` to the one before `through`.
    pub fn copy(&mut self, session: Session, from: u64, through: u64) {
        match &mut self.job {
            Some(job) if job.session == session && job.next == from => job.through = through,
            job => {
                *job = Some(Job {
                    session,
                    next: from,
                    through,
                    records: None,
                    is_waiting: false,
                });
            }
        }
    }

    /// The worker has answered a message.
    pub fn answered(&mut self, session: Session) {
        if let Some(job) = self.job.as_mut().filter(|job| job.session == session) {
            job.is_waiting = false;
        }
    }

    /// The next message, if the worker can take one; of records that are on disk. A journal that cannot be
    /// read ends the copying; then the worker does not answer in time, which the state notes.
    pub fn next(&mut self, on_disk: u64) -> Option<(Session, Hold)> {
        let job = self.job.as_mut()?;
        let end = job.through.min(on_disk);
        if job.is_waiting || job.next >= end {
            return None;
        }
        let records = match &mut job.records {
            Some(records) => records,
            none => none.insert(RecordReader::open(&self.folder, job.next).ok()?),
        };
        let batch = records.next_batch(end).ok()?;
        let hold = Hold {
            from_seq: job.next,
            records: batch.into_iter().map(record_from).collect(),
        };
        job.next = records.next_seq();
        job.is_waiting = true;
        Some((job.session, hold))
    }
}
