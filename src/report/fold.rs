//! Events → a report. The same fold serves a run that has just ended and one read from disk.

use std::collections::HashMap;

use jiff::Timestamp;
use thiserror::Error;

use super::figures::Figure;
use super::sessions::Sessions;
use super::words;
use crate::diag::Source;
use crate::plan::{self, Condition, Path, Plan, Test};
use crate::results::{Cluster, Environment, Event, EventKind, Outcome, Recovered, Sample, Tear};
use crate::schedule::search::Found;
use crate::schedule::{CellId, Params, Row, Schedule, Selection};
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
    pub schedule: Schedule,
    pub state: RunState,
    /// Times of the first and the last event.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How often it was resumed, and for how long nothing was under way.
    pub sessions: Sessions,
    pub environment: Environment,
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
    /// Attempts that yielded no measurement, whether or not a later one did.
    pub failed_attempts: Vec<Attempt>,
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
}

/// How many cells ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub cells: usize,
    pub measured: usize,
    pub failed: usize,
    pub skipped: usize,
    pub partial: usize,
    pub missing: usize,
}

/// Why events make no report.
#[derive(Debug, Error)]
pub enum ReportError {
    #[error("the journal has no event, so there is nothing to report")]
    Empty,
    #[error("the journal cannot be read from its beginning on: {0}")]
    Damaged(Tear),
    #[error("the journal does not begin with the run's start, so its plan is not known")]
    NoStart,
    #[error("the journal's plan cannot be read by this netplan:\n{0}")]
    Plan(String),
    #[error("the journal's selection `{0}` does not fit its plan: {1}")]
    Selection(String, String),
}

