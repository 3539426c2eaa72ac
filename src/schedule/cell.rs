//! The matrix: its rows, its cells, and the parameters of a cell.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::params::{Axis, Param, Params};
use crate::plan::{Plan, VARIANT_MARK};

/// The ordered cells of a run, and the rows that reports put them in.
///
/// Of a million cells each holds only what tells it from the others; its id and parameters are made
/// when they are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    pub rows: Vec<Row>,
    /// In the order in which they run. The cells of a row are adjacent.
    pub cells: Vec<Cell>,
    /// What each test sets under each variant, in the plan's order.
    pub(super) axes: Vec<Vec<Axes>>,
}

/// The parameters that a test sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Axes {
    /// Those that make rows.
    pub lines: Vec<Axis>,
    /// The size, whose values are the cells of a row.
    pub size: Option<Axis>,
}

/// A line of the matrix: a test on a path with all parameters fixed but the swept size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Counts from 1 over the whole plan, also when a selection leaves rows out.
    pub number: usize,
    /// Index into the plan's tests.
    pub test: usize,
    /// Index into the plan's paths.
    pub path: usize,
    /// Which of the paths to its destination the path is; see [`slots`](super::slots).
    pub slot: u16,
    /// Index into the plan's variants; a plan has few.
    pub(super) variant: u16,
    /// Counts the points of the test's parameters but the size.
    pub(super) point: usize,
}

/// One point of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Index into the schedule's rows.
    pub row: usize,
    /// The size, where the test sets one.
    pub(super) size: Option<u64>,
}

/// Names a cell: `<test>/<path>` and, where the test sweeps, `/<param>=<value>,…`. The same for
/// the same plan. Under a variant that is not the base the path is `<path>@<variant>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CellId(pub String);

impl Row {
    /// Index into the plan's variants; 0 in a plan without.
    #[must_use]
    pub fn variant(&self) -> usize {
        usize::from(self.variant)
    }
}

impl CellId {
    /// The name of its test.
    #[must_use]
    pub fn test(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The same cell under another variant, `None` for the base.
    #[must_use]
    pub fn under(&self, variant: Option<&str>) -> CellId {
        let mut parts: Vec<String> = self.0.splitn(3, '/').map(str::to_owned).collect();
        if let Some(path) = parts.get_mut(1) {
            let plain = path.split(VARIANT_MARK).next().unwrap_or_default();
            *path = match variant {
                Some(variant) => format!("{plain}{VARIANT_MARK}{variant}"),
                None => plain.to_owned(),
            };
        }
        CellId(parts.join("/"))
    }
}

impl Axes {
    /// How many rows a path has.
    pub fn points(&self) -> usize {
        self.lines.iter().map(|(_, values)| values.len()).product()
    }

    /// The values at a point, the last parameter fastest.
    pub fn at(&self, mut point: usize) -> Vec<(Param, u64)> {
        let mut values = Vec::with_capacity(self.lines.len() + 1);
        for (param, all) in self.lines.iter().rev() {
            let at = point % all.len().max(1);
            point /= all.len().max(1);
            values.extend(all.get(at).map(|value| (*param, *value)));
        }
        values.reverse();
        values
    }

    fn is_swept(&self, param: Param) -> bool {
        let mut axes = self.lines.iter().chain(&self.size);
        axes.any(|(axis, values)| *axis == param && values.len() > 1)
    }
}

impl Schedule {
    /// The variants that are measured, as indexes into the plan's; 0 in a plan without.
    #[must_use]
    pub fn variants(&self) -> BTreeSet<usize> {
        let rows = self.cells.iter().filter_map(|cell| self.rows.get(cell.row));
        rows.map(Row::variant).collect()
    }

    /// What a cell sets.
    #[must_use]
    pub fn params(&self, cell: &Cell) -> Params {
        let Some((row, axes)) = self.row_and_axes(cell.row) else {
            return Params::default();
        };
        let mut params = axes.at(row.point);
        params.extend(self.size(cell));
        Params(params)
    }

    /// The size that a cell sets, which is what tells it from the others of its row.
    #[must_use]
    pub fn size(&self, cell: &Cell) -> Option<(Param, u64)> {
        let (_, axes) = self.row_and_axes(cell.row)?;
        let (param, _) = axes.size.as_ref()?;
        Some((*param, cell.size?))
    }

    /// The name of a cell of this plan.
    #[must_use]
    pub fn id(&self, plan: &Plan, cell: &Cell) -> CellId {
        let mut id = String::with_capacity(64);
        let Some((row, axes)) = self.row_and_axes(cell.row) else {
            return CellId(id);
        };
        if let (Some(test), Some(path)) = (plan.tests.get(row.test), plan.paths.get(row.path)) {
            id.extend([&*test.name, "/", &*path.name]);
        }
        let params = self.params(cell);
        let swept = params.0.iter().filter(|(param, _)| axes.is_swept(*param));
        for (nth, (param, value)) in swept.enumerate() {
            let separator = if nth == 0 { '/' } else { ',' };
            let _ = write!(id, "{separator}{param}={}", param.plain(*value));
        }
        CellId(id)
    }

    /// The label of a row of this plan, like in nptest's CSV, without the number: `iperf TCP. Same
    /// VM using Pod IP`, and what else tells it from others of the same path.
    #[must_use]
    pub fn label(&self, plan: &Plan, row: &Row) -> String {
        let mut label = String::new();
        if let (Some(test), Some(path)) = (plan.tests.get(row.test), plan.paths.get(row.path)) {
            label.extend([&*test.label, " ", &*path.label]);
        }
        let Some(axes) = self.axes_of(row) else {
            return label;
        };
        let point = axes.at(row.point);
        for (param, value) in point.iter().filter(|(param, _)| axes.is_swept(*param)) {
            let _ = write!(label, " {param}={}", param.plain(*value));
        }
        label
    }

    fn row_and_axes(&self, row: usize) -> Option<(&Row, &Axes)> {
        let row = self.rows.get(row)?;
        Some((row, self.axes_of(row)?))
    }

    fn axes_of(&self, row: &Row) -> Option<&Axes> {
        self.axes.get(row.test)?.get(row.variant())
    }
}
