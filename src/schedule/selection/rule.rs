//! A selection: terms that a cell must meet, all of them.

use std::fmt;

use super::term::{Key, Term, names, tools};
use crate::diag::Problem;
use crate::plan::{Plan, Test};
use crate::schedule::params::Param;
use crate::schedule::params::{Axis, axes, sets};

/// The cells to run: those that meet every term. Without a term, all.
///
/// A term is `key=value`; terms are joined by `,` (and), a term's values by `|` (or). Names may
/// have `*` for any characters. A parameter takes a number, a value as the plan writes it, or a
/// range `96..608` with both ends in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    text: String,
    terms: Vec<Term>,
}

impl Selection {
    /// Every cell.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// As it was written; `None` when it selects everything.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        (!self.terms.is_empty()).then_some(self.text.as_str())
    }

    /// Reads a selection of cells of this plan. An empty text selects everything.
    ///
    /// # Errors
    /// For a term that is none, an unknown key, a value that no cell has, and terms that no cell
    /// meets together.
    pub fn parse(text: &str, plan: &Plan) -> Result<Self, Problem> {
        let mut selection = Selection {
            text: text.trim().to_owned(),
            terms: Vec::new(),
        };
        if selection.text.is_empty() {
            return Ok(selection);
        }
        for part in text.split(',').map(str::trim) {
            let term = Term::parse(part, plan)?;
            term.check(plan)?;
            selection.terms.push(term);
        }
        if selection.takes_any(plan) {
            Ok(selection)
        } else {
            let what = format!("no cell meets all of `{}`", selection.text);
            Err(Problem::without_place(what).help(
                "each term selects cells, but none is in all of them; `,` means and: write \
                 `key=one|other` for either value",
            ))
        }
    }

    /// Whether the terms on tests and paths let this pair through.
    pub(in crate::schedule) fn takes_path(&self, plan: &Plan, test: &Test, path: usize) -> bool {
        self.terms.iter().all(|term| match term.key {
            Key::Param(param) => {
                let variant = plan.paths.get(path).map_or(0, |path| path.variant);
                sets(plan.tool(test, variant), param)
            }
            key => names(key, plan, test, path)
                .iter()
                .any(|name| term.has_name(name)),
        })
    }

    /// Whether the terms on these parameters let their values through.
    pub(in crate::schedule) fn takes_params(&self, params: &[(Param, u64)]) -> bool {
        params.iter().all(|(param, value)| {
            let mut terms = self.terms.iter().filter(|t| t.key == Key::Param(*param));
            terms.all(|term| term.has_value(*param, *value))
        })
    }

    /// Whether a cell is left. The parameters of a test vary independently of each other, so each
    /// needs one value that is.
    fn takes_any(&self, plan: &Plan) -> bool {
        plan.tests.iter().any(|test| {
            let by_params: Vec<bool> = tools(plan, test)
                .map(|tool| {
                    let has_one = |(param, values): &Axis| {
                        values.iter().any(|v| self.takes_params(&[(*param, *v)]))
                    };
                    axes(tool).iter().all(has_one)
                })
                .collect();
            let mut paths = plan.paths_of(test).into_iter();
            paths.any(|path| {
                let variant = plan.paths.get(path).map_or(0, |path| path.variant);
                by_params.get(variant) == Some(&true) && self.takes_path(plan, test, path)
            })
        })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