impl Report {
    /// Folds events over the plan and schedule that they belong to.
    #[must_use]
    pub fn fold<'a>(
        events: impl IntoIterator<Item = &'a Event>,
        plan: Plan,
        schedule: Schedule,
    ) -> Report {
        let cells: Vec<CellReport> = schedule
            .cells
            .iter()
            .map(|cell| CellReport {
                id: schedule.id(&plan, cell),
                row: cell.row,
                params: schedule.params(cell),
                state: CellState::Missing,
                reached: None,
                condition: schedule
                    .rows
                    .get(cell.row)
                    .and_then(|row| plan.tests.get(row.test)?.find.as_ref())
                    .map(|find| find.condition.clone()),
                found: None,
                samples: Vec::new(),
                failed_attempts: Vec::new(),
            })
            .collect();
        let index: HashMap<CellId, usize> = cells
            .iter()
            .enumerate()
            .map(|(i, cell)| (cell.id.clone(), i))
            .collect();
        let mut report = Report {
            run: String::new(),
            netplan: String::new(),
            only: None,
            plan,
            schedule,
            state: RunState::CutOff,
            span: None,
            sessions: Sessions::default(),
            environment: Environment::of(std::iter::empty(), None),
            cells,
            strangers: 0,
            damage: None,
        };
        for event in events {
            report.take(event, &index);
        }
        for cell in &mut report.cells {
            // The probes of a search say nothing before its end.
            let counts = cell.condition.is_none() && !cell.samples.is_empty();
            if cell.state == CellState::Missing && counts {
                cell.state = CellState::Partial;
            }
        }
        report
    }

    /// Makes plan and schedule again from the first event, which holds the plan's text and the
    /// selection, and folds.
    ///
    /// # Errors
    /// When there is no such event, or when this netplan cannot read the plan.
    pub fn of(events: &[Event]) -> Result<Report, ReportError> {
        let first = events.first().ok_or(ReportError::Empty)?;
        let EventKind::RunStarted { plan, only, .. } = &first.kind else {
            return Err(ReportError::NoStart);
        };
        let (plan, schedule) = Report::planned(plan, only.as_deref())?;
        Ok(Report::fold(events, plan, schedule))
    }

    /// Plan and schedule of a run, from the plan's text and the selection in its first event.
    ///
    /// # Errors
    /// When this netplan cannot read the plan, or the selection does not fit it.
    pub fn planned(plan: &str, only: Option<&str>) -> Result<(Plan, Schedule), ReportError> {
        let source = Source::new("the journal's plan", plan);
        let plan = plan::load(source, &[]).map_err(|e| ReportError::Plan(e.to_string()))?;
        let selection = match only {
            Some(only) => Selection::parse(only, &plan)
                .map_err(|e| ReportError::Selection(only.to_owned(), e.to_string()))?,
            None => Selection::all(),
        };
        let schedule = Schedule::of(&plan, &selection);
        Ok((plan, schedule))
    }

    /// The same of what could be read of a journal. A last line that was cut off is no damage: nobody
    /// was told of it.
    ///
    /// # Errors
    /// As [`Report::of`], and when not even the first line could be read.
    pub fn recovered(journal: &Recovered) -> Result<Report, ReportError> {
        let damage = journal.torn.clone().filter(|tear| !tear.at_end);
        match (journal.events.is_empty(), &journal.torn) {
            (true, Some(tear)) => Err(ReportError::Damaged(tear.clone())),
            _ => Ok(Report {
                damage,
                ..Report::of(&journal.events)?
            }),
        }
    }

    /// The same with what is known of the cluster, which is not in the events but in
    /// `environment.json`.
    #[must_use]
    pub fn on(mut self, cluster: Option<Cluster>) -> Report {
        self.environment.cluster = cluster;
        self
    }

    fn take(&mut self, event: &Event, index: &HashMap<CellId, usize>) {
        let first = self.span.map_or(event.at, |(first, _)| first);
        self.span = Some((first, event.at));
        self.sessions.take(event);
        // A run that goes on after its end has not ended.
        self.state = RunState::CutOff;
        self.environment.learn(event);
        let cell = match &event.kind {
            EventKind::RunStarted {
                run, netplan, only, ..
            } => {
                self.run.clone_from(run);
                self.netplan.clone_from(netplan);
                self.only.clone_from(only);
                return;
            }
            EventKind::RunEnded { cancelled } => {
                self.state = if *cancelled {
                    RunState::Cancelled
                } else {
                    RunState::Complete
                };
                return;
            }
            EventKind::WorkerJoined { .. } | EventKind::WorkerLeft { .. } => return,
            EventKind::SampleStarted { cell, .. }
            | EventKind::AttemptFailed { cell, .. }
            | EventKind::CellEnded { cell, .. } => cell,
            EventKind::Sample(sample) => &sample.cell,
        };
        let Some(cell) = index.get(cell).and_then(|i| self.cells.get_mut(*i)) else {
            self.strangers += 1;
            return;
        };
        match &event.kind {
            // A sample measured again after a restart is the same sample: the first one counts.
            EventKind::Sample(sample) if cell.samples.iter().all(|s| s.sample != sample.sample) => {
                cell.samples.push(sample.clone());
            }
            EventKind::AttemptFailed {
                sample,
                attempt,
                failure,
                raw,
                ..
            } => cell.failed_attempts.push(Attempt {
                sample: *sample,
                attempt: *attempt,
                failure: failure.clone(),
                raw: raw.clone(),
            }),
            EventKind::CellEnded { outcome, .. } if cell.state == CellState::Missing => {
                if let Outcome::Measured { reached, found, .. } = outcome {
                    cell.reached = *reached;
                    if let Some(found) = found {
                        cell.keep(*found);
                    }
                }
                cell.state = match outcome {
                    Outcome::Measured { .. } => CellState::Measured,
                    Outcome::Failed(failure) => CellState::Failed(failure.clone()),
                    Outcome::Skipped { reason } => CellState::Skipped(reason.clone()),
                };
            }
            _ => {}
        }
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
    /// resumed.
    #[must_use]
    pub fn elapsed_s(&self) -> Option<f64> {
        let (first, last) = self.span?;
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

    /// What the cell's headline metric says: the figure of `result.csv` and of tables. None unless
    /// the cell was measured, if only in part.
    #[must_use]
    pub fn headline(&self, cell: &CellReport) -> Option<Figure> {
        let (_, test, _) = self.row(cell.row)?;
        self.figure(cell, &words::headline(&test.tool))
    }
}
