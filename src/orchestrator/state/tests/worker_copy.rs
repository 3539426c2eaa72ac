//! A worker's copy of the journal.

use super::super::copy::claim::{Claim, HeldJournal};
use super::super::copy::epoch::Epoch;
use crate::results::EventKind;

/// What a worker's pod holds of the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkerCopy {
    /// A pod that comes back on another node is another pod.
    pub node: usize,
    pub obeyed: Epoch,
    pub epoch: Epoch,
    pub events: Vec<EventKind>,
}

impl WorkerCopy {
    /// What the worker says in its Hello.
    pub fn claim(&self) -> Claim {
        Claim {
            obeyed: self.obeyed,
            copy: Some(HeldJournal {
                epoch: self.epoch,
                next_seq: self.events.len() as u64,
                complete: matches!(self.events.last(), Some(EventKind::RunEnded { .. })),
            }),
        }
    }
}
