//! Events → a report. The same fold serves a run that has just ended and one read from disk.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead};
use std::sync::Arc;

use thiserror::Error;

use super::fold::{Attempt, CellReport, CellState, LoadReport, Report, RunState};
use super::sessions::Sessions;
use crate::diag::Source;
use crate::plan::{self, Plan};
use crate::results::journal::Reader;
use crate::results::{
    CommandLine, Environment, Event, EventKind, Outcome, Recovered, Sample, Tear,
};
use crate::schedule::{CellId, Schedule, Selection};
use crate::tools::MetricNames;

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
    #[error("cannot read the journal: {0}")]
    Io(#[from] io::Error),
}

impl Report {
    /// Folds events over the plan and schedule that they belong to.
    #[must_use]
    pub fn fold<'a>(
        events: impl IntoIterator<Item = &'a Event>,
        plan: Plan,
        schedule: Schedule,
    ) -> Report {
        let mut builder = Builder::new(plan, schedule);
        for event in events {
            builder.take(event.clone());
        }
        builder.finish()
    }

    /// Makes plan and schedule again from the first event, which holds the plan's text and the
    /// selection, and folds.
    ///
    /// # Errors
    /// When there is no such event, or when this netplan cannot read the plan.
    pub fn from_events(events: &[Event]) -> Result<Report, ReportError> {
        let first = events.first().ok_or(ReportError::Empty)?;
        let mut builder = Builder::starting_with(first)?;
        for event in events {
            builder.take(event.clone());
        }
        Ok(builder.finish())
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
        let schedule = Schedule::new(&plan, &selection);
        Ok((plan, schedule))
    }

    /// As [`Report::from_events`], of what could be read of a journal. A last line that was cut off is not
    /// damage: nobody was told of it.
    ///
    /// # Errors
    /// As [`Report::from_events`], and when not even the first line could be read.
    pub fn recovered(journal: &Recovered) -> Result<Report, ReportError> {
        let damage = journal.torn.clone().filter(|tear| !tear.at_end);
        match (journal.events.is_empty(), &journal.torn) {
            (true, Some(tear)) => Err(ReportError::Damaged(tear.clone())),
            _ => Ok(Report {
                damage,
                ..Report::from_events(&journal.events)?
            }),
        }
    }

    /// As [`Report::recovered`], event by event: a long journal is never in memory as a whole.
    ///
    /// # Errors
    /// As [`Report::recovered`], and when reading fails.
    pub fn read(mut journal: Reader<impl BufRead>) -> Result<Report, ReportError> {
        let Some(first) = journal.next_event()? else {
            return Err(match journal.torn() {
                Some(tear) => ReportError::Damaged(tear.clone()),
                None => ReportError::Empty,
            });
        };
        let mut builder = Builder::starting_with(&first)?;
        builder.take(first);
        while let Some(event) = journal.next_event()? {
            builder.take(event);
        }
        let damage = journal.torn().filter(|tear| !tear.at_end).cloned();
        Ok(Report {
            damage,
            ..builder.finish()
        })
    }
}

/// A report of the events so far.
struct Builder {
    report: Report,
    /// Made when it is needed: mostly the cells come in order.
    index: Option<HashMap<CellId, usize>>,
    /// The position of the cell that the last event was about.
    last: usize,
    /// The samples that are there: a cell's position and the sample's number.
    samples: HashSet<(usize, u32)>,
    shared: Shared,
}

/// What many samples have in common.
#[derive(Default)]
struct Shared {
    metrics: MetricNames,
    words: HashSet<Arc<str>>,
    commands: HashSet<CommandLine>,
}

impl Builder {
    fn starting_with(first: &Event) -> Result<Builder, ReportError> {
        let EventKind::RunStarted { plan, only, .. } = &first.kind else {
            return Err(ReportError::NoStart);
        };
        let (plan, schedule) = Report::planned(plan, only.as_deref())?;
        Ok(Builder::new(plan, schedule))
    }

