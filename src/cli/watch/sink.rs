//! Who takes the records of a run that is followed.

use crate::cli::progress::Phase;
use crate::rpc::pb::Record;

/// Takes a run's records.
pub(in crate::cli) trait Sink {
    /// The record to begin with.
    fn begins_at(&self) -> u64;

    /// Takes the next record.
    fn take(&mut self, record: &Record) -> anyhow::Result<Heard>;

    /// What to say of an orchestrator that knows nothing of the records that are here.
    fn begun_anew(&self) -> anyhow::Error;

    /// Says something that a person should know.
    fn say(&self, message: &str);

    /// The run has begun to measure.
    fn has_begun(&self) -> bool;

    /// Takes note of a new phase of the run.
    fn enter(&self, phase: Phase);

    /// Every record up to this one is on disk here.
    fn holds_through(&self) -> Option<u64>;
}

/// What a record means for whoever follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Heard {
    More,
    /// It was the run's last.
    RunEnded,
    /// No more is of interest.
    Enough,
}
