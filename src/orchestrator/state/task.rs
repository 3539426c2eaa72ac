//! A cell with all that is needed to run it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::plan::{Plan, Timing, Via};
use crate::results::Circumstances;
use crate::schedule::{CellId, Param, Params, Schedule};
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
    /// Against which its samples are doubted, as far as the plan says.
    pub circumstances: Circumstances,
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
        let sweeps_mss = mss_sweeps(schedule);
        let task = |cell: &crate::schedule::Cell| {
            let row = schedule.rows.get(cell.row)?;
            let test = plan.tests.get(row.test)?;
            let path = plan.paths.get(row.path)?;
            let tool = tools::of(&test.tool);
            let warmup_s = test.timing.warmup.0.as_secs_f64();
            Some(Task {
                cell: cell.id.clone(),
                params: cell.params.clone(),
                path: path.name.clone(),
                from: path.from.clone(),
                to: path.to.clone(),
                via: path.via,
                slot: row.slot,
                timing: test.timing.clone(),
                circumstances: Circumstances {
                    asked_s: test.timing.duration.0.as_secs_f64(),
                    client_warmup_s: if tool.has_warmup() { warmup_s } else { 0.0 },
                    server_warmup_s: warmup_s,
                    sweeps_mss: sweeps_mss.contains(&row.test),
                    hairpin: path.from == path.to,
                    ..Circumstances::default()
                },
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

/// The tests that measure at several MSS, by their index.
fn mss_sweeps(schedule: &Schedule) -> BTreeSet<usize> {
    let mut sizes: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for cell in &schedule.cells {
        let test = schedule.rows.get(cell.row).map(|row| row.test);
        if let (Some(test), Some(mss)) = (test, cell.params.get(Param::Mss)) {
            sizes.entry(test).or_default().insert(mss);
        }
    }
    sizes.retain(|_, sizes| sizes.len() > 1);
    sizes.into_keys().collect()
}
