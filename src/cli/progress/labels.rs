//! Times and outcomes, in the words of progress.

use std::time::Duration;

use crate::diag::elapsed;
use crate::results::Outcome;
use crate::schedule::{CellId, Forecast};
use crate::tools::CellMeans;

/// How long a run takes, for people: `about 5 min`, or bounds.
pub(in crate::cli) fn in_words(forecast: Forecast) -> String {
    let least = elapsed(forecast.least.as_secs_f64());
    if forecast.is_exact() {
        format!("about {least}")
    } else {
        format!("{least} to {}", elapsed(forecast.most.as_secs_f64()))
    }
}

/// What is left, for people: `12 s`, or bounds when they differ by a tenth or more.
pub(super) fn left_in_words(left: Forecast) -> String {
    if left.most.saturating_sub(left.least) < left.most / 10 {
        return in_seconds(left.most);
    }
    let least = in_seconds(left.least);
    let most = in_seconds(left.most);
    if least == most {
        least
    } else {
        format!("{least} to {most}")
    }
}

/// Whole seconds; from a minute on `1 min 5 s`, from an hour on `1 h 4 min`.
pub(super) fn in_seconds(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{seconds} s")
    } else {
        elapsed(seconds as f64)
    }
}

/// The outcome of a cell, with its mean or, of a search, what was found.
pub(super) fn outcome_in_words(cell: &CellId, outcome: &Outcome, means: &CellMeans) -> String {
    match outcome {
        Outcome::Measured {
            found: Some(found),
            samples,
            ..
        } => format!("found {} by {samples} samples", found.in_words()),
        Outcome::Measured {
            reached: Some(false),
            ..
        } => means.say(cell, "bound not reached"),
        Outcome::Measured { .. } => means.say(cell, ""),
        Outcome::Failed(failure) => format!("failed: {}", failure.cause),
        Outcome::Skipped { reason } => format!("skipped: {reason}"),
    }
}
