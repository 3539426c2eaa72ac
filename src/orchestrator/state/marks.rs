//! Goes of tests with `during:`, and the marks that the command line sets while their samples run.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::message::{SetMark, Step};
use super::table::{BatchId, CellIndex};
use super::{Phase, State};
use crate::results::EventKind;
use crate::results::mark::Mark;
use crate::schedule::Params;

/// Goes that marks may still belong to.
const REMEMBERED: usize = 64;

/// The start of the clients of a batch, whose test has `during:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Go {
    /// Never used twice in a run.
    pub id: u64,
    pub test: String,
    pub variant: Option<String>,
    pub params: Params,
    pub sample: u32,
    pub at: Timestamp,
}

/// The goes so far.
#[derive(Debug, Default)]
pub(super) struct Goes {
    /// The newest last.
    recent: VecDeque<Go>,
    /// Of batches whose samples run.
    open: Vec<(BatchId, Go)>,
}

impl State {
    /// Goes whose samples run.
    #[must_use]
    pub fn goes(&self) -> Vec<Go> {
        self.goes.open.iter().map(|(_, go)| go.clone()).collect()
    }

    /// A client starts. The first one of its batch is the go.
    pub(super) fn note_go(&mut self, cell: CellIndex, sample: u32, client: Step) {
        let Some(batch) = self.batches.of(cell) else {
            return;
        };
        let task = self.tasks.at(cell);
        let test = task.test();
        let is_known = self.goes.open.iter().any(|(open, _)| *open == batch);
        if test.during.is_empty() || is_known {
            return;
        }
        let variant = self.tasks.plan().variant_name(task.path.variant);
        let go = Go {
            // Steps are unique within an epoch.
            id: self.epoch().number() << 40 | client.0,
            test: test.name.clone(),
            variant: variant.map(str::to_owned),
            params: task.params_at(None),
            sample,
            at: self.now,
        };
        if self.goes.recent.len() == REMEMBERED {
            self.goes.recent.pop_front();
        }
        self.goes.recent.push_back(go.clone());
        self.goes.open.push((batch, go));
    }

    /// All samples of a batch have ended.
    pub(super) fn end_go(&mut self, batch: BatchId) {
        self.goes.open.retain(|(open, _)| *open != batch);
    }

    /// Writes a mark of a go that is known; nothing follows the run's end.
    pub(super) fn set_mark(&mut self, set: SetMark) {
        if let Phase::Closing(_) | Phase::Ended = self.phase {
            return;
        }
        let Some(go) = self.goes.recent.iter().find(|go| go.id == set.go) else {
            return;
        };
        let offset_s = set.happened.duration_since(go.at).as_secs_f64();
        let mark = Mark {
            test: go.test.clone(),
            variant: go.variant.clone(),
            params: go.params.clone(),
            sample: go.sample,
            entry: set.entry,
            edge: set.edge,
            happened: set.happened,
            offset_s,
            uncertainty_s: set.uncertainty.as_secs_f64(),
            exit_code: set.exit_code,
            text: set.text,
        };
        self.emit(EventKind::Mark(mark));
    }
}
