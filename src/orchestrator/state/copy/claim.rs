//! What a worker says of the run's past: whom it has obeyed, and what it holds of the journal.

use super::epoch::Epoch;

/// What somebody holds of a run's journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldJournal {
    /// The epoch of the orchestrator whose journal it is a copy of.
    pub epoch: Epoch,
    /// The number of the record that comes next.
    pub next_seq: u64,
    /// The last record is the run's end.
    pub complete: bool,
}

/// What a worker says of the run's past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The greatest epoch that it has obeyed.
    pub obeyed: Epoch,
    /// `None` when it has no folder for a copy.
    pub copy: Option<HeldJournal>,
}
