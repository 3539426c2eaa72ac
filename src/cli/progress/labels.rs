//! Times and outcomes, in the words of progress.

use std::time::Duration;

use crate::diag::elapsed;
use crate::results::Outcome;
use crate::schedule::{CellId, Forecast};
use crate::tools::CellMeans;

/// How long a run takes, for people: `about 5 min`, or bounds.
pub(in crate::cli) fn forecast_text(forecast: Forecast) -> String {
    let least = elapsed(forecast.least.as_secs_f64());
    if forecast.is_exact() {
        format!("about {least}")
    } else {
        format!("{least} to {}", elapsed(forecast.most.as_secs_f64()))
    }
}

/// What is left, for people: `12 s`, or bounds when they differ by a tenth or more.
pub(super) fn time_left_text(left: Forecast) -> String {
    if left.most.saturating_sub(left.least) < left.most / 10 {
        return seconds_text(left.most);
    }
    let least = seconds_text(left.least);
    let most = seconds_text(left.most);
    if least == most {
        least
    } else {
        format!("{least} to {most}")
    }
}

/// Whole seconds; from a minute on `1 min 5 s`, from an hour on `1 h 4 min`.
pub(super) fn seconds_text(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{seconds} s")
    } else {
        elapsed(seconds as f64)
    }
}

/// The outcome of a cell, with its mean or, of a search, what was found.
pub(super) fn outcome_text(cell: &CellId, outcome: &Outcome, means: &CellMeans) -> String {
    match outcome {
        Outcome::Measured {
            found: Some(found),
            samples,
            ..
        } => format!("found {} by {samples} samples", found.to_text()),
        Outcome::Measured {
            reached: Some(false),
            ..
        } => means.say(cell, "bound not reached"),
        Outcome::Measured { .. } => means.say(cell, ""),
        Outcome::Failed(failure) => format!("failed: {}", failure.cause),
        Outcome::Skipped { reason } => format!("skipped: {reason}"),
    }
}
