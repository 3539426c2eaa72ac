//! Which cells of two sides can be compared: those that all runs of both measured, in the same way.

use std::collections::HashSet;

use indexmap::IndexSet;

use super::run::{Run, RunCell};
use super::side::Side;
use crate::catalog::Direction;
use crate::schedule::{CellId, Param};

/// The cells of two sides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matching {
    /// Those that are compared, in BASE's order.
    pub cells: Vec<CellId>,
    /// Those that are not, and why.
    pub unmatched: Vec<Unmatched>,
}

/// A cell that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    pub cell: CellId,
    pub test: String,
    pub path: String,
    pub why: Why,
}

/// Why a cell cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// BASE measured it, and some run of NEW has no figure.
    Lost {
        reason: String,
        /// No run of NEW has a figure.
        everywhere: bool,
    },
    /// BASE has no figure.
    NotInBase(String),
    /// Both measured it, and not the same way: what differs, and the value of each.
    MeasuredDifferently {
        what: String,
        base: String,
        new: String,
    },
}

impl Matching {
    /// Matches by cell id. With `only`, cells that are not in it do not count.
    #[must_use]
    pub fn new(base: &Side, new: &Side, only: Option<&HashSet<CellId>>) -> Matching {
        let runs = base.runs.iter().chain(&new.runs);
        let all: IndexSet<&CellId> = runs.flat_map(|run| run.cells.keys()).collect();
        let mut matching = Matching::default();
        for id in all {
            if only.is_some_and(|only| !only.contains(id)) {
                continue;
            }
            match why_not(base, new, id) {
                None => matching.cells.push(id.clone()),
                Some((cell, why)) => matching.unmatched.push(Unmatched {
                    cell: id.clone(),
                    test: cell.test.clone(),
                    path: cell.path.clone(),
                    why,
                }),
            }
        }
        matching
    }

    /// How many cells both sides have together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.cells.len() + self.unmatched.len()
    }

    /// The cells that BASE measured and NEW did not.
    pub fn lost(&self) -> impl Iterator<Item = &Unmatched> {
        let all = self.unmatched.iter();
        all.filter(|unmatched| matches!(unmatched.why, Why::Lost { .. }))
    }
}

/// Why a cell cannot be compared, with the cell of some run that has it; `None` if it can.
fn why_not<'a>(base: &'a Side, new: &'a Side, id: &CellId) -> Option<(&'a RunCell, Why)> {
    let mut runs = base.runs.iter().chain(&new.runs);
    let example = runs.find_map(|run| run.cells.get(id))?;
    let lost = not_measured(new, id);
    let everywhere = !is_measured_somewhere(new, id);
    let lost = lost.map(|reason| Why::Lost { reason, everywhere });
    // What BASE measured now and then, and NEW never, is lost too.
    if everywhere && is_measured_somewhere(base, id) {
        return Some((example, lost?));
    }
    if let Some(reason) = not_measured(base, id) {
        return Some((example, Why::NotInBase(reason)));
    }
    if let Some(lost) = lost {
        return Some((example, lost));
    }
    let first = base.runs.first()?;
    let mut others = base.runs.iter().skip(1).chain(&new.runs);
    let (what, base, new) = others.find_map(|other| measured_differently(first, other, id))?;
    Some((example, Why::MeasuredDifferently { what, base, new }))
}

/// Whether some run of a side has a figure of a cell.
fn is_measured_somewhere(side: &Side, id: &CellId) -> bool {
    let cells = side.runs.iter().filter_map(|run| run.cells.get(id));
    cells.into_iter().any(|cell| cell.figures.is_ok())
}

/// Why some run of a side has no figure of a cell.
fn not_measured(side: &Side, id: &CellId) -> Option<String> {
    let why = |run: &Run| match run.cells.get(id) {
        None => Some("not in its plan or selection".to_owned()),
        Some(cell) => cell.figures.as_ref().err().cloned(),
    };
    let mut without = side.runs.iter().filter_map(why);
    let first = without.next()?;
    Some(match (side.runs.len(), without.count() + 1) {
        (1, _) => first,
        (all, missing) => format!("{first} ({missing} of {all} runs)"),
    })
}

/// Which way the payload of a cell goes; forward where its plan does not say it.
fn direction(cell: &RunCell) -> &'static str {
    let number = cell.params.get(&Param::Direction).copied();
    number
        .and_then(Direction::from_number)
        .unwrap_or_default()
        .word()
}

/// What differs between two runs in the way they measured a cell. What one of them does not know is the same.
fn measured_differently(one: &Run, two: &Run, id: &CellId) -> Option<(String, String, String)> {
    let (a, b) = (one.cells.get(id)?, two.cells.get(id)?);
    let differ = |what: &str, a: &str, b: &str| {
        (a != b).then(|| (what.to_owned(), a.to_owned(), b.to_owned()))
    };
    let (test, other) = (one.tests.get(&a.test)?, two.tests.get(&b.test)?);
    let mut settings = test.settings.iter().filter_map(|(what, value)| {
        let other = other.settings.get(what)?;
        differ(what, value, other)
    });
    let mut params = a.params.iter().filter_map(|(param, value)| {
        let other = b.params.get(param)?;
        differ(
            param.name(),
            &param.value_text(*value),
            &param.value_text(*other),
        )
    });
    settings
        .next()
        .or_else(|| params.next())
        .or_else(|| differ(Param::Direction.name(), direction(a), direction(b)))
        .or_else(|| differ("via", a.via, b.via))
        .or_else(|| differ("family", a.family?, b.family?))
        .or_else(|| {
            let (a, b) = (a.effective_mss.as_deref()?, b.effective_mss.as_deref()?);
            differ("effective MSS", a, b)
        })
}
