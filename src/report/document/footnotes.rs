//! The notes that tables ask for: why cells have no figure, and what its signs mean.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexSet;

use super::block::{Anchor, Meaning, Note, Notes, Span};
use super::warning_notes;
use crate::diag::{self, printable};
use crate::report::warnings::Warnings;
use crate::report::{CellReport, CellState, Report};
use crate::tools::Cause;

/// How many different wordings of one cause are quoted.
const QUOTED: usize = 2;

/// Beside a figure with samples far from the others.
const OUTLIERS: &str = "*";
/// Beside a figure that is known less well than the plan asks.
const WIDE: &str = "~";
/// Instead of a figure, or beside one of fewer samples than the plan asks for: the run ended before.
const MISSING: &str = "…";
/// Instead of the figure of a skipped cell. A dash and a number would read as a negative figure.
const SKIPPED: &str = "⊘";
/// Instead of the figure of a failed cell.
const FAILED: &str = "✗";
/// Beside a figure at the highest rate that the plan allows.
const AT_BOUND: &str = "↑";

/// Collects the notes of a report, numbered in the order in which tables ask for them.
#[derive(Debug)]
pub struct Footnotes {
    reasons: Vec<Reason>,
    /// The position of each reason in `reasons`.
    positions: HashMap<Why, usize>,
    /// Cells with samples far from the others, and such samples.
    outliers: (usize, usize),
    /// Cells that ran out of samples.
    wide: usize,
    /// Cells whose search ended at the highest rate that the plan allows.
    at_bound: usize,
    /// Those on cells that have a figure, in a numbering of their own.
    pub warnings: Warnings,
}

/// Why some cells have no figure.
#[derive(Debug)]
struct Reason {
    why: Why,
    cells: BTreeSet<String>,
    /// What the tools reported, in the order of the cells and without repetitions.
    reported: IndexSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Why {
    Failed(Cause),
    Skipped(String),
}

impl Why {
    fn mark(&self, number: usize) -> Span {
        let (meaning, sign) = match self {
            Why::Failed(_) => (Meaning::Failed, FAILED),
            Why::Skipped(_) => (Meaning::Skipped, SKIPPED),
        };
        Span::new(meaning, format!("{sign}{number}"))
    }
}

impl Footnotes {
    /// No note so far, and all warnings.
    pub fn new(report: &Report) -> Footnotes {
        Footnotes {
            reasons: Vec::new(),
            positions: HashMap::new(),
            outliers: (0, 0),
            wide: 0,
            at_bound: 0,
            warnings: Warnings::from_report(report),
        }
    }

    /// What a cell shows instead of a figure: `✗1` if it failed, `⊘2` if it was skipped, `…` if it is
    /// missing. `None` for a cell that was measured at least in part.
    pub fn mark(&mut self, cell: &CellReport, tool: &str) -> Option<Span> {
        let (why, reported) = match &cell.state {
            CellState::Measured | CellState::Partial => return None,
            CellState::Missing => return Some(Span::plain(MISSING)),
            CellState::Failed(failure) => (Why::Failed(failure.cause), failure.text(tool)),
            CellState::Skipped(reason) => (Why::Skipped(reason.clone()), String::new()),
        };
        let next = self.reasons.len();
        let at = *self.positions.entry(why.clone()).or_insert(next);
        let number = at + 1;
        let mark = why.mark(number).to(Anchor::Reason(number));
        if at == next {
            self.reasons.push(Reason {
                why,
                cells: BTreeSet::new(),
                reported: IndexSet::new(),
            });
        }
        if let Some(reason) = self.reasons.get_mut(at) {
            reason.cells.insert(cell.id.0.clone());
            let reported = printable::line(&reported).into_owned();
            if !reported.is_empty() {
                reason.reported.insert(reported);
            }
        }
        Some(mark)
    }

    /// The signs behind a figure: some of its samples are outliers or missing, its interval is wider
    /// than the plan asks, its search ended at its bound, and its warnings.
    pub fn signs(&mut self, cell: &CellReport, outliers: usize) -> Vec<Span> {
        let mut signs = Vec::new();
        if outliers > 0 {
            self.outliers = (self.outliers.0 + 1, self.outliers.1 + outliers);
            signs.push(Span::plain(OUTLIERS));
        }
        if cell.state == CellState::Partial {
            signs.push(Span::plain(MISSING));
        }
        if cell.reached == Some(false) {
            self.wide += 1;
            signs.push(Span::plain(WIDE));
        }
        if cell.found.is_some_and(|found| found.at_bound) {
            self.at_bound += 1;
            signs.push(Span::plain(AT_BOUND));
        }
        signs.extend(warning_notes::marks(&self.warnings, cell));
        signs
    }

    /// The notes that were asked for.
    pub fn notes(&self) -> Notes {
        let mut notes: Vec<Note> = (1..)
            .zip(&self.reasons)
            .map(|(number, reason)| reason.note(number))
            .collect();
        let mut explain = |sign: &str, text: String| {
            notes.push(Note {
                mark: Span::plain(sign),
                text: vec![Span::plain(text)],
                ..Note::default()
            });
        };
        if let (cells @ 1.., samples) = self.outliers {
            let (cells, samples) = (diag::count(cells, "cell"), diag::count(samples, "sample"));
            explain(
                OUTLIERS,
                format!(
                    "outliers: {samples} of {cells} far from the cell's others; they count as all do, \
                     and `samples.csv` marks them"
                ),
            );
        }
        if self.wide > 0 {
            let cells = diag::count(self.wide, "cell");
            explain(
                WIDE,
                format!(
                    "known less well than the plan asks: {cells} took as many samples as `max` allows"
                ),
            );
        }
        if self.at_bound > 0 {
            let cells = diag::count(self.at_bound, "cell");
            explain(
                AT_BOUND,
                format!(
                    "more may be possible: {cells} kept the condition at the highest rate that the plan \
                     allows; raise its `to`"
                ),
            );
        }
        Notes {
            title: String::new(),
            notes,
        }
    }
}

impl Reason {
    fn note(&self, number: usize) -> Note {
        let (title, advice) = match &self.why {
            Why::Failed(cause) => (format!("failed: {cause}"), Some(cause.explain())),
            Why::Skipped(reason) => (format!("skipped: {reason}"), None),
        };
        let cells = diag::count(self.cells.len(), "cell");
        let mut details: Vec<String> = self.reported.iter().take(QUOTED).cloned().collect();
        if let Some(rest @ 1..) = self.reported.len().checked_sub(QUOTED) {
            details.push(format!("and {rest} more; `samples.csv` has them all"));
        }
        Note {
            anchor: Some(Anchor::Reason(number)),
            mark: self.why.mark(number),
            text: vec![Span::plain(format!("{title} ({cells})"))],
            details: details
                .into_iter()
                .map(|text| vec![Span::plain(text)])
                .collect(),
            advice: advice.map(Span::plain),
        }
    }
}
