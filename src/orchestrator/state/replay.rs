//! Reads how far a run has come from the events of its earlier parts.

use super::cell_index::CellLookup;
use super::progress::{Progress, cell_of};
use super::table::{CellIndex, Table};
use super::task::Tasks;
use crate::results::EventKind;

/// Applies the events of a run, one after the other: all of them may not fit into memory.
#[derive(Debug)]
pub struct Replay<'t> {
    tasks: &'t Tasks,
    /// Made for the first event: most runs have no earlier part.
    cells: Option<CellLookup<'t>>,
    history: History,
}

/// How far a run has come.
#[derive(Debug)]
pub struct History {
    pub(super) progress: Table<CellIndex, Progress>,
    pub(super) run_ended: bool,
}

impl<'t> Replay<'t> {
    #[must_use]
    pub fn new(tasks: &'t Tasks) -> Self {
        let history = History {
            progress: tasks.iter().map(|_| Progress::default()).collect(),
            run_ended: false,
        };
        Self {
            tasks,
            cells: None,
            history,
        }
    }

    /// Applies the next event.
    pub fn apply(&mut self, event: &EventKind) {
        if let EventKind::RunEnded { .. } = event {
            self.history.run_ended = true;
        }
        let Some(id) = cell_of(event) else {
            return;
        };
        let tasks = self.tasks;
        let cells = self.cells.get_or_insert_with(|| CellLookup::new(tasks));
        if let Some(cell) = cells.find(id) {
            self.history.progress[cell].apply(tasks.at(cell).work, event);
        }
    }

    /// What the events say. An attempt that was under way when they break off counts as made, but
    /// not as failed.
    #[must_use]
    pub fn finish(self) -> History {
        self.history
    }
}
