//! Plan → cells, in the order in which they run.

use std::fmt::Write;

use super::cell::{Cell, CellId, Param, Params, Row, Schedule};
use super::params::{Axis, axes};
use super::selection::Selection;
use crate::plan::{Path, Plan, Test};

impl Schedule {
    /// The cells of the plan that the selection leaves: test by test, path by path in the test's
    /// order, and the cross product of the test's parameters with the last one fastest.
    #[must_use]
    pub fn of(plan: &Plan, only: &Selection) -> Schedule {
        let mut schedule = Schedule::default();
        let mut number = 0;
        for (test_index, test) in plan.tests.iter().enumerate() {
            let axes = axes(test);
            // The size is the fastest axis, so a row's cells stand together.
            let size_at = axes
                .len()
                .checked_sub(1)
                .filter(|last| matches!(axes[*last].0, Param::Mss | Param::Datagram));
            let (lines, size) = match size_at {
                Some(at) => (&axes[..at], Some(&axes[at])),
                None => (&axes[..], None),
            };
            for path_index in paths_of(plan, test) {
                let path = &plan.paths[path_index];
                let selected = only.takes_path(test, path);
                let slot = slot_of(plan, path_index);
                for fixed in Product::of(lines) {
                    number += 1;
                    if !selected || !only.takes_params(&fixed) {
                        continue;
                    }
                    let row = Row {
                        number,
                        label: label(test, path, &fixed, lines),
                        test: test_index,
                        path: path_index,
                        slot,
                    };
                    schedule.push_row(row, only, test, path, &fixed, &axes, size);
                }
            }
        }
        schedule.cells.shrink_to_fit();
        schedule
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one loop's body")]
    fn push_row(
        &mut self,
        row: Row,
        only: &Selection,
        test: &Test,
        path: &Path,
        fixed: &[(Param, u64)],
        axes: &[Axis],
        size: Option<&Axis>,
    ) {
        let at = self.rows.len();
        let sizes: Vec<Option<(Param, u64)>> = match size {
            None => vec![None],
            Some((param, values)) => values.iter().map(|v| Some((*param, *v))).collect(),
        };
        let before = self.cells.len();
        for size in sizes
            .into_iter()
            .filter(|s| only.takes_params(s.as_slice()))
        {
            let mut params = Vec::with_capacity(axes.len());
            params.extend_from_slice(fixed);
            params.extend(size);
            self.cells.push(Cell {
                id: id(test, path, &params, axes),
                row: at,
                params: Params(params),
            });
        }
        if self.cells.len() > before {
            self.rows.push(row);
        }
    }
}

/// How many paths before this one lead to the same destination worker.
#[must_use]
pub fn slot_of(plan: &Plan, path: usize) -> u16 {
    let Some(this) = plan.paths.get(path) else {
        return 0;
    };
    let before = plan.paths[..path]
        .iter()
        .filter(|p| p.to == this.to)
        .count();
    u16::try_from(before).unwrap_or(u16::MAX)
}

/// Indices of the test's paths, in the test's order, each once.
pub(super) fn paths_of(plan: &Plan, test: &Test) -> Vec<usize> {
    let mut indices = Vec::with_capacity(test.paths.len());
    for name in &test.paths {
        if let Some(index) = plan.paths.iter().position(|path| path.name == *name)
            && !indices.contains(&index)
        {
            indices.push(index);
        }
    }
    indices
}

/// `<test label> <path label>` and what else tells the row from others of the same path.
fn label(test: &Test, path: &Path, fixed: &[(Param, u64)], lines: &[Axis]) -> String {
    let mut label = format!("{} {}", test.label, path.label);
    for ((param, value), _) in fixed
        .iter()
        .zip(lines)
        .filter(|(_, (_, all))| all.len() > 1)
    {
        let _ = write!(label, " {param}={value}");
    }
    label
}

fn id(test: &Test, path: &Path, params: &[(Param, u64)], axes: &[Axis]) -> CellId {
    let mut id = String::with_capacity(test.name.len() + path.name.len() + 16);
    let _ = write!(id, "{}/{}", test.name, path.name);
    let swept = params
        .iter()
        .zip(axes)
        .filter(|(_, (_, all))| all.len() > 1);
    for (nth, ((param, value), _)) in swept.enumerate() {
        let separator = if nth == 0 { '/' } else { ',' };
        let _ = write!(id, "{separator}{param}={value}");
    }
    id.shrink_to_fit();
    CellId(id)
}

/// The cross product of axes, the last one fastest. Of no axes: one empty point.
struct Product<'a> {
    axes: &'a [Axis],
    at: Option<Vec<usize>>,
}

impl<'a> Product<'a> {
    fn of(axes: &'a [Axis]) -> Self {
        Self {
            axes,
            at: Some(vec![0; axes.len()]),
        }
    }
}

impl Iterator for Product<'_> {
    type Item = Vec<(Param, u64)>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at.as_mut()?;
        let point = at
            .iter()
            .zip(self.axes)
            .map(|(i, (param, values))| (*param, values[*i]))
            .collect();
        let step = at.iter_mut().zip(self.axes).rev().any(|(i, (_, values))| {
            *i = (*i + 1) % values.len();
            *i != 0
        });
        if !step {
            self.at = None;
        }
        Some(point)
    }
}
