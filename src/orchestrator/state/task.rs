//! A cell with all that is needed to run it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::plan::{Find, Plan, Timing, Via};
use crate::results::Circumstances;
use crate::schedule::{Cell, CellId, Param, Params, Schedule};
use crate::tools::{self, Job, Tool};

/// A cell with all that is needed to run it. There may be a million: what cells share, they share.
#[derive(Clone)]
pub struct Task {
    pub cell: CellId,
    pub params: Params,
    pub line: Arc<Line>,
}

/// What the cells of a row of the matrix have in common.
pub struct Line {
    /// The path's name.
    pub path: String,
    /// The worker that runs the client.
    pub from: String,
    /// The worker that runs the server.
    pub to: String,
    pub via: Via,
    /// See [`Job::slot`].
    pub slot: u16,
    /// Against which samples are doubted, as far as the plan says.
    pub circumstances: Circumstances,
    pub work: Arc<Work>,
}

/// What the cells of a test have in common.
pub struct Work {
    pub timing: Timing,
    /// Its samples are the probes of a search.
    pub find: Option<Find>,
    pub tool: Box<dyn Tool>,
    /// For warm-up and measurement of one sample together.
    pub deadline: Duration,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.cell).finish()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&self.path).finish()
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Work").field(&self.tool.name()).finish()
    }
}

impl Task {
    /// The tasks of a schedule, in its order.
    #[must_use]
    pub fn all(plan: &Plan, schedule: &Schedule) -> Vec<Task> {
        let work = plan.tests.iter().map(|test| {
            let tool = tools::of(&test.tool);
            Arc::new(Work {
                timing: test.timing.clone(),
                find: test.find.clone(),
                deadline: tools::deadline(tool.as_ref(), &test.timing),
                tool,
            })
        });
        let work: Vec<Arc<Work>> = work.collect();
        let sweeps_mss = mss_sweeps(plan, schedule);
        let line = |row: &crate::schedule::Row| {
            let path = plan.paths.get(row.path)?;
            let work = work.get(row.test)?;
            let warmup_s = work.timing.warmup.0.as_secs_f64();
            let own_warmup = work.tool.has_warmup();
            Some(Arc::new(Line {
                path: path.name.clone(),
                from: path.from.clone(),
                to: path.to.clone(),
                via: path.via,
                slot: row.slot,
                circumstances: Circumstances {
                    asked_s: work.timing.duration.0.as_secs_f64(),
                    client_warmup_s: if own_warmup { warmup_s } else { 0.0 },
                    server_warmup_s: warmup_s,
                    sweeps_mss: sweeps_mss[row.test],
                    hairpin: path.from == path.to,
                    ..Circumstances::default()
                },
                work: work.clone(),
            }))
        };
        let lines: Vec<Option<Arc<Line>>> = schedule.rows.iter().map(line).collect();
        let task = |cell: &Cell| {
            Some(Task {
                cell: schedule.id(plan, cell),
                params: schedule.params(cell),
                line: lines.get(cell.row)?.clone()?,
            })
        };
        schedule.cells.iter().filter_map(task).collect()
    }

    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.line.work.timing
    }

    #[must_use]
    pub fn tool(&self) -> &dyn Tool {
        self.line.work.tool.as_ref()
    }

    /// The parameters of a sample, in a search with the rate that it probes.
    pub(super) fn params_at(&self, rate_bps: Option<u64>) -> Params {
        let mut params = self.params.clone();
        params
            .0
            .extend(rate_bps.map(|rate_bps| (Param::Rate, rate_bps)));
        params
    }

    pub(super) fn job<'a>(&'a self, params: &'a Params, target: &'a str) -> Job<'a> {
        Job {
            params,
            timing: self.timing(),
            target,
            slot: self.line.slot,
        }
    }
}

/// Which tests measure at several MSS.
fn mss_sweeps(plan: &Plan, schedule: &Schedule) -> Vec<bool> {
    let mut sweeps = vec![false; plan.tests.len()];
    let mut first = vec![None; plan.tests.len()];
    for cell in &schedule.cells {
        let test = schedule.rows.get(cell.row).map(|row| row.test);
        if let (Some(test), Some(mss)) = (test, schedule.params(cell).get(Param::Mss))
            && test < sweeps.len()
        {
            sweeps[test] |= *first[test].get_or_insert(mss) != mss;
        }
    }
    sweeps
}
