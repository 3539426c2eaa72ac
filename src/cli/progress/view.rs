//! What is known of a run under way, and what to show of it. Pure: the time is an argument.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

use super::eta::Eta;
use super::labels::{outcome_text, seconds_text, time_left_text};
use super::status_line::Parts;
use crate::diag::count;
use crate::plan::{Order, Plan, Test};
use crate::report::Report;
use crate::results::EventKind;
use crate::schedule::{CellId, Forecast, Schedule, search};
use crate::tools::{self, CellMeans};

/// Of more samples side by side only a count is listed.
const LISTED: usize = 20;

/// Where a run is between its first object and its last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Phase {
    /// Pods start.
    #[default]
    Starting,
    Measuring,
    /// The person has interrupted, and running tools end.
    Stopping,
    /// The run's objects are removed.
    Removing,
}

/// What is known of a run under way.
#[derive(Debug)]
pub(super) struct View<'p> {
    /// `None` until the first event of a run that is joined says it.
    planned: Option<(Cow<'p, Plan>, Cow<'p, Schedule>)>,
    eta: Eta,
    means: CellMeans,
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// When the first sample started that was watched.
    first_sample: Option<Instant>,
    /// When a sample or cell ended last. The pace is known up to here.
    last_end: Option<Instant>,
    running: BTreeMap<CellId, Running>,
    /// The cell of the sample that started last.
    newest: Option<CellId>,
}

/// A sample under way.
#[derive(Clone, Copy, Debug)]
struct Running {
    sample: u32,
    attempt: u32,
    since: Instant,
}

impl<'p> View<'p> {
    /// Of a run whose plan is not known yet.
    pub fn new(now: Instant) -> Self {
        Self {
            planned: None,
            eta: Eta::default(),
            means: CellMeans::default(),
            phase: Phase::default(),
            since: now,
            first_sample: None,
            last_end: None,
            running: BTreeMap::new(),
            newest: None,
        }
    }

    /// Of a run of this schedule.
    pub fn for_schedule(plan: Cow<'p, Plan>, schedule: Cow<'p, Schedule>, now: Instant) -> Self {
        Self {
            eta: Eta::new(&plan, &schedule),
            means: CellMeans::for_plan(&plan),
            planned: Some((plan, schedule)),
            ..Self::new(now)
        }
    }

    /// Counts what happened in an earlier part of the run. Nothing of that still runs.
    pub fn learn(&mut self, event: &EventKind) {
        self.plan_from(event);
        self.count(event);
        self.eta.begin_here();
    }

    /// Counts what happens now.
    pub fn on(&mut self, event: &EventKind, now: Instant) {
        self.plan_from(event);
        self.count(event);
        match event {
            EventKind::SampleStarted {
                cell,
                sample,
                attempt,
            } => {
                if self.phase == Phase::Starting {
                    self.enter(Phase::Measuring, now);
                }
                self.first_sample.get_or_insert(now);
                let running = Running {
                    sample: *sample,
                    attempt: *attempt,
                    since: now,
                };
                self.running.insert(cell.clone(), running);
                self.newest = Some(cell.clone());
            }
            EventKind::Sample(sample) => {
                self.running.remove(&sample.cell);
                self.last_end = Some(now);
            }
            EventKind::AttemptFailed { cell, .. } => {
                self.running.remove(cell);
            }
            EventKind::CellEnded { cell, .. } => {
                self.running.remove(cell);
                self.last_end = Some(now);
            }
            _ => {}
        }
    }

    /// What happened before this moment does not count for the pace.
    pub fn begin_here(&mut self) {
        self.eta.begin_here();
    }

    /// Notes a new phase. A phase never returns.
    pub fn enter(&mut self, phase: Phase, now: Instant) {
        if phase > self.phase {
            self.phase = phase;
            self.since = now;
        }
    }

    /// Cells that have ended, and all.
    pub fn cells(&self) -> (usize, usize) {
        self.eta.cells()
    }

    pub fn means(&self) -> &CellMeans {
        &self.means
    }

    /// Each sample gets a line of its own, because cells end late.
    pub fn is_by_sample(&self) -> bool {
        let repeats = |test: &Test| test.find.is_some() || test.timing.repeat.most() > 1;
        self.plan()
            .is_some_and(|plan| plan.order != Order::Listed && plan.tests.iter().any(repeats))
    }

    /// How long the run takes yet, for people.
    pub fn left(&self, now: Instant) -> String {
        time_left_text(self.forecast(now))
    }

