//! Plan → cells, in the order in which they run.

use std::collections::{HashMap, HashSet};

use super::cell::{Axes, Cell, Row, Schedule};
use super::params::{Param, axes};
use super::selection::Selection;
use crate::plan::{Plan, Test};

impl Schedule {
    /// The cells of the plan that the selection leaves: test by test, path by path in the test's
    /// order, and the cross product of the test's parameters with the last one fastest.
    #[must_use]
    pub fn new(plan: &Plan, only: &Selection) -> Schedule {
        let mut schedule = Schedule {
            axes: plan.tests.iter().map(Axes::new).collect(),
            ..Schedule::default()
        };
        let slots = slots(plan);
        let mut number = 0;
        for (test_index, (test, axes)) in plan.tests.iter().zip(&schedule.axes).enumerate() {
            // Every path has the same points.
            let points: Vec<bool> = (0..axes.points())
                .map(|point| only.takes_params(&axes.at(point)))
                .collect();
            let sizes: Vec<Option<u64>> = match &axes.size {
                None => vec![None],
                Some((param, values)) => values
                    .iter()
                    .filter(|value| only.takes_params(&[(*param, **value)]))
                    .map(|value| Some(*value))
                    .collect(),
            };
            let rows = points.iter().filter(|taken| **taken).count();
            let paths = plan.paths_of(test);
            if only.text().is_none() {
                schedule.rows.reserve_exact(paths.len() * rows);
                schedule
                    .cells
                    .reserve_exact(paths.len() * rows * sizes.len());
            }
            for path_index in paths {
                let selected = only.takes_path(plan, test, path_index) && !sizes.is_empty();
                for (point, taken) in points.iter().enumerate() {
                    number += 1;
                    if !(selected && *taken) {
                        continue;
                    }
                    let row = schedule.rows.len();
                    schedule.rows.push(Row {
                        number,
                        test: test_index,
                        path: path_index,
                        slot: slots[path_index],
                        point,
                    });
                    let cells = sizes.iter().map(|size| Cell { row, size: *size });
                    schedule.cells.extend(cells);
                }
            }
        }
        schedule.cells.shrink_to_fit();
        schedule
    }
}

impl Axes {
    fn new(test: &Test) -> Axes {
        let mut lines = axes(test);
        // The size is the fastest axis, so a row's cells are adjacent.
        let size = lines.pop_if(|(param, _)| matches!(param, Param::Mss | Param::Datagram));
        Axes { lines, size }
    }
}

/// For each path, how many before it lead to the same destination worker. A mesh counts as one: its
/// paths to a worker come from different pods, so they meet in no port.
#[must_use]
pub fn slots(plan: &Plan) -> Vec<u16> {
    let mut before: HashMap<&str, u16> = HashMap::new();
    let mut slots = Vec::with_capacity(plan.paths.len());
    for (_, range) in plan.entries() {
        let paths = plan.paths.get(range).unwrap_or_default();
        slots.extend(
            paths
                .iter()
                .map(|path| before.get(&*path.to).copied().unwrap_or_default()),
        );
        let reached: HashSet<&str> = paths.iter().map(|path| &*path.to).collect();
        for worker in reached {
            let slot = before.entry(worker).or_default();
            *slot = slot.saturating_add(1);
        }
    }
    slots
}
