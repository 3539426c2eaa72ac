//! The warnings of a report: on how many cells, how bad, and what each means.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::{CellReport, CellState, Report};
use crate::diag;
use crate::results::warnings::Kind;
use crate::schedule::{CellId, Param};
use crate::tools::name;

/// The warnings of a report.
#[derive(Debug)]
pub struct Warnings {
    /// In the order of [`Kind`].
    pub groups: Vec<Group>,
    /// Cells that were measured.
    pub measured: usize,
    by_cell: BTreeMap<CellId, BTreeSet<Kind>>,
}

/// All warnings of a kind.
#[derive(Debug)]
pub struct Group {
    pub kind: Kind,
    /// How many cells have it.
    pub cells: usize,
    /// What it means for the figures.
    pub means: &'static str,
    /// The figures of the worst of them.
    pub worst: String,
    /// The number that cells are marked with. `None` for a warning on more than half of the cells: a
    /// mark on each of them would hide the others.
    pub number: Option<usize>,
}

impl Warnings {
    #[must_use]
    pub fn from_report(report: &Report) -> Warnings {
        let mut by_cell: BTreeMap<CellId, BTreeSet<Kind>> = BTreeMap::new();
        let mut worst: BTreeMap<Kind, (f64, String)> = BTreeMap::new();
        let mut take = |cell: &CellReport, kind: Kind, severity: f64, figures: String| {
            by_cell.entry(cell.id.clone()).or_default().insert(kind);
            if worst
                .get(&kind)
                .is_none_or(|(so_far, _)| severity > *so_far)
            {
                worst.insert(kind, (severity, figures));
            }
        };
        let measured = report
            .cells
            .iter()
            .filter(|cell| matches!(cell.state, CellState::Measured | CellState::Partial));
        for cell in measured.clone() {
            for warning in cell.counted().flat_map(|sample| &sample.warnings) {
                take(cell, warning.kind(), warning.severity(), warning.figures());
            }
        }
        for (effective, cells) in collapsed(report) {
            for cell in &cells {
                let figures = format!("{} points at {effective} bytes", cells.len());
                take(cell, Kind::MssCollapsed, cells.len() as f64, figures);
            }
        }
        let local = report.environment.cluster.as_ref();
        let local = local.is_some_and(|cluster| cluster.kind == "local");
        let measured = measured.count();
        let mut numbers = 0;
        let groups = worst.into_iter().map(|(kind, (_, worst))| {
            let cells = by_cell.values().filter(|kinds| kinds.contains(&kind));
            let cells = cells.count();
            let number = (2 * cells <= measured).then(|| {
                numbers += 1;
                numbers
            });
            Group {
                kind,
                cells,
                means: if local {
                    on_one_machine(kind, report.plan.local.links.rate.is_some())
                } else {
                    kind.means()
                },
                worst,
                number,
            }
        });
        Warnings {
            groups: groups.collect(),
            measured,
            by_cell,
        }
    }

    /// The warnings of a cell.
    #[must_use]
    pub fn kinds(&self, cell: &CellReport) -> Vec<Kind> {
        let kinds = self.by_cell.get(&cell.id);
        kinds.into_iter().flatten().copied().collect()
    }

    /// Each kind's title, and on how many cells, how bad and what it means.
    pub fn in_short(&self) -> impl Iterator<Item = (&'static str, String)> {
        let measured = diag::count(self.measured, "cell");
        self.groups.iter().map(move |group| {
            let (cells, worst, means) = (group.cells, &group.worst, group.means);
            (
                group.kind.title(),
                format!("on {cells} of {measured}, at worst {worst}: {means}"),
            )
        })
    }
}

/// What a warning means where all nodes are emulated on one machine, by links with a rate or without.
fn on_one_machine(kind: Kind, limited: bool) -> &'static str {
    match kind {
        Kind::CpuSaturated if limited => {
            "all emulated nodes share this machine's CPUs, so a figure below what the links allow may be the \
             machine's: let nothing else run, or lower `local.links.rate`"
        }
        Kind::CpuSaturated => {
            "all emulated nodes share this machine's CPUs, and no link holds them back: compare the paths \
             with each other, not with a network, or set a `local.links.rate` that the machine can fill"
        }
        Kind::Offloaded => {
            "packets of up to 64 KiB cross the path whatever the MSS; only a link with a rate counts \
             each segment, elsewhere the sweep says little about it"
        }
        other => other.means(),
    }
}

/// Cells of one row that asked for different MSS and got the same: by row and effective MSS.
fn collapsed(report: &Report) -> Vec<(u64, Vec<&CellReport>)> {
    let mut same: BTreeMap<(usize, u64), Vec<&CellReport>> = BTreeMap::new();
    for cell in &report.cells {
        let effective = cell.measured(name::EFFECTIVE_MSS);
        if let (Some(_), Some(effective)) = (cell.params.get(Param::Mss), effective) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a segment's size; from a journal that says otherwise it saturates"
            )]
            let effective = effective.median.round() as u64;
            same.entry((cell.row, effective)).or_default().push(cell);
        }
    }
    same.into_iter()
        .filter(|(_, cells)| cells.len() > 1)
        .map(|((_, effective), cells)| (effective, cells))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_processor_is_explained_by_where_it_is() {
        let unlimited = on_one_machine(Kind::CpuSaturated, false);
        let limited = on_one_machine(Kind::CpuSaturated, true);
        let of_nodes = Kind::CpuSaturated.means();
        assert!(
            unlimited.contains("compare the paths") && unlimited.contains("`local.links.rate`")
        );
        assert!(limited.contains("lower `local.links.rate`"));
        assert!(!of_nodes.contains("local") && of_nodes.contains("CPUs"));
        assert_eq!(on_one_machine(Kind::Loopback, true), Kind::Loopback.means());
    }
}
