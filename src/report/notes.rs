//! Numbered notes below the tables: why cells have no figure, and why to doubt those that have one.

use std::collections::BTreeSet;

use super::doubts::Doubts;
use super::fold::{CellReport, CellState, Report};
use super::words;
use crate::tools::Cause;

/// How many different wordings of one cause are quoted.
const QUOTED: usize = 2;

/// The notes of a report, numbered in the order in which tables ask for them.
#[derive(Debug)]
pub struct Notes {
    notes: Vec<Note>,
    /// Those on cells that have a figure, in a numbering of their own.
    pub doubts: Doubts,
}

#[derive(Debug)]
struct Note {
    why: Why,
    cells: BTreeSet<String>,
    tools: BTreeSet<&'static str>,
    /// What the tools said, without repetitions.
    said: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Failed(Cause),
    Skipped(String),
}

impl Notes {
    /// No note so far, and all doubts.
    pub fn of(report: &Report) -> Notes {
        Notes {
            notes: Vec::new(),
            doubts: Doubts::of(report),
        }
    }

    /// What stands in the place of a figure: `✗1` for a failed cell, `–2` for a skipped one, `…` for
    /// a missing one. None for a measured cell.
    pub fn mark(&mut self, cell: &CellReport, tool: &'static str) -> Option<String> {
        let (sign, why, said) = match &cell.state {
            CellState::Measured => return None,
            CellState::Missing => return Some("…".to_owned()),
            CellState::Failed(failure) => ('✗', Why::Failed(failure.cause), &*failure.words),
            CellState::Skipped(reason) => ('–', Why::Skipped(reason.clone()), ""),
        };
        let at = self.notes.iter().position(|note| note.why == why);
        let at = at.unwrap_or_else(|| {
            self.notes.push(Note {
                why,
                cells: BTreeSet::new(),
                tools: BTreeSet::new(),
                said: Vec::new(),
            });
            self.notes.len() - 1
        });
        if let Some(note) = self.notes.get_mut(at) {
            note.cells.insert(cell.id.0.clone());
            note.tools.insert(tool);
            // Words of a tool are text, not orders to a terminal.
            let said: String = said.replace(|c: char| c.is_control(), " ");
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            if !said.is_empty() && !note.said.contains(&said) {
                note.said.push(said);
            }
        }
        Some(format!("{sign}{}", at + 1))
    }

    /// The notes' lines, at most `width` wide.
    pub fn render(&self, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (i, note) in self.notes.iter().enumerate() {
            let (sign, title) = match &note.why {
                Why::Failed(cause) => ('✗', format!("failed: {cause}")),
                Why::Skipped(reason) => ('–', format!("skipped: {reason}")),
            };
            let mark = format!("{sign}{}", i + 1);
            let indent = " ".repeat(mark.chars().count() + 1);
            let cells = words::count(note.cells.len(), "cell");
            lines.extend(words::wrap(
                &format!("{mark} {title} ({cells})"),
                width,
                &indent,
            ));
            let tools: Vec<&str> = note.tools.iter().copied().collect();
            for said in note.said.iter().take(QUOTED) {
                let text = format!("{} said: “{said}”", words::list(&tools));
                lines.extend(indented(&text, &indent, width));
            }
            if note.said.len() > QUOTED {
                let rest = note.said.len() - QUOTED;
                let text = format!("and {rest} more; `samples.csv` has them all");
                lines.extend(indented(&text, &indent, width));
            }
            if let Why::Failed(cause) = &note.why {
                let room = width.saturating_sub(indent.len());
                let advice = words::wrap(&format!("→ {}", cause.explain()), room, "  ");
                lines.extend(advice.into_iter().map(|line| format!("{indent}{line}")));
            }
        }
        lines
    }
}

fn indented(text: &str, indent: &str, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent.chars().count());
    words::wrap(text, room, "")
        .into_iter()
        .map(|line| format!("{indent}{line}"))
        .collect()
}
