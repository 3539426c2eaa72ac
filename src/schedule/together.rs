//! Tests that measure all of their paths at once.

use std::collections::HashMap;

use super::cell::Schedule;
use crate::plan::Plan;

impl Schedule {
    /// The cells that are measured at once, as indexes: those of a test with `together` that differ in nothing but the
    /// path. In the order of their first cells.
    #[must_use]
    pub fn together(&self, plan: &Plan) -> Vec<Vec<usize>> {
        let is_together = |test: usize| plan.tests.get(test).is_some_and(|test| test.together);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<(usize, usize, usize, usize), usize> = HashMap::new();
        let (mut row, mut nth) = (usize::MAX, 0);
        for (index, cell) in self.cells.iter().enumerate() {
            nth = if cell.row == row { nth + 1 } else { 0 };
            row = cell.row;
            let Some(of) = self.rows.get(row).filter(|of| is_together(of.test)) else {
                continue;
            };
            let group = known.entry((of.test, of.variant(), of.point, nth));
            let group = *group.or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(group) {
                group.push(index);
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::schedule::Selection;

    const PLAN: &str = "version: 1
name: p
workers: { w1: {}, w2: {}, w3: {} }
variants: { a: {}, b: {} }
paths:
  - { name: x, from: w1, to: w2, via: pod_ip }
  - { name: y, from: w2, to: w3, via: pod_ip }
  - { name: z, from: w3, to: w1, via: pod_ip }
defaults: { repeat: 2 }
tests:
  - { name: alone, iperf3: {} }
  - { name: at-once, paths: [x, z], together: true, iperf3: { streams: [1, 2], mss: [100, 200] } }
";

    #[test]
    fn cells_at_once_differ_in_nothing_but_the_path() {
        let plan = plan::load(Source::new("p.yaml", PLAN), &[]).unwrap();
        let schedule = Schedule::new(&plan, &Selection::all());
        let ids = |group: &Vec<usize>| -> Vec<String> {
            let cells = group.iter().map(|cell| &schedule.cells[*cell]);
            cells.map(|cell| schedule.id(&plan, cell).0).collect()
        };
        let groups: Vec<Vec<String>> = schedule.together(&plan).iter().map(ids).collect();
        assert_eq!(groups.len(), 8, "two variants of four points");
        assert!(groups.contains(&vec![
            "at-once/x@b/streams=2,mss=100".to_owned(),
            "at-once/z@b/streams=2,mss=100".to_owned(),
        ]));
        assert!(groups.iter().all(|group| group.len() == 2));
    }
}
