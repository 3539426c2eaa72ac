//! Follows a run's events: a status line on a terminal, plain lines elsewhere.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::Notify;

use super::requests::{Request, Requests};
use super::status_line;
use super::view::{Phase, View};
use crate::cli::terminal::printer;
use crate::plan::Plan;
use crate::results::{Event, EventKind};
use crate::schedule::{CellId, Schedule};

/// Follows a run's events.
#[derive(Debug)]
pub(in crate::cli) struct Progress<'p> {
    view: RefCell<View<'p>>,
    /// The status line is shown, and not plain lines.
    live: bool,
    /// Events before this time are only counted.
    since: Cell<Option<Timestamp>>,
    /// Notified of each press of Enter.
    enter: Arc<Notify>,
}

impl<'p> Progress<'p> {
    /// For a run of the schedule. It shows nothing before [`attend`](Self::attend).
    pub fn new(plan: &'p Plan, schedule: &'p Schedule) -> Self {
        let view = View::for_schedule(Cow::Borrowed(plan), Cow::Borrowed(schedule), Instant::now());
        Self::showing(view, None)
    }

    /// For a schedule that is not known yet, of a run that may have begun long ago: what happened
    /// before `now` only counts.
    pub fn joining(now: Timestamp) -> Self {
        Self::showing(View::new(Instant::now()), Some(now))
    }

    fn showing(view: View<'p>, since: Option<Timestamp>) -> Self {
        Self {
            view: RefCell::new(view),
            live: printer::has_status_line(),
            since: Cell::new(since),
            enter: Arc::default(),
        }
    }

    /// What is notified of each press of Enter.
    pub fn enter_key(&self) -> Arc<Notify> {
        Arc::clone(&self.enter)
    }

    /// Does the work, and meanwhile shows how far it is: each second, and when the person asks.
    ///
    /// # Errors
    /// When the signals cannot be listened to.
    pub async fn attend<T>(&self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        let mut requests = Requests::listen(self.live).context("cannot listen to signals")?;
        let mut work = std::pin::pin!(work);
        self.draw();
        let result = loop {
            tokio::select! {
                biased;
                result = &mut work => break result,
                request = requests.next() => match request {
                    Request::Redraw => self.draw(),
                    Request::ShowRunning => self.show_running(),
                    Request::Enter => self.enter.notify_one(),
                },
            }
        };
        self.clear();
        Ok(result)
    }

    /// Shows an event.
    pub fn on(&self, event: &Event) {
        match self.since.get() {
            Some(since) if event.at < since => {
                let mut view = self.view.borrow_mut();
                view.on(&event.kind, Instant::now());
                return view.begin_here();
            }
            Some(_) => {
                self.since.set(None);
                self.view.borrow_mut().begin_here();
            }
            None => {}
        }
        self.now(&event.kind);
    }

    /// Counts what happened in an earlier part of the run, which was cut off.
    pub fn past(&self, event: &EventKind) {
        self.view.borrow_mut().learn(event);
    }

    fn now(&self, event: &EventKind) {
        let outcome = self.view.borrow().outcome(event);
        self.view.borrow_mut().on(event, Instant::now());
        let view = self.view.borrow();
        match event {
            EventKind::SampleStarted { .. } => self.draw(),
            EventKind::Sample(sample) if !self.live && view.is_by_sample() => {
                let headlines = view.means().headlines();
                let figure = headlines.say(sample.cell.test(), &sample.metrics);
                let what = format!("sample {}: {figure}", sample.sample);
                line(&view, &sample.cell, &what);
            }
            EventKind::AttemptFailed { cell, failure, .. } => {
                let why = view.means().headlines().failure(cell.test(), failure);
                printer::warning(&format!("{}: {why}", cell.0));
            }
            EventKind::CellEnded { cell, .. } if !self.live => {
                line(&view, cell, &outcome.unwrap_or_default());
            }
            EventKind::Mark(mark) => printer::note(&mark.to_text()),
            EventKind::WorkerLeft { worker } => {
                printer::warning(&format!("worker `{worker}` has gone"));
            }
            EventKind::PathUnreachable { .. } => {
                if let Some(warning) = event.path_warning() {
                    printer::warning(&warning);
                }
            }
            _ => {}
        }
    }

    /// Notes a new phase of the run.
    pub fn enter(&self, phase: Phase) {
        self.view.borrow_mut().enter(phase, Instant::now());
        if phase == Phase::Stopping && !self.live {
            printer::warning("interrupted; stopping (once more: at once)");
        }
        self.draw();
    }

    fn show_running(&self) {
        let lines = self.view.borrow().running(Instant::now());
        printer::note(&lines.join("\n"));
    }

    fn draw(&self) {
        if self.live {
            let parts = self.view.borrow().parts(Instant::now());
            printer::status_line(Some(status_line::fit(&parts, printer::stderr_width())));
        }
    }

    fn clear(&self) {
        if self.live {
            printer::status_line(None);
        }
    }
}

fn line(view: &View<'_>, cell: &CellId, what: &str) {
    let (ended, all) = view.cells();
    let width = all.to_string().len();
    printer::plain(&format!(
        "[{ended:width$}/{all}] {}  {what}  ({} left)",
        cell.0,
        view.left(Instant::now())
    ));
}

/// No status line outlives what it is about.
impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}
