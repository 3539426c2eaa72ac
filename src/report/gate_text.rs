//! Judgements as text, for tables, JUnit and annotations.

use super::gate::{Found, Judgement, Origin, Tally, Verdict};
use crate::plan::{Bound, Unit};
use crate::tools::figures;

/// What a verdict is called.
#[must_use]
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "kept",
        Verdict::Fail => "falls short",
        Verdict::Undecided => "undecided",
        Verdict::NotMeasured => "not measured",
    }
}

/// The metric and its bound: `throughput >= 9 Gbit/s`.
#[must_use]
pub fn expected(judgement: &Judgement<'_>) -> String {
    let metric = judgement.metric;
    format!("{metric} {}", judgement.expectation.show(metric.unit()))
}

/// What was found, and what was expected: `throughput 8.703 Gbit/s (95 % interval 8.512 to 8.894),
/// expected >= 9 Gbit/s`.
pub fn sentence(judgement: &Judgement<'_>) -> String {
    let metric = judgement.metric;
    let bound = judgement.expectation.show(metric.unit());
    let expects = match judgement.origin {
        Origin::Test => "expected",
        Origin::Path => "the path expects",
    };
    let reason = judgement
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(": {reason}"));
    match judgement.found {
        Some(found) => {
            let found = found_text(judgement, found);
            format!("{metric} {found}, {expects} {bound}{reason}")
        }
        None => format!("{metric}: {expects} {bound}{reason}"),
    }
}

/// What was found: `8.703 Gbit/s (95 % interval 8.512 to 8.894)`.
#[must_use]
pub fn found_text(judgement: &Judgement<'_>, found: Found) -> String {
    let (unit, of) = match &judgement.expectation.bound {
        Bound::Absolute(_) => (judgement.metric.unit(), String::new()),
        Bound::OfPath { path, .. } => (Unit::Percent, format!(" of {path}")),
    };
    let values: Vec<f64> = match found.interval {
        Some(interval) => vec![found.value, interval.low, interval.high],
        None => vec![found.value],
    };
    let (texts, word) = figures(unit, &values);
    let space = if word.is_empty() { "" } else { " " };
    match &*texts {
        [value, low, high] => format!("{value}{space}{word}{of} (95 % interval {low} to {high})"),
        [value, ..] if found.samples == 1 => {
            format!("{value}{space}{word}{of} (a single sample)")
        }
        [value, ..] => format!("{value}{space}{word}{of} (by the means alone)"),
        [] => String::new(),
    }
}

/// `3 expectations: 1 kept, 1 falls short, 1 undecided`.
#[must_use]
pub fn totals(tally: Tally) -> String {
    let parts: Vec<String> = [
        (tally.passed, Verdict::Pass),
        (tally.failed, Verdict::Fail),
        (tally.undecided, Verdict::Undecided),
        (tally.not_measured, Verdict::NotMeasured),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, verdict)| match (verdict, n) {
        (Verdict::Fail, 2..) => format!("{n} fall short"),
        _ => format!("{n} {}", word(verdict)),
    })
    .collect();
    format!(
        "{}: {}",
        crate::diag::count(tally.all(), "expectation"),
        parts.join(", ")
    )
}
