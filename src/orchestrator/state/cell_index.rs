//! Which cell an id means.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::task::Tasks;
use crate::schedule::CellId;

/// Finds cells by their ids. Holds their numbers alone: a million ids would take a hundred megabytes.
pub(super) struct Ids<'t> {
    tasks: &'t Tasks,
    hashes: RandomState,
    numbers: HashTable<u32>,
}

impl<'t> Ids<'t> {
    pub fn of(tasks: &'t Tasks) -> Self {
        let mut ids = Self {
            tasks,
            hashes: RandomState::new(),
            numbers: HashTable::with_capacity(tasks.len()),
        };
        let hash_of = |number: u32| ids.hashes.hash_one(tasks.at(number as usize).id());
        // A schedule has far fewer cells than fit.
        for number in (0..=u32::MAX).take(tasks.len()) {
            ids.numbers
                .insert_unique(hash_of(number), number, |number| hash_of(*number));
        }
        ids
    }

    pub fn find(&self, id: &CellId) -> Option<usize> {
        let is_it = |number: &u32| self.tasks.at(*number as usize).id() == *id;
        let number = self.numbers.find(self.hashes.hash_one(id), is_it)?;
        Some(*number as usize)
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

    /// So many that hashes alone would take one cell for another.
    #[test]
    fn each_id_finds_its_own_cell() {
        let plan = plan::load(Source::new("ids.yaml", PLAN), &[]).unwrap();
        let tasks = Tasks::of(plan, &Selection::all());
        assert_eq!(tasks.len(), 2 * 3 * 4000 + 1);
        let ids = Ids::of(&tasks);
        for (task, of) in tasks.iter().enumerate() {
            assert_eq!(ids.find(&of.id()), Some(task));
        }
        for unknown in [
            "",
            "swept/there",
            "single/there",
            "swept/back/streams=1,mss=87",
        ] {
            assert_eq!(ids.find(&CellId(unknown.to_owned())), None);
        }
    }
}
