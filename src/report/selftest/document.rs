//! The checks of the self-test as a document.

use super::check::{Allowed, Check, Verdict, counts};
use super::outages::describe;
use crate::report::document::{
    Block, Cell, Column, Document, Meaning, Paragraph, Span, Table, TableKind,
};

/// A list of the checks, and how many of them passed.
#[must_use]
pub fn document(checks: &[Check]) -> Document {
    let verdicts = checks.iter().map(|check| {
        let (meaning, text) = match check.verdict {
            Verdict::Passed => (Meaning::Good, "✓ passed"),
            Verdict::Failed(_) => (Meaning::Failed, "✗ failed"),
            Verdict::Skipped(_) => (Meaning::Skipped, "– skipped"),
        };
        Cell::from(Span::new(meaning, text))
    });
    let list = Table {
        kind: TableKind::List,
        columns: vec![
            Column {
                cells: verdicts.collect(),
                ..Column::default()
            },
            Column::words("", checks.iter().map(|check| check.what.clone())),
            Column::figures(
                "theory",
                "",
                checks.iter().map(|check| figure(check, check.theory)),
            ),
            Column::figures("found", "", checks.iter().map(found)),
            Column::figures("off", "", checks.iter().map(off)),
            Column::words("allowed", checks.iter().map(allowed)),
        ],
        keys: 2,
        details: (0..checks.len()).map(|at| details(checks, at)).collect(),
        ..Table::default()
    };
    let [passed, failed, skipped] = counts(checks);
    let totals = format!("{passed} passed, {failed} failed, {skipped} skipped");
    let totals = Block::paragraph(Meaning::Plain, totals);
    Document {
        blocks: vec![Block::Table(list), totals],
    }
}

/// Why a check failed or was skipped, by how much its gaps are off, and the warnings of its samples.
fn details(checks: &[Check], at: usize) -> Vec<Paragraph> {
    let Some(check) = checks.get(at) else {
        return Vec::new();
    };
    let next = checks.get(at + 1);
    let why = match &check.verdict {
        // The same reason of several checks is given below the last of them.
        Verdict::Skipped(_) if next.is_some_and(|next| next.verdict == check.verdict) => None,
        Verdict::Skipped(why) | Verdict::Failed(Some(why)) => Some(Span::plain(why)),
        Verdict::Passed | Verdict::Failed(None) => None,
    };
    let warnings = check.warnings.iter().map(|warning| {
        let text = format!("warning: {}", warning.title());
        Span::new(Meaning::Warning, text)
    });
    let differences = describe(&check.differences_ms)
        .filter(|_| !matches!(check.verdict, Verdict::Skipped(_)))
        .map(|text| Span::new(Meaning::Dim, text));
    why.into_iter()
        .chain(differences)
        .chain(warnings)
        .map(|span| vec![span])
        .collect()
}

fn figure(check: &Check, value: Option<f64>) -> Cell {
    Cell {
        marks: vec![Span::plain(format!(" {}", check.unit))],
        ..value
            .map_or_else(|| "?".to_owned(), |value| format!("{value:.2}"))
            .into()
    }
}

fn found(check: &Check) -> Cell {
    match check.verdict {
        Verdict::Skipped(_) => Cell::default(),
        Verdict::Passed | Verdict::Failed(_) => figure(check, check.found),
    }
}

/// How far the figure is from theory, in percent of it.
fn off(check: &Check) -> String {
    let is_skipped = matches!(check.verdict, Verdict::Skipped(_));
    match (check.theory.zip(check.found), check.allowed) {
        (Some((theory, found)), Allowed::Percent(_)) if theory > 0.0 && !is_skipped => {
            format!("{:+.2} %", 100.0 * (found / theory - 1.0))
        }
        _ => String::new(),
    }
}

fn allowed(check: &Check) -> String {
    match check.allowed {
        Allowed::Percent(percent) => format!("±{percent} %"),
        Allowed::AtLeast(least) => format!("≥ {least} %"),
        Allowed::Interval(None) => "binomial interval".to_owned(),
        Allowed::Interval(Some((low, high))) => format!("theory in {low:.2}..{high:.2}"),
    }
}
