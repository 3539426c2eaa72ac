//! Numbered notes below the tables: why cells have no figure, and what speaks against figures.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexSet;

use crate::diag::printable;
use crate::report::fold::{CellReport, CellState, Report};
use crate::report::terminal::wrap as text;
use crate::report::warnings::Warnings;
use crate::tools::Cause;

/// How many different wordings of one cause are quoted.
const QUOTED: usize = 2;

/// The notes of a report, numbered in the order in which tables ask for them.
#[derive(Debug)]
pub struct Notes {
    numbered: Vec<Note>,
    /// The position of each note in `numbered`.
    at: HashMap<Why, usize>,
    /// Cells with samples that stand far out, and such samples.
    outliers: (usize, usize),
    /// Cells that ran out of samples.
    wide: usize,
    /// Cells whose search ended at the highest rate that the plan allows.
    at_bound: usize,
    /// Those on cells that have a figure, in a numbering of their own.
    pub warnings: Warnings,
}

/// Beside a figure some of whose samples stand far out.
const OUTLIERS: char = '*';
/// Beside a figure that is known less well than the plan asks.
const WIDE: char = '~';
/// In the place of a figure, or beside one of fewer samples than the plan asks for: the run has
/// ended before.
const MISSING: char = '…';
/// In the place of the figure of a skipped cell. A dash and a number would read as a negative figure.
pub const SKIPPED: char = '⊘';
/// Beside a figure at the highest rate that the plan allows.
const AT_BOUND: char = '↑';

#[derive(Debug)]
struct Note {
    why: Why,
    cells: BTreeSet<String>,
    /// What the tools said, and netplan of them, in the order in which it came; without repetitions.
    said: IndexSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Why {
    Failed(Cause),
    Skipped(String),
}

impl Notes {
    /// No note so far, and all warnings.
    pub fn of(report: &Report) -> Notes {
        Notes {
            numbered: Vec::new(),
            at: HashMap::new(),
            outliers: (0, 0),
            wide: 0,
            at_bound: 0,
            warnings: Warnings::of(report),
        }
    }

    /// What stands in the place of a figure: `✗1` for a failed cell, `⊘2` for a skipped one, `…` for
    /// a missing one. None for a cell that was measured, if only in part.
    pub fn mark(&mut self, cell: &CellReport, tool: &str) -> Option<String> {
        let (sign, why, said) = match &cell.state {
            CellState::Measured | CellState::Partial => return None,
            CellState::Missing => return Some(MISSING.to_string()),
            CellState::Failed(failure) => ('✗', Why::Failed(failure.cause), failure.text(tool)),
            CellState::Skipped(reason) => (SKIPPED, Why::Skipped(reason.clone()), String::new()),
        };
        let next = self.numbered.len();
        let at = *self.at.entry(why.clone()).or_insert(next);
        if at == next {
            self.numbered.push(Note {
                why,
                cells: BTreeSet::new(),
                said: IndexSet::new(),
            });
        }
        if let Some(note) = self.numbered.get_mut(at) {
            note.cells.insert(cell.id.0.clone());
            let said = printable::line(&said).into_owned();
            if !said.is_empty() {
                note.said.insert(said);
            }
        }
        Some(format!("{sign}{}", at + 1))
    }

    /// What stands behind a figure: whether samples stand far out or are missing, whether the bound
    /// that the plan sets to its interval was reached, whether its search ran into its end, and its
    /// warnings.
    pub fn signs(&mut self, cell: &CellReport, outliers: usize) -> String {
        let mut signs = String::new();
        if outliers > 0 {
            self.outliers = (self.outliers.0 + 1, self.outliers.1 + outliers);
            signs.push(OUTLIERS);
        }
        if cell.state == CellState::Partial {
            signs.push(MISSING);
        }
        if cell.reached == Some(false) {
            self.wide += 1;
            signs.push(WIDE);
        }
        if cell.found.is_some_and(|found| found.at_bound) {
            self.at_bound += 1;
            signs.push(AT_BOUND);
        }
        signs + &self.warnings.marks(cell)
    }

    /// The notes' lines, at most `width` wide.
    pub fn render(&self, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (i, note) in self.numbered.iter().enumerate() {
            let (sign, title) = match &note.why {
                Why::Failed(cause) => ('✗', format!("failed: {cause}")),
                Why::Skipped(reason) => (SKIPPED, format!("skipped: {reason}")),
            };
            let mark = format!("{sign}{}", i + 1);
            let indent = " ".repeat(mark.chars().count() + 1);
            let cells = crate::diag::count(note.cells.len(), "cell");
            lines.extend(text::wrap(
                &format!("{mark} {title} ({cells})"),
                width,
                &indent,
            ));
            for said in note.said.iter().take(QUOTED) {
                lines.extend(indented(said, &indent, width));
            }
            if note.said.len() > QUOTED {
                let rest = note.said.len() - QUOTED;
                let text = format!("and {rest} more; `samples.csv` has them all");
                lines.extend(indented(&text, &indent, width));
            }
            if let Why::Failed(cause) = &note.why {
                let room = width.saturating_sub(indent.len());
                let advice = text::wrap(&format!("→ {}", cause.explain()), room, "  ");
                lines.extend(advice.into_iter().map(|line| format!("{indent}{line}")));
            }
        }
        if let (cells @ 1.., samples) = self.outliers {
            let (cells, samples) = (
                crate::diag::count(cells, "cell"),
                crate::diag::count(samples, "sample"),
            );
            let text = format!(
                "{OUTLIERS} outliers: {samples} of {cells} far from the cell's others; they count \
                 as all do, and `samples.csv` marks them"
            );
            lines.extend(text::wrap(&text, width, "  "));
        }
        if self.wide > 0 {
            let text = format!(
                "{WIDE} known less well than the plan asks: {} took as many samples as `max` allows",
                crate::diag::count(self.wide, "cell")
            );
            lines.extend(text::wrap(&text, width, "  "));
        }
        if self.at_bound > 0 {
            let text = format!(
                "{AT_BOUND} more may be possible: {} kept the condition at the highest rate that the \
                 plan allows; raise its `to`",
                crate::diag::count(self.at_bound, "cell")
            );
            lines.extend(text::wrap(&text, width, "  "));
        }
        lines
    }
}

fn indented(text: &str, indent: &str, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent.chars().count());
    text::wrap(text, room, "")
        .into_iter()
        .map(|line| format!("{indent}{line}"))
        .collect()
}
