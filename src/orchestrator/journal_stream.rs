//! The records of a run for somebody who watches: from disk up to what is there, then live.
//!
//! Each watcher reads the journal for itself; only the count of events that are acknowledged is shared.
//! So no record is missing or sent twice between old and live ones, a slow watcher delays nobody, and
//! no output stays in memory.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::sync::watch;
use tonic::Status;

use super::messages::record_from;
use super::state::marks::Go;
use crate::results::RecordReader;
use crate::rpc::pb::{self, Gathering, Record};

/// What there is for watchers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Availability {
    /// Nothing yet: these workers are waited for, and those have joined.
    Gathering(Gathering),
    Journal(Extent),
}

/// How far the journal has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Events that are acknowledged: the number of the one that comes next.
    pub next_seq: u64,
    /// There will be no more.
    pub finished: bool,
    /// Those whose samples run.
    pub goes: Vec<Go>,
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
    /// The goes that the watcher believes to last.
    goes: Vec<u64>,
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
            check_range(from, extent)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            records: None,
            from,
            said: None,
            goes: Vec::new(),
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
                    if let Some(go) = self.changed_go(&extent.goes) {
                        return Ok(Some(Record {
                            go: Some(go),
                            ..Record::default()
                        }));
                    }
                    let record = self.record_before(&extent)?;
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

    /// A go that has begun or ended since the watcher was told.
    fn changed_go(&mut self, goes: &[Go]) -> Option<pb::Go> {
        let ended = self
            .goes
            .iter()
            .position(|id| goes.iter().all(|go| go.id != *id));
        if let Some(ended) = ended {
            return Some(pb::Go {
                id: self.goes.remove(ended),
                is_over: true,
                ..pb::Go::default()
            });
        }
        let begun = goes.iter().find(|go| !self.goes.contains(&go.id))?;
        self.goes.push(begun.id);
        let elapsed = Timestamp::now().duration_since(begun.at).unsigned_abs();
        Some(pb::Go {
            id: begun.id,
            test: begun.test.clone(),
            variant: begun.variant.clone().unwrap_or_default(),
            sample: begun.sample,
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            is_over: false,
        })
    }

    fn record_before(&mut self, extent: &Extent) -> Result<Option<Record>, Status> {
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

fn check_range(from: u64, extent: &Extent) -> Result<(), Status> {
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
