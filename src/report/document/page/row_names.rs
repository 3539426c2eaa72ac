//! Names of rows and lines: what tells a cell from others of its chart.

use std::collections::BTreeSet;

use crate::report::document::headline::{others, path_name, varying};
use crate::report::{CellReport, Report};
use crate::schedule::Param;

/// What differs among the cells of a chart. It is found once for all of them.
#[derive(Debug)]
pub struct RowNames {
    varying: BTreeSet<Param>,
    has_sizes: bool,
}

impl RowNames {
    pub fn new(cells: &[&CellReport]) -> RowNames {
        let sizes: BTreeSet<Option<u64>> = cells.iter().map(|cell| cell.params.size()).collect();
        RowNames {
            varying: varying(cells),
            has_sizes: sizes.len() > 1,
        }
    }

    /// The parameters that tell the cell from others, but for its size: `streams=4`; may be empty.
    pub fn others(&self, cell: &CellReport) -> String {
        others(cell, &self.varying)
    }

    /// The path, and what tells the cell from others of it.
    pub fn name(&self, report: &Report, cell: &CellReport) -> String {
        self.extend(path_name(report, cell.row).to_owned(), cell)
    }

    /// The name, and what tells the cell from others of that name.
    pub fn extend(&self, mut name: String, cell: &CellReport) -> String {
        let others = self.others(cell);
        if !others.is_empty() {
            name = format!("{name} {others}");
        }
        match cell.params.size() {
            Some(size) if self.has_sizes => format!("{name} {size}"),
            _ => name,
        }
    }
}
