//! What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::outlook::Outlook;
use super::printer;
use crate::diag::printable;
use crate::plan::{Order, Plan, Test};
use crate::report::{Report, elapsed};
use crate::results::{Event, EventKind, Outcome};
use crate::schedule::{CellId, Forecast, Schedule};
use crate::tools::{self, Headlines};

/// The bar's full length.
const WHOLE: u64 = 1000;

/// Follows a run's events.
#[derive(Debug)]
pub(super) struct Progress {
    /// Hidden where stderr is no terminal.
    bar: ProgressBar,
    terminal: bool,
    outlook: Outlook,
    /// Each sample gets a line, because cells end late.
    by_sample: bool,
    /// Events before this time are only counted.
    since: Option<Timestamp>,
    /// When the first sample began that was not only counted.
    begun: Option<Instant>,
    headlines: Headlines,
    /// The last figures of the cells under way, for their lines.
    figures: HashMap<CellId, String>,
    last_figure: String,
}

impl Progress {
    /// For a run of the schedule.
    pub fn new(plan: &Plan, schedule: &Schedule) -> Self {
        let to_go = in_words(tools::forecast(plan, schedule));
        let progress = Self {
            outlook: Outlook::of(plan, schedule),
            by_sample: by_sample(plan),
            headlines: Headlines::of(plan),
            ..Self::empty()
        };
        let bar = &progress.bar;
        bar.set_prefix(format!("0/{}", schedule.cells.len()));
        bar.set_message(format!("starting, {to_go} to go"));
        progress
    }

    /// For a schedule that is not known yet, of a run that may have begun long ago: what happened
    /// before `now` only counts.
    pub fn joining(now: Timestamp) -> Self {
        let progress = Self {
            since: Some(now),
            ..Self::empty()
        };
        progress.bar.set_message("connecting");
        progress
    }

    fn empty() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(WHOLE), target);
        let style = ProgressStyle::with_template("{bar:20} {prefix} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("█▌░"));
        Self {
            bar,
            terminal,
            outlook: Outlook::default(),
            by_sample: false,
            since: None,
            begun: None,
            headlines: Headlines::default(),
            figures: HashMap::new(),
            last_figure: String::new(),
        }
    }

    /// Takes note of an event.
    pub fn on(&mut self, event: &Event) {
        match self.since {
            Some(since) if event.at < since => return self.past(&event.kind),
            Some(_) => {
                self.since = None;
                self.outlook.begin_here();
            }
            None => {}
        }
        self.now(&event.kind);
    }

    /// Takes note of what happened before anybody watched.
    pub fn past(&mut self, event: &EventKind) {
        if let EventKind::RunStarted { plan, only, .. } = event
            && let Ok((plan, schedule)) = Report::planned(plan, only.as_deref())
        {
            self.outlook = Outlook::of(&plan, &schedule);
            self.by_sample = by_sample(&plan);
            self.headlines = Headlines::of(&plan);
        }
        self.outlook.on(event);
        self.outlook.begin_here();
    }

    fn now(&mut self, event: &EventKind) {
        if let EventKind::RunStarted { .. } = event
            && self.outlook.cells().1 == 0
        {
            return self.past(event);
        }
        self.outlook.on(event);
        match event {
            EventKind::SampleStarted { cell, .. } => {
                self.begun.get_or_insert_with(Instant::now);
                if self.terminal {
                    self.show(&cell.0);
                }
            }
            EventKind::Sample(sample) => {
                let figure = self.headlines.say(sample.cell.test(), &sample.metrics);
                if !self.terminal && self.by_sample {
                    self.line(
                        &sample.cell.0,
                        &format!("sample {}: {figure}", sample.sample),
                    );
                }
                self.last_figure.clone_from(&figure);
                self.figures.insert(sample.cell.clone(), figure);
            }
            EventKind::AttemptFailed { cell, failure, .. } => {
                self.last_figure.clear();
                let why = self.headlines.failure(cell.test(), failure);
                self.say(&format!("{}: {why}", cell.0));
            }
            EventKind::CellEnded { cell, outcome } => {
                let figure = self.figures.remove(cell).unwrap_or_default();
                if !self.terminal {
                    self.line(&cell.0, &became(outcome, &figure));
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

    /// Draws the bar anew.
    fn show(&self, cell: &str) {
        let (ended, all) = self.outlook.cells();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share is at most 1"
        )]
        self.bar
            .set_position((self.outlook.share() * WHOLE as f64) as u64);
        self.bar.set_prefix(format!("{ended}/{all}"));
        let last = match self.last_figure.as_str() {
            "" => String::new(),
            figure => format!(" (last: {figure})"),
        };
        let message = format!("{cell}{last}, {} left", self.left());
        self.bar.set_message(printable::line(&message).into_owned());
    }

    fn line(&self, cell: &str, what: &str) {
        let (ended, all) = self.outlook.cells();
        let width = all.to_string().len();
        printer::plain(&format!(
            "[{ended:width$}/{all}] {cell}  {what}  ({} left)",
            self.left()
        ));
    }

    fn left(&self) -> String {
        let elapsed = self.begun.map(|begun| begun.elapsed()).unwrap_or_default();
        left_in_words(self.outlook.left(elapsed))
    }
}

fn by_sample(plan: &Plan) -> bool {
    let repeats = |test: &Test| test.find.is_some() || test.timing.repeat.most() > 1;
    plan.order != Order::Listed && plan.tests.iter().any(repeats)
}

/// What is left, for people: `12 s`, or bounds where they are a tenth apart and more.
fn left_in_words(left: Forecast) -> String {
    if left.most.saturating_sub(left.least) < left.most / 10 {
        return in_seconds(left.most.as_secs());
    }
    let least = in_seconds(left.least.as_secs());
    let most = in_seconds(left.most.as_secs());
    if least == most {
        least
    } else {
        format!("{least} to {most}")
    }
}

/// Whole seconds, and more in the units of people.
fn in_seconds(seconds: u64) -> String {
    if seconds < 60 {
        format!("{seconds} s")
    } else {
        elapsed(seconds as f64)
    }
}

/// What became of a cell.
fn became(outcome: &Outcome, figure: &str) -> String {
    match outcome {
        Outcome::Measured {
            found: Some(found),
            samples,
            ..
        } => format!("found {} by {samples} samples", found.in_words()),
        Outcome::Measured {
            reached: Some(reached),
            samples,
            ..
        } => {
            let bound = if *reached { "" } else { ", bound not reached" };
            format!("{figure} (the last of {samples} samples{bound})")
        }
        Outcome::Measured { .. } => figure.to_owned(),
        Outcome::Failed(failure) => format!("failed: {}", failure.cause),
        Outcome::Skipped { reason } => format!("skipped: {reason}"),
    }
}

/// How long a run takes, for people: `about 5 min`, or bounds.
pub(super) fn in_words(forecast: Forecast) -> String {
    let least = elapsed(forecast.least.as_secs_f64());
    if forecast.is_exact() {
        format!("about {least}")
    } else {
        format!("{least} to {}", elapsed(forecast.most.as_secs_f64()))
    }
}
