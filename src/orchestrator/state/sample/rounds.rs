//! Rounds of variants: when all of them have been sampled often enough.

use super::super::State;
use super::super::table::{CellIndex, Id as _};
use super::super::task::Tasks;
use super::order::SampleOrder;
use crate::plan::{Repeat, Until};
use crate::statistics::stopping_rule::{Decision, decide, decide_ratio};

/// The cells that differ in nothing but the variant. Empty for a plan without variants.
#[derive(Debug)]
pub(in super::super) struct Groups(Vec<Vec<CellIndex>>);

impl Groups {
    pub fn new(order: &SampleOrder, tasks: &Tasks) -> Self {
        let mut groups: Vec<Vec<CellIndex>> = Vec::new();
        for cell in (0..tasks.len()).map(CellIndex::from_index) {
            let Some(member) = order.member(cell) else {
                break;
            };
            let group = member.group as usize;
            if groups.len() <= group {
                groups.resize_with(group + 1, Vec::new);
            }
            groups[group].push(cell);
        }
        Self(groups)
    }

    fn of(&self, group: u32) -> &[CellIndex] {
        self.0.get(group as usize).map_or(&[], Vec::as_slice)
    }
}

impl State {
    /// What the rounds so far say about further ones, where the plan samples until something is known: all variants
    /// of a cell stop after the same round. `None` where a cell decides by itself.
    pub(in super::super) fn round_decision(&self, cell: CellIndex) -> Option<Decision> {
        let work = self.tasks.at(cell).work;
        let Repeat::Until(until) = &work.timing.repeat else {
            return None;
        };
        let member = self.order.member(cell).filter(|_| work.is_paired)?;
        let group = self.groups.of(member.group);
        let rounds = self.progress[cell].samples();
        if !rounds.is_multiple_of(member.size) {
            return Some(Decision::More);
        }
        // A cell that failed has fewer rounds, and nothing waits for it.
        let values = |cell: CellIndex| self.progress[cell].values().get(..rounds as usize);
        let decisions: Vec<Decision> = match &until.until.of {
            None => {
                let all = group.iter().filter_map(|cell| values(*cell));
                all.map(|values| decide(until, values)).collect()
            }
            Some(of) => self.ratio_decisions(until, of, group, values),
        };
        Some(all_of(&decisions, until, rounds))
    }

    fn ratio_decisions<'v>(
        &self,
        until: &Until,
        of: &str,
        group: &[CellIndex],
        values: impl Fn(CellIndex) -> Option<&'v [f64]>,
    ) -> Vec<Decision> {
        let plan = self.tasks.plan();
        let is_base = |cell: &&CellIndex| {
            let variant = self.tasks.at(**cell).path.variant;
            plan.variant_name(variant) == Some(of)
        };
        let base = group.iter().find(is_base);
        let Some(base) = base.and_then(|cell| values(*cell)) else {
            return Vec::new();
        };
        let others = group.iter().filter(|cell| !is_base(cell));
        let ratios = others.filter_map(|cell| values(*cell)).map(|values| {
            let logs: Vec<f64> = base.iter().zip(values).map(|(a, b)| (b / a).ln()).collect();
            decide_ratio(until, &logs)
        });
        ratios.collect()
    }
}

/// All have to be known. With nothing left to compare the least number of rounds is enough.
fn all_of(decisions: &[Decision], until: &Until, rounds: u32) -> Decision {
    if decisions.is_empty() {
        return if rounds < until.min {
            Decision::More
        } else {
            Decision::GivenUp
        };
    }
    if decisions.contains(&Decision::More) {
        Decision::More
    } else if decisions.contains(&Decision::GivenUp) {
        Decision::GivenUp
    } else {
        Decision::Reached
    }
}
