//! The warnings of a report as notes, and the marks that refer to them.

use super::block::{Anchor, Meaning, Note, Notes, Span};
use crate::diag;
use crate::report::CellReport;
use crate::report::warnings::Warnings;

/// A note for each kind of warning. One on more than half of the cells is printed once, marked `!`.
pub fn notes(warnings: &Warnings) -> Notes {
    let warning = |text: String| Span::new(Meaning::Warning, text);
    let notes = warnings.groups.iter().map(|group| {
        let worst = if group.cells > 1 { "at worst " } else { "" };
        let text = format!(
            "{} on {} of {}: {worst}{}",
            group.kind.title(),
            group.cells,
            diag::count(warnings.measured, "cell"),
            group.worst,
        );
        Note {
            anchor: group.number.map(Anchor::Warning),
            mark: warning(group.number.map_or_else(|| "!".to_owned(), mark)),
            text: vec![warning(text)],
            details: Vec::new(),
            advice: Some(warning(group.means.to_owned())),
        }
    });
    Notes {
        title: String::new(),
        notes: notes.collect(),
    }
}

/// The marks behind a cell's figure, e.g. ` ?1` and ` ?3`, each after a space.
pub fn marks(warnings: &Warnings, cell: &CellReport) -> Vec<Span> {
    let kinds = warnings.kinds(cell);
    let numbers = warnings
        .groups
        .iter()
        .filter(|group| kinds.contains(&group.kind))
        .filter_map(|group| group.number);
    numbers
        .map(|number| {
            let text = format!(" {}", mark(number));
            Span::new(Meaning::Warning, text).to(Anchor::Warning(number))
        })
        .collect()
}

fn mark(number: usize) -> String {
    format!("?{number}")
}
