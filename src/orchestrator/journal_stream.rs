//! The records of a run for somebody who watches: from disk up to what is there, then live.
//!
//! Each watcher reads the journal for itself; only the count of events that are acknowledged is shared.
//! So no record is missing or sent twice between old and live ones, a slow watcher delays nobody, and
//! no output stays in memory.

use std::path::{Path, PathBuf};

use tokio::sync::watch;
use tonic::Status;

use super::messages::record_from;
use crate::results::RecordReader;
use crate::rpc::pb::{Gathering, Record};

/// What there is for watchers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Availability {
    /// Nothing yet: these workers are waited for, and those have joined.
    Gathering(Gathering),
    Journal(Extent),
}

/// How far the journal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Events that are acknowledged: the number of the one that comes next.
    pub next_seq: u64,
    /// There will be no more.
    pub finished: bool,
}

/// Reads records in their order.
#[derive(Debug)]
pub(super) struct JournalStream {
    folder: PathBuf,
    /// Open once the journal is there.
    records: Option<RecordReader>,
    from: u64,
    /// What was said last about the workers that are waited for.
    said: Option<Gathering>,
    availability: watch::Receiver<Availability>,
}

impl JournalStream {
    /// # Errors
    /// `out_of_range` when the journal has fewer records than `from`. Before there is a journal, the stream ends with
    /// that error later.
    pub fn open(
        folder: &Path,
        from: u64,
        availability: watch::Receiver<Availability>,
    ) -> Result<Self, Status> {
        if let Availability::Journal(extent) = &*availability.borrow() {
            check_range(from, *extent)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            records: None,
            from,
            said: None,
            availability,
        })
    }

    /// The next record, as soon as it is there; none when the run has finished.
    pub async fn next(&mut self) -> Result<Option<Record>, Status> {
        loop {
            let availability = self.availability.borrow_and_update().clone();
            match availability {
                Availability::Gathering(gathering) => {
                    // Before anything is known there is nothing to say.
                    let is_known = !gathering.expected.is_empty();
                    if is_known && self.said.as_ref() != Some(&gathering) {
                        self.said = Some(gathering.clone());
                        let gathering = Some(gathering);
                        return Ok(Some(Record {
                            gathering,
                            ..Record::default()
                        }));
                    }
                }
                Availability::Journal(extent) => {
                    let record = self.record_before(extent)?;
                    if record.is_some() || extent.finished {
                        return Ok(record);
                    }
                }
            }
            if self.availability.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    fn record_before(&mut self, extent: Extent) -> Result<Option<Record>, Status> {
        let records = match &mut self.records {
            Some(records) => records,
            none => {
                check_range(self.from, extent)?;
                let opened = RecordReader::open(&self.folder, self.from);
                none.insert(opened.map_err(|error| broken(&error))?)
            }
        };
        if records.next_seq() >= extent.next_seq {
            return Ok(None);
        }
        let record = records.next_record().map_err(|error| broken(&error))?;
        Ok(Some(record_from(record)))
    }
}

fn check_range(from: u64, extent: Extent) -> Result<(), Status> {
    let next = extent.next_seq;
    if from <= next {
        return Ok(());
    }
    Err(Status::out_of_range(format!(
        "record {from} is asked for, and the next one is {next}: this is another journal"
    )))
}

fn broken(why: &dyn std::fmt::Display) -> Status {
    Status::data_loss(format!("the journal cannot be read: {why}"))
}