    /// What the status line shows.
    pub fn parts(&self, now: Instant) -> Parts {
        let (ended, all) = self.cells();
        let state = match self.phase {
            _ if all == 0 => "connecting".to_owned(),
            Phase::Stopping => format!("{ended}/{all}  stopping… (Ctrl-C again: at once)"),
            Phase::Removing => format!("{ended}/{all}  removing what was made…"),
            Phase::Starting | Phase::Measuring => {
                format!("{ended}/{all}  {} left", self.left(now))
            }
        };
        let since = seconds_text(now.saturating_duration_since(self.since));
        let (name, detail) = match (self.phase, &self.newest) {
            (Phase::Removing, _) | (Phase::Stopping, None) => (since, String::new()),
            (Phase::Starting, _) | (Phase::Measuring, None) => {
                (format!("starting, {since}"), String::new())
            }
            (Phase::Measuring | Phase::Stopping, Some(cell)) => {
                let others = match self.running.len() {
                    0 | 1 => String::new(),
                    n => format!(" and {}", count(n - 1, "other")),
                };
                (format!("{}{others}", cell.0), self.means.say(cell, ""))
            }
        };
        Parts {
            share: self.eta.share(),
            state,
            name,
            detail,
        }
    }

    /// What runs, a line each, for whoever asks.
    pub fn running(&self, now: Instant) -> Vec<String> {
        let parts = self.parts(now);
        let measuring = self.first_sample.map(|first| {
            let measuring = seconds_text(now.saturating_duration_since(first));
            format!(", measuring for {measuring}")
        });
        let mut lines = vec![parts.state + &measuring.unwrap_or_default()];
        if self.running.is_empty() {
            lines.push(match self.phase {
                Phase::Measuring => "  no sample runs".to_owned(),
                _ => format!("  {}", parts.name),
            });
        }
        for (cell, running) in self.running.iter().take(LISTED) {
            lines.push(format!("  {}", self.sample_text(cell, *running, now)));
            lines.extend(self.command(cell));
        }
        if let Some(more) = self.running.len().checked_sub(LISTED + 1) {
            lines.push(format!("  and {}", count(more + 1, "other")));
        }
        lines
    }

    /// The outcome that an event says of a cell, for people. To be asked before [`Self::on`].
    pub fn outcome(&self, event: &EventKind) -> Option<String> {
        match event {
            EventKind::CellEnded { cell, outcome } => {
                Some(outcome_text(cell, outcome, &self.means))
            }
            _ => None,
        }
    }

    fn sample_text(&self, cell: &CellId, running: Running, now: Instant) -> String {
        let (of, about) = match self.test(cell) {
            Some(test) => {
                let of = match search::samples_of(test) {
                    (least, most) if least == most => format!(" of {least}"),
                    (least, most) => format!(" of {least} to {most}"),
                };
                let usual = tools::usual_sample(test).as_secs_f64().ceil();
                (of, format!(" of about {usual} s"))
            }
            None => (String::new(), String::new()),
        };
        let attempt = match running.attempt {
            1 => String::new(),
            attempt => format!(", attempt {attempt}"),
        };
        let so_far = match self.means.say(cell, "") {
            none if none.is_empty() => none,
            figure => format!(", so far {figure}"),
        };
        let since = seconds_text(now.saturating_duration_since(running.since));
        let (id, sample) = (&cell.0, running.sample);
        format!("{id}: sample {sample}{of}{attempt}, {since}{about}{so_far}")
    }

    /// The client's command line. The addresses in it are words: no event says them before the sample
    /// ends.
    fn command(&self, cell: &CellId) -> Option<String> {
        let (plan, schedule) = self.planned.as_ref()?;
        let commands = tools::commands_of_cell(plan, schedule, cell)?;
        let origin = &plan.paths.get(commands.row.path)?.from;
        Some(format!(
            "    on {origin}: {}",
            commands.client.argv.join(" ")
        ))
    }

    /// It counts down within a sample, up to the time that the sample is expected to take.
    pub fn forecast(&self, now: Instant) -> Forecast {
        let first = self.first_sample.unwrap_or(now);
        let moved = self.last_end.unwrap_or(first);
        let left = self.eta.left(moved.saturating_duration_since(first));
        let usual = self.running.keys().filter_map(|cell| self.test(cell));
        let usual = usual.map(tools::usual_sample).max().unwrap_or_default();
        let since = now.saturating_duration_since(moved).min(usual);
        Forecast {
            least: left.least.saturating_sub(since),
            most: left.most.saturating_sub(since),
        }
    }

    fn test(&self, cell: &CellId) -> Option<&Test> {
        let mut tests = self.plan()?.tests.iter();
        tests.find(|test| test.name == cell.test())
    }

    fn plan(&self) -> Option<&Plan> {
        self.planned.as_ref().map(|(plan, _)| plan.as_ref())
    }

    fn plan_from(&mut self, event: &EventKind) {
        if let EventKind::RunStarted { plan, only, .. } = event
            && self.planned.is_none()
            && let Ok((plan, schedule)) = Report::planned(plan, only.as_deref())
        {
            self.eta = Eta::new(&plan, &schedule);
            self.means = CellMeans::for_plan(&plan);
            self.planned = Some((Cow::Owned(plan), Cow::Owned(schedule)));
        }
    }

    fn count(&mut self, event: &EventKind) {
        self.eta.on(event);
        match event {
            EventKind::Sample(sample) => self.means.add(&sample.cell, &sample.metrics),
            EventKind::CellEnded { cell, .. } => self.means.end(cell),
            _ => {}
        }
    }
}
