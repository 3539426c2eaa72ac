//! All that is known of a run.

use jiff::Timestamp;
use serde::Serialize;

use super::sessions::Sessions;
use crate::plan::{Condition, Path, Plan, Test};
use crate::results::mark::Mark;
use crate::results::{Cluster, Environment, Sample, Tear};
use crate::schedule::search::Found;
use crate::schedule::{CellId, Params, Row, Schedule};
use crate::tools::Failure;

/// All that is known of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The run's id.
    pub run: String,
    /// The version of netplan that ran it.
    pub netplan: String,
    /// The `--only` selection.
    pub only: Option<String>,
    pub plan: Plan,
    /// The plan as it was resolved, in YAML; empty if no event has it.
    pub plan_text: String,
    pub schedule: Schedule,
    pub state: RunState,
    /// Times of the first and the last event.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How often it was resumed, and for how long nothing was under way.
    pub sessions: Sessions,
    pub environment: Environment,
    /// What was done while samples ran, in the journal's order.
    pub marks: Vec<Mark>,
    /// One for each cell of the schedule, in its order.
    pub cells: Vec<CellReport>,
    /// Events of cells that the schedule does not have: a journal of another plan or version.
    pub strangers: usize,
    /// Where the journal is damaged before its end, so that what follows could not be read.
    pub damage: Option<Tear>,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It ended by itself.
    Complete,
    /// It was cancelled.
    Cancelled,
    /// The journal ends without the run's end: still running, or killed.
    CutOff,
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellReport {
    pub id: CellId,
    /// Index into the schedule's rows.
    pub row: usize,
    pub params: Params,
    pub state: CellState,
    /// Whether the mean came to be known as well as the plan asks; None where it asks for a number
    /// of samples.
    pub reached: Option<bool>,
    /// What the probes of the plan's `find` have to keep.
    pub condition: Option<Condition>,
    /// What its search has found.
    pub found: Option<Found>,
    /// Also of a cell that failed later or that the run's end cut short.
    pub samples: Vec<Sample>,
    /// What the test's loads moved around the samples; also around attempts that yielded none.
    pub loads: Vec<LoadReport>,
    /// Attempts that yielded no measurement, whether or not a later one did.
    pub failed_attempts: Vec<Attempt>,
}

/// What a load moved around a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadReport {
    /// Counts the paths of the test's loads from 1.
    pub load: u32,
    pub sample: Sample,
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CellState {
    Measured,
    Failed(Failure),
    Skipped(String),
    /// Some of its samples were measured, and the run ended before the rest.
    Partial,
    /// The run ended before anything of it was measured, or its search had found anything.
    Missing,
}

/// An attempt that yielded no measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub sample: u32,
    pub attempt: u32,
    pub failure: Failure,
    pub raw: Option<String>,
    /// Bytes that are missing in the middle of the raw file.
    pub raw_cut_bytes: u64,
}

/// How many cells ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub cells: usize,
    pub measured: usize,
    pub failed: usize,
    pub skipped: usize,
    pub partial: usize,
    pub missing: usize,
}

impl Report {
    /// The same with what is known of the cluster, which is not in the events but in
    /// `environment.json`.
    #[must_use]
    pub fn on(mut self, cluster: Option<Cluster>) -> Report {
        self.environment.cluster = cluster;
        self
    }

    /// How many cells ended how.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            cells: self.cells.len(),
            ..Counts::default()
        };
        for cell in &self.cells {
            *match cell.state {
                CellState::Measured => &mut counts.measured,
                CellState::Failed(_) => &mut counts.failed,
                CellState::Skipped(_) => &mut counts.skipped,
                CellState::Partial => &mut counts.partial,
                CellState::Missing => &mut counts.missing,
            } += 1;
        }
        counts
    }

    /// The run ended by itself and every cell has an outcome.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let counts = self.counts();
        self.state == RunState::Complete && counts.missing + counts.partial == 0
    }

    /// Some cell failed.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.counts().failed > 0
    }

    /// Time from the first event to the last, in seconds, without the idle time before the run was
    /// resumed. `None` where all have one time: the source of an import may not know others.
    #[must_use]
    pub fn elapsed_s(&self) -> Option<f64> {
        let (first, last) = self.span.filter(|(first, last)| first != last)?;
        let idle = self.sessions.idle().as_secs_f64();
        Some(last.duration_since(first).as_secs_f64() - idle)
    }

    /// A row's test, and its path. None for a schedule of another plan.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<(&Row, &Test, &Path)> {
        let row = self.schedule.rows.get(row)?;
        let test = self.plan.tests.get(row.test)?;
        let path = self.plan.paths.get(row.path)?;
        Some((row, test, path))
    }

    /// The cells of each of the plan's tests, in the plan's order and the schedule's.
    pub(crate) fn cells_by_test(&self) -> Vec<Vec<&CellReport>> {
        let mut by_test = vec![Vec::new(); self.plan.tests.len()];
        for cell in &self.cells {
            let row = self.schedule.rows.get(cell.row);
            if let Some(cells) = row.and_then(|row| by_test.get_mut(row.test)) {
                cells.push(cell);
            }
        }
        by_test
    }
}
