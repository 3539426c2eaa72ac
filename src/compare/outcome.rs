//! What follows from a comparison.

use super::comparison::{Comparison, Versus};
use crate::statistics::judge::{Answer, LimitOutcome};

/// What follows from a comparison, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Well,
    /// Something that BASE measured has no figure in NEW, or nothing could be compared.
    CellsLost,
    /// NEW is worse.
    Worse,
}

impl Comparison {
    /// The worst of all sides.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.versus.iter().map(|one| self.outcome_of(one));
        outcomes.max().unwrap_or(Outcome::CellsLost)
    }

    /// What follows for one of the sides.
    #[must_use]
    pub fn outcome_of(&self, versus: &Versus) -> Outcome {
        let has_lost = versus.matching.lost().next().is_some() || !versus.lost_metrics.is_empty();
        if self.failing(versus).next().is_some() || !versus.lost_paths.is_empty() {
            Outcome::Worse
        } else if has_lost || versus.verdicts.is_empty() {
            Outcome::CellsLost
        } else {
            Outcome::Well
        }
    }

    /// The positions of the verdicts that fail the comparison: with a limit those beyond it, without one those that are
    /// slower; and those that are undecided, where that is to fail.
    pub fn failing<'a>(&'a self, versus: &'a Versus) -> impl Iterator<Item = usize> + 'a {
        let fails = move |answer: Answer, limit: Option<LimitOutcome>| {
            let (worse, undecided) = match limit {
                Some(limit) => (
                    limit == LimitOutcome::Beyond,
                    limit == LimitOutcome::Undecided,
                ),
                None => (answer == Answer::Slower, answer.is_undecided()),
            };
            worse || (self.options.undecided_fails && undecided)
        };
        let verdicts = versus.verdicts.iter().enumerate();
        verdicts
            .filter(move |(_, verdict)| {
                let limit = verdict.judgement.limit.map(|limit| limit.outcome);
                fails(verdict.judgement.answer, limit)
            })
            .map(|(nth, _)| nth)
    }
}
