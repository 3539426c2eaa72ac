//! Finds cells by their ids.

use std::hash::{BuildHasher, RandomState};

use super::table::CellIndex;
use super::task::Tasks;
use crate::schedule::CellId;

/// The cells of a run by the hashes of their ids: a million ids would take a hundred megabytes.
#[derive(Debug)]
pub(super) struct CellLookup<'t> {
    tasks: &'t Tasks,
    hasher: RandomState,
    /// Sorted.
    cells: Vec<(u64, CellIndex)>,
}

impl<'t> CellLookup<'t> {
    pub fn new(tasks: &'t Tasks) -> Self {
        let hasher = RandomState::new();
        let mut cells: Vec<_> = tasks
            .iter()
            .map(|(index, task)| (hasher.hash_one(task.id()), index))
            .collect();
        cells.sort_unstable();
        Self {
            tasks,
            hasher,
            cells,
        }
    }

    pub fn find(&self, id: &CellId) -> Option<CellIndex> {
        let hash = self.hasher.hash_one(id);
        let first = self.cells.partition_point(|(other, _)| *other < hash);
        let same_hash = self.cells[first..].iter().take_while(|cell| cell.0 == hash);
        let mut indices = same_hash.map(|(_, index)| *index);
        indices.find(|index| self.tasks.at(*index).id() == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::schedule::Selection;

    const PLAN: &str = "version: 1
name: ids
workers: { w1: {}, w2: {} }
paths:
  - { name: there, from: w1, to: w2, via: pod_ip }
  - { name: back, from: w2, to: w1, via: pod_ip }
tests:
  - { name: swept, iperf3: { streams: [1, 2, 4], mss: { from: 88, to: 4087, step: 1 } } }
  - { name: single, paths: [back], netperf: {} }
";

    #[test]
    fn each_id_finds_its_own_cell() {
        let plan = plan::load(Source::new("ids.yaml", PLAN), &[]).unwrap();
        let tasks = Tasks::new(plan, &Selection::all());
        assert_eq!(tasks.len(), 2 * 3 * 4000 + 1);
        let lookup = CellLookup::new(&tasks);
        for (index, task) in tasks.iter() {
            assert_eq!(lookup.find(&task.id()), Some(index));
        }
        for unknown in [
            "",
            "swept/there",
            "single/there",
            "swept/back/streams=1,mss=87",
        ] {
            assert_eq!(lookup.find(&CellId(unknown.to_owned())), None);
        }
    }
}
