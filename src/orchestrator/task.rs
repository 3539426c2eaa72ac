//! A cell with all that is needed to run it.

use std::fmt;
use std::time::Duration;

use crate::plan::{Timing, Via};
use crate::schedule::{CellId, Params};
use crate::tools::{Job, Tool};

/// A cell with all that is needed to run it.
pub struct Task {
    pub cell: CellId,
    pub params: Params,
    /// The path's name.
    pub path: String,
    /// The worker that runs the client.
    pub from: String,
    /// The worker that runs the server.
    pub to: String,
    pub via: Via,
    /// See [`Job::slot`].
    pub slot: u16,
    pub timing: Timing,
    pub tool: Box<dyn Tool>,
    /// For warm-up and measurement of one sample together.
    pub deadline: Duration,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.cell).finish()
    }
}

impl Task {
    pub(super) fn job<'a>(&'a self, target: &'a str) -> Job<'a> {
        Job {
            params: &self.params,
            timing: &self.timing,
            target,
            slot: self.slot,
        }
    }
}
