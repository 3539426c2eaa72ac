//! Judgements in words: the lines of tables, and the messages of JUnit and of annotations.

use super::fold::Report;
use super::gate::{Found, Judgement, Origin, Tally, Verdict};
use crate::plan::{Bound, Unit};
use crate::tools::figures;

/// The sign before a judgement.
pub fn sign(verdict: Verdict) -> char {
    match verdict {
        Verdict::Pass => '✓',
        Verdict::Fail => '✗',
        Verdict::Undecided => '?',
        Verdict::NotMeasured => '–',
    }
}

/// What a verdict is called.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "kept",
        Verdict::Fail => "falls short",
        Verdict::Undecided => "undecided",
        Verdict::NotMeasured => "not measured",
    }
}

/// What was expected, of which metric: `throughput >= 9 Gbit/s`.
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
            let found = found_in_words(judgement, found);
            format!("{metric} {found}, {expects} {bound}{reason}")
        }
        None => format!("{metric}: {expects} {bound}{reason}"),
    }
}

fn found_in_words(judgement: &Judgement<'_>, found: Found) -> String {
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

/// A line each of those that were not kept, the worst first; of those that were kept, one for each
/// expectation that the plan writes and each test that it concerns.
pub fn lines(report: &Report, judgements: &[Judgement<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    for verdict in [Verdict::Fail, Verdict::NotMeasured, Verdict::Undecided] {
        let of_verdict = judgements.iter().filter(|j| j.verdict == verdict);
        lines.extend(of_verdict.map(|j| {
            format!(
                "{} {}: {}: {}",
                sign(verdict),
                word(verdict),
                j.cell.id.0,
                sentence(j)
            )
        }));
    }
    let mut kept: Vec<(String, Vec<&Judgement<'_>>)> = Vec::new();
    for judgement in judgements.iter().filter(|j| j.verdict == Verdict::Pass) {
        let Some((_, test, path)) = report.row(judgement.cell.row) else {
            continue;
        };
        let on = match judgement.origin {
            Origin::Test => String::new(),
            Origin::Path => format!(" on {}", path.name),
        };
        let name = format!("{}{on}: {}", test.name, expected(judgement));
        match kept.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => all.push(judgement),
            None => kept.push((name, vec![judgement])),
        }
    }
    let sign = sign(Verdict::Pass);
    let kept_word = word(Verdict::Pass);
    lines.extend(kept.iter().filter_map(|(name, all)| {
        let closest = closest(all)?;
        Some(if all.len() == 1 {
            format!(
                "{sign} {kept_word}: {}: {}",
                closest.cell.id.0,
                sentence(closest)
            )
        } else {
            let found = closest.found.map(|found| found_in_words(closest, found));
            format!(
                "{sign} {kept_word}: {name}, by {}; the closest is {} with {}",
                crate::diag::count(all.len(), "cell"),
                closest.cell.id.0,
                found.unwrap_or_default()
            )
        })
    }));
    lines
}

/// The one that came nearest to its bound.
fn closest<'a, 'r>(all: &[&'a Judgement<'r>]) -> Option<&'a Judgement<'r>> {
    let value = |j: &Judgement<'_>| j.found.map_or(f64::NAN, |found| found.value);
    all.iter().copied().reduce(|nearest, next| {
        let lower = value(next) < value(nearest);
        if lower == next.expectation.comparison.is_floor() {
            next
        } else {
            nearest
        }
    })
}
