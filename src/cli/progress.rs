//! What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::{printer, stored};
use crate::report::elapsed;
use crate::results::{Event, EventKind, Outcome};
use crate::tools::{Metrics, name};

/// Follows a run's events.
#[derive(Debug)]
pub(super) struct Progress {
    /// Hidden where stderr is no terminal; it then only counts and reckons the time left.
    bar: ProgressBar,
    terminal: bool,
    /// Events before this time are only counted.
    since: Option<Timestamp>,
    /// The figure of the last sample, for the line of its cell.
    figure: String,
}

impl Progress {
    /// For a schedule of `cells` cells that is predicted to take `predicted`.
    pub fn new(cells: usize, predicted: Duration) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(cells as u64), target);
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg} {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("█▌░"));
        bar.set_message(format!(
            "starting, about {} to go",
            elapsed(predicted.as_secs_f64())
        ));
        Self {
            bar,
            terminal,
            since: None,
            figure: String::new(),
        }
    }

    /// A schedule whose size is not known yet, of a run that may have begun long ago: what happened
    /// before `now` only counts.
    pub fn joining(now: Timestamp) -> Self {
        let progress = Self {
            since: Some(now),
            ..Self::new(0, Duration::ZERO)
        };
        progress.bar.set_message("connecting");
        progress
    }

    /// So many cells have ended in an earlier part of the run.
    pub fn skip(&self, cells: usize) {
        self.bar.set_position(cells as u64);
        self.bar.reset_eta();
    }

    /// Takes note of an event.
    pub fn on(&mut self, event: &Event) {
        match self.since {
            Some(since) if event.at < since => self.past(&event.kind),
            Some(_) => {
                self.since = None;
                // What went on before says nothing about the speed from here.
                self.bar.reset_eta();
                self.now(&event.kind);
            }
            None => self.now(&event.kind),
        }
    }

    fn past(&mut self, event: &EventKind) {
        match event {
            EventKind::RunStarted { plan, only, .. } => {
                let cells = stored::schedule(plan, only.as_deref()).map(|all| all.cells.len());
                self.bar.set_length(cells.unwrap_or_default() as u64);
            }
            EventKind::CellEnded { .. } => self.bar.inc(1),
            _ => {}
        }
    }

    fn now(&mut self, event: &EventKind) {
        match event {
            EventKind::RunStarted { .. } if self.bar.length() == Some(0) => self.past(event),
            EventKind::SampleStarted { cell, .. } if self.terminal => {
                self.bar.set_message(self.cell(&cell.0));
            }
            EventKind::Sample(sample) => self.figure = headline(&sample.metrics),
            EventKind::AttemptFailed { cell, failure, .. } => {
                self.figure.clear();
                self.say(&format!("{}: {}: {}", cell.0, failure.cause, failure.words));
            }
            EventKind::CellEnded { cell, outcome } => {
                self.bar.inc(1);
                if !self.terminal {
                    self.line(&cell.0, outcome);
                }
            }
            EventKind::WorkerLeft { worker } => self.say(&format!("worker `{worker}` has gone")),
            _ => {}
        }
    }

    /// Says something without tearing the bar.
    pub fn say(&self, message: &str) {
        self.bar.suspend(|| printer::warning(message));
    }

    /// Takes the bar off the screen.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn cell(&self, cell: &str) -> String {
        match self.figure.as_str() {
            "" => cell.to_owned(),
            figure => format!("{cell} (last: {figure})"),
        }
    }

    fn line(&self, cell: &str, outcome: &Outcome) {
        let what = match outcome {
            Outcome::Measured { .. } => self.figure.clone(),
            Outcome::Failed(failure) => format!("failed: {}", failure.cause),
            Outcome::Skipped { reason } => format!("skipped: {reason}"),
        };
        let left = self.bar.eta().as_secs();
        let of = self.bar.length().unwrap_or_default();
        let width = of.to_string().len();
        printer::plain(&format!(
            "[{:width$}/{of}] {cell}  {what}  ({left} s left)",
            self.bar.position()
        ));
    }
}

/// The figure that says most.
fn headline(metrics: &Metrics) -> String {
    if let Some(rate) = metrics.get(name::TRANSACTIONS_PER_S) {
        format!("{rate:.0} transactions/s")
    } else if let Some(bps) = metrics.get(name::THROUGHPUT_BPS) {
        format!("{:.0} Mbit/s", bps / 1e6)
    } else {
        String::new()
    }
}
