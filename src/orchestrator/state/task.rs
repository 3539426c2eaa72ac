//! The cells of a run, each with all that is needed to run it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::table::{CellIndex, Id};
use crate::catalog::Transport;
use crate::plan::{Find, Path, Plan, Test, Timing, ToolSpec};
use crate::results::Circumstances;
use crate::schedule::{Cell, CellId, Member, Param, Params, Row, Schedule, Selection};
use crate::tools::{self, Job, LoadTool, Tool};

/// The cells of a run, in the schedule's order. There may be a million, so what is needed to run one
/// is put together when it is asked for.
#[derive(Debug)]
pub struct Tasks {
    plan: Plan,
    schedule: Schedule,
    /// By test and variant.
    work: Vec<Vec<Work>>,
}

/// A cell with all that is needed to run it.
#[derive(Clone, Copy)]
pub(super) struct Task<'t> {
    of: &'t Tasks,
    cell: &'t Cell,
    row: &'t Row,
    pub path: &'t Path,
    pub work: &'t Work,
}

/// What the cells of a test have in common.
pub(super) struct Work {
    pub timing: Timing,
    /// Its samples are the probes of a search.
    pub find: Option<Find>,
    /// Its samples are compared in pairs with those of other variants.
    pub is_paired: bool,
    pub tool: Box<dyn Tool>,
    /// What runs around each sample.
    pub loads: Vec<LoadTool>,
    /// For warm-up and measurement of one sample together.
    pub deadline: Duration,
    /// It measures at several MSS.
    sweeps_mss: bool,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Work").field(&self.tool.name()).finish()
    }
}

impl Tasks {
    /// The cells of the plan that the selection leaves.
    #[must_use]
    pub fn new(plan: Plan, only: &Selection) -> Self {
        Self::with_tools(
            plan,
            only,
            |_, tool| tools::from_spec(tool),
            |_, _, load| load,
        )
    }

    /// The same with other tools than the plan's.
    pub(super) fn with_tools(
        plan: Plan,
        only: &Selection,
        tool: impl Fn(&Test, &ToolSpec) -> Box<dyn Tool>,
        load: impl Fn(&Test, usize, LoadTool) -> LoadTool,
    ) -> Self {
        let schedule = Schedule::new(&plan, only);
        let sweeps_mss = mss_sweeps(&plan, &schedule);
        let work = plan.tests.iter().zip(sweeps_mss).map(|(test, sweeps_mss)| {
            let work = |variant| {
                let tool = tool(test, plan.tool(test, variant));
                let loads = tools::loads(&plan, test, variant).into_iter().enumerate();
                Work {
                    timing: test.timing.clone(),
                    find: test.find.clone(),
                    is_paired: test.find.is_none() && !plan.variants.is_empty(),
                    deadline: tools::deadline(tool.as_ref(), &test.timing),
                    tool,
                    loads: loads.map(|(nth, found)| load(test, nth, found)).collect(),
                    sweeps_mss,
                }
            };
            (0..plan.variants.len().max(1)).map(work).collect()
        });
        Self {
            work: work.collect(),
            plan,
            schedule,
        }
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// For each cell its place among the same cells of other variants. Empty without variants.
    pub(super) fn members(&self) -> Vec<Member> {
        self.schedule.members(&self.plan)
    }

    /// The workers that cells need.
    #[must_use]
    pub fn workers(&self) -> BTreeSet<String> {
        let rows = &self.schedule.rows;
        let mut has_cells = vec![false; rows.len()];
        for cell in &self.schedule.cells {
            has_cells[cell.row] = true;
        }
        let used = rows.iter().zip(has_cells);
        let used = used.filter_map(|(row, has_cells)| has_cells.then_some(row));
        let paths = used.flat_map(|row| {
            let loads = self.work[row.test][row.variant()].loads.iter();
            loads.map(|load| load.path).chain([row.path])
        });
        let paths = paths.filter_map(|path| self.plan.paths.get(path));
        let ends = paths.flat_map(|path| [path.from.clone(), path.to.clone()]);
        ends.collect()
    }

    /// The cells that are measured at once.
    pub(super) fn together(&self) -> Vec<Vec<CellIndex>> {
        let groups = self.schedule.together(&self.plan).into_iter();
        let cells = |group: Vec<usize>| group.into_iter().map(CellIndex::from_index).collect();
        groups.map(cells).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.schedule.cells.len()
    }

    pub(super) fn at(&self, index: CellIndex) -> Task<'_> {
        // Row, path and test are those of the same plan.
        let cell = &self.schedule.cells[index.index()];
        let row = &self.schedule.rows[cell.row];
        Task {
            of: self,
            cell,
            row,
            path: &self.plan.paths[row.path],
            work: &self.work[row.test][row.variant()],
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (CellIndex, Task<'_>)> {
        let indices = (0..self.len()).map(CellIndex::from_index);
        indices.map(|index| (index, self.at(index)))
    }
}

impl<'t> Task<'t> {
    pub fn id(self) -> CellId {
        self.of.schedule.id(&self.of.plan, self.cell)
    }

    pub fn timing(self) -> &'t Timing {
        &self.work.timing
    }

    pub fn tool(self) -> &'t dyn Tool {
        self.work.tool.as_ref()
    }

    /// The name of its variant; `None` in a plan without variants.
    pub fn variant(self) -> Option<&'t str> {
        self.of.plan.variant_name(self.row.variant())
    }

    /// Index of its path in the plan.
    pub fn path_index(self) -> usize {
        self.row.path
    }

    /// A TCP port on which its tool is reached.
    pub fn tcp_port(self) -> Option<u16> {
        let ports = self.tool().ports(self.row.slot);
        let tcp = ports
            .into_iter()
            .find(|port| port.transport == Transport::Tcp);
        tcp.map(|port| port.number)
    }

    pub fn test(self) -> &'t Test {
        &self.of.plan.tests[self.row.test]
    }

    /// The parameters of a sample, in a search with the rate that it probes.
    pub fn params_at(self, rate_bps: Option<u64>) -> Params {
        let mut params = self.of.schedule.params(self.cell);
        params
            .0
            .extend(rate_bps.map(|rate_bps| (Param::Rate, rate_bps)));
        params
    }

    /// What the plan says of the conditions that warnings depend on.
    pub fn circumstances(self) -> Circumstances {
        let warmup_s = self.timing().warmup.0.as_secs_f64();
        let own_warmup = self.tool().has_warmup();
        Circumstances {
            asked_s: self.timing().duration.0.as_secs_f64(),
            client_warmup_s: if own_warmup { warmup_s } else { 0.0 },
            server_warmup_s: warmup_s,
            sweeps_mss: self.work.sweeps_mss,
            hairpin: self.path.from == self.path.to,
            loaded: !self.work.loads.is_empty(),
            ..Circumstances::default()
        }
    }

    pub fn job<'a>(self, params: &'a Params, target: &'a str) -> Job<'a>
    where
        't: 'a,
    {
        Job {
            params,
            timing: self.timing(),
            target,
            slot: self.row.slot,
        }
    }
}

/// Which tests measure at several MSS.
fn mss_sweeps(plan: &Plan, schedule: &Schedule) -> Vec<bool> {
    let mut sweeps = vec![false; plan.tests.len()];
    let mut first = vec![None; plan.tests.len()];
    for cell in &schedule.cells {
        let test = schedule.rows.get(cell.row).map(|row| row.test);
        if let (Some(test), Some((Param::Mss, mss))) = (test, schedule.size(cell))
            && test < sweeps.len()
        {
            sweeps[test] |= *first[test].get_or_insert(mss) != mss;
        }
    }
    sweeps
}
