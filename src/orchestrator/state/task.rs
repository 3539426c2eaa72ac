//! A cell with all that is needed to run it.

use std::fmt;
use std::time::Duration;

use crate::plan::{Plan, Timing, Via};
use crate::schedule::{CellId, Params, Schedule};
use crate::tools::{self, Job, Tool};

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
    /// The tasks of a schedule, in its order.
    #[must_use]
    pub fn all(plan: &Plan, schedule: &Schedule) -> Vec<Task> {
        let task = |cell: &crate::schedule::Cell| {
            let row = schedule.rows.get(cell.row)?;
            let test = plan.tests.get(row.test)?;
            let path = plan.paths.get(row.path)?;
            let tool = tools::of(&test.tool);
            Some(Task {
                cell: schedule.id(plan, cell),
                params: schedule.params(cell),
                path: path.name.clone(),
                from: path.from.clone(),
                to: path.to.clone(),
                via: path.via,
                slot: row.slot,
                timing: test.timing.clone(),
                deadline: tools::deadline(tool.as_ref(), &test.timing),
                tool,
            })
        };
        schedule.cells.iter().filter_map(task).collect()
    }

    pub(super) fn job<'a>(&'a self, target: &'a str) -> Job<'a> {
        Job {
            params: &self.params,
            timing: &self.timing,
            target,
            slot: self.slot,
        }
    }
}
