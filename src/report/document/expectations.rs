//! How the expectations of a plan came out, as notes.

use super::block::{Meaning, Note, Notes, Span};
use crate::diag;
use crate::report::Report;
use crate::report::gate::{Judgement, Origin, Tally, Verdict};
use crate::report::gate_text::{self, found_text, sentence, word};

/// A note for each expectation of a cell that was not kept, the worst first; of those that were kept, one
/// for each expectation that the plan writes and each test that it concerns.
pub fn notes(report: &Report, judgements: &[Judgement<'_>]) -> Notes {
    let mut notes = Vec::new();
    for verdict in [Verdict::Fail, Verdict::NotMeasured, Verdict::Undecided] {
        let of_verdict = judgements.iter().filter(|j| j.verdict == verdict);
        notes.extend(of_verdict.map(of_cell));
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
        let name = format!("{}{on}: {}", test.name, gate_text::expected(judgement));
        match kept.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => all.push(judgement),
            None => kept.push((name, vec![judgement])),
        }
    }
    notes.extend(kept.iter().filter_map(|(name, all)| {
        let closest = closest(all)?;
        if all.len() == 1 {
            return Some(of_cell(closest));
        }
        let found = closest.found.map(|found| found_text(closest, found));
        let cells = diag::count(all.len(), "cell");
        let (id, found) = (&closest.cell.id.0, found.unwrap_or_default());
        let text = format!("{name}, by {cells}; the closest is {id} with {found}");
        Some(note(Verdict::Pass, &text))
    }));
    let title = if judgements.is_empty() {
        String::new()
    } else {
        gate_text::totals(Tally::new(judgements))
    };
    Notes { title, notes }
}

fn of_cell(judgement: &Judgement<'_>) -> Note {
    let text = format!("{}: {}", judgement.cell.id.0, sentence(judgement));
    note(judgement.verdict, &text)
}

fn note(verdict: Verdict, text: &str) -> Note {
    let (sign, meaning) = match verdict {
        Verdict::Pass => ("✓", Meaning::Good),
        Verdict::Fail => ("✗", Meaning::Failed),
        Verdict::Undecided => ("?", Meaning::Warning),
        Verdict::NotMeasured => ("–", Meaning::Failed),
    };
    let text = format!("{}: {text}", word(verdict));
    Note {
        mark: Span::new(meaning, sign),
        text: vec![Span::new(meaning, text)],
        ..Note::default()
    }
}

/// The one nearest to its bound.
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