    fn new(plan: Plan, schedule: Schedule) -> Builder {
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
                loads: Vec::new(),
                failed_attempts: Vec::new(),
            })
            .collect();
        Builder {
            report: Report {
                run: String::new(),
                netplan: String::new(),
                only: None,
                plan,
                plan_text: String::new(),
                schedule,
                state: RunState::CutOff,
                span: None,
                sessions: Sessions::default(),
                environment: Environment::from_events(std::iter::empty(), None),
                cells,
                strangers: 0,
                marks: Vec::new(),
                damage: None,
            },
            index: None,
            last: 0,
            samples: HashSet::new(),
            shared: Shared::default(),
        }
    }

    fn take(&mut self, event: Event) {
        let report = &mut self.report;
        let first = report.span.map_or(event.at, |(first, _)| first);
        report.span = Some((first, event.at));
        report.sessions.take(&event);
        // A run that continues after its end has not ended.
        report.state = RunState::CutOff;
        report.environment.learn(&event);
        match event.kind {
            EventKind::RunStarted {
                run,
                netplan,
                plan,
                only,
            } => {
                report.run = run;
                report.plan_text = plan;
                report.netplan = netplan;
                report.only = only;
            }
            EventKind::RunEnded { cancelled } => {
                report.state = if cancelled {
                    RunState::Cancelled
                } else {
                    RunState::Complete
                };
            }
            EventKind::WorkerJoined { .. }
            | EventKind::WorkerLeft { .. }
            | EventKind::PathUnreachable { .. } => {}
            EventKind::Mark(mark) => report.marks.push(mark),
            EventKind::SampleStarted { cell, .. } => {
                self.cell(&cell);
            }
            EventKind::Sample(sample) => self.sample(sample),
            EventKind::LoadSample { load, mut sample } => {
                self.shared.share(&mut sample);
                if let Some((_, cell)) = self.cell(&sample.cell.clone()) {
                    cell.loads.push(LoadReport { load, sample });
                }
            }
            EventKind::AttemptFailed {
                cell,
                sample,
                attempt,
                failure,
                raw,
                raw_cut_bytes,
            } => {
                if let Some((_, cell)) = self.cell(&cell) {
                    cell.failed_attempts.push(Attempt {
                        sample,
                        attempt,
                        failure,
                        raw,
                        raw_cut_bytes,
                    });
                }
            }
            EventKind::CellEnded { cell, outcome } => self.ended(&cell, outcome),
        }
    }

    /// A cell and its position; counts the event where the schedule has no such cell.
    fn cell(&mut self, id: &CellId) -> Option<(usize, &mut CellReport)> {
        // Mostly that of the event before, or the next one.
        let cells = &self.report.cells;
        let mut near = (self.last..cells.len()).take(2);
        let near = near.find(|at| cells[*at].id == *id);
        let at = near.or_else(|| {
            let index = self.index.get_or_insert_with(|| {
                let cells = cells.iter().enumerate();
                cells.map(|(at, cell)| (cell.id.clone(), at)).collect()
            });
            index.get(id).copied()
        });
        self.last = at.unwrap_or(self.last);
        let found = at.and_then(|at| Some((at, self.report.cells.get_mut(at)?)));
        if found.is_none() {
            self.report.strangers += 1;
        }
        found
    }

    fn sample(&mut self, mut sample: Sample) {
        let number = sample.sample;
        let Some((at, _)) = self.cell(&sample.cell) else {
            return;
        };
        // A sample measured again after a restart is the same sample: the first one counts.
        if !self.samples.insert((at, number)) {
            return;
        }
        self.shared.share(&mut sample);
        if let Some(cell) = self.report.cells.get_mut(at) {
            if cell.samples.is_empty() {
                // Most cells have one or a few, and a sample is large.
                cell.samples.reserve_exact(1);
            }
            cell.samples.push(sample);
        }
    }

    fn ended(&mut self, id: &CellId, outcome: Outcome) {
        let Some((_, cell)) = self.cell(id) else {
            return;
        };
        if cell.state != CellState::Missing {
            return;
        }
        cell.state = match outcome {
            Outcome::Measured { reached, found, .. } => {
                cell.reached = reached;
                if let Some(found) = found {
                    cell.keep(found);
                }
                CellState::Measured
            }
            Outcome::Failed(failure) => CellState::Failed(failure),
            Outcome::Skipped { reason } => CellState::Skipped(reason),
        };
    }

    fn finish(mut self) -> Report {
        for cell in &mut self.report.cells {
            // The probes of a search say nothing before its end.
            let counts = cell.condition.is_none() && !cell.samples.is_empty();
            if cell.state == CellState::Missing && counts {
                cell.state = CellState::Partial;
            }
        }
        self.report
    }
}

impl Shared {
    /// Lets a sample share what earlier ones have too: a run has many samples, and few different names
    /// and words.
    fn share(&mut self, sample: &mut Sample) {
        self.metrics.share(&mut sample.metrics);
        for command in [&mut sample.command, &mut sample.server_command] {
            if let Some(known) = self.commands.get(command) {
                *command = Arc::clone(known);
                continue;
            }
            *command = command.iter().map(|word| self.word(word)).collect();
            self.commands.insert(Arc::clone(command));
        }
    }

    fn word(&mut self, word: &Arc<str>) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return Arc::clone(known);
        }
        self.words.insert(Arc::clone(word));
        Arc::clone(word)
    }
}
