//! Plan → cells, in the order in which they run.

use std::collections::{HashMap, HashSet};

use super::cell::{Axes, Cell, Row, Schedule};
use super::params::{Param, axes};
use super::selection::Selection;
use crate::plan::{Plan, Test, ToolSpec};

impl Schedule {
    /// The cells of the plan that the selection leaves: test by test, path by path in the test's
    /// order, and the cross product of the test's parameters with the last one fastest.
    #[must_use]
    pub fn new(plan: &Plan, only: &Selection) -> Schedule {
        let mut schedule = Schedule {
            axes: plan.tests.iter().map(|test| axes_of(plan, test)).collect(),
            ..Schedule::default()
        };
        let slots = slots(plan);
        let mut number = 0;
        for (test_index, (test, axes)) in plan.tests.iter().zip(&schedule.axes).enumerate() {
            let taken: Vec<Taken> = axes.iter().map(|axes| Taken::new(axes, only)).collect();
            let paths = plan.paths_of(test);
            if only.text().is_none() {
                let rows: usize = taken.iter().map(Taken::rows).max().unwrap_or_default();
                let sizes = taken.iter().map(|taken| taken.sizes.len()).max();
                schedule.rows.reserve_exact(paths.len() * rows);
                schedule
                    .cells
                    .reserve_exact(paths.len() * rows * sizes.unwrap_or_default());
            }
            for path_index in paths {
                let variant = plan.paths[path_index].variant;
                let Some(Taken { points, sizes }) = taken.get(variant) else {
                    continue;
                };
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
                        variant: u16::try_from(variant).unwrap_or(u16::MAX),
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

/// What a selection takes of a test's parameters: every path has the same.
struct Taken {
    points: Vec<bool>,
    sizes: Vec<Option<u64>>,
}

impl Taken {
    fn new(axes: &Axes, only: &Selection) -> Self {
        let points = (0..axes.points()).map(|point| only.takes_params(&axes.at(point)));
        let sizes = match &axes.size {
            None => vec![None],
            Some((param, values)) => values
                .iter()
                .filter(|value| only.takes_params(&[(*param, **value)]))
                .map(|value| Some(*value))
                .collect(),
        };
        Taken {
            points: points.collect(),
            sizes,
        }
    }

    fn rows(&self) -> usize {
        self.points.iter().filter(|taken| **taken).count()
    }
}

/// What a test sets under each variant.
fn axes_of(plan: &Plan, test: &Test) -> Vec<Axes> {
    let variants = 0..plan.variants.len().max(1);
    variants
        .map(|variant| Axes::new(plan.tool(test, variant)))
        .collect()
}

impl Axes {
    fn new(tool: &ToolSpec) -> Axes {
        let mut lines = axes(tool);
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
