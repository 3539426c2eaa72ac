//! The command lines of a schedule, before any address is known.

use std::collections::HashMap;

use super::failure::Failure;
use super::loads::{LoadTool, loads};
use super::registry::from_spec;
use super::tool::{Client, Job, Server, Tool};
use crate::plan::{Path, Plan, Test, Via};
use crate::schedule::search::{self, Step};
use crate::schedule::{Cell, CellId, Param, Params, Row, Schedule};

/// What one sample of a cell runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellCommands<'a> {
    pub row: &'a Row,
    pub id: CellId,
    /// Runs on the path's destination.
    pub server: Server,
    /// Runs on the path's origin. Its target is a word: `<w2 pod IP>` or `<w2 cluster IP>`.
    pub client: Client,
    /// What runs around it.
    pub loads: Vec<LoadCommands>,
    /// Why there are no command lines.
    pub refused: Option<Failure>,
}

/// What a load of a sample runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadCommands {
    /// Index into the plan's paths.
    pub path: usize,
    pub server: Server,
    pub client: Client,
}

/// A tool of a test in a variant, with the test's loads.
struct Used {
    tool: Box<dyn Tool>,
    loads: Vec<LoadTool>,
}

impl Used {
    fn new(plan: &Plan, test: &Test, variant: usize) -> Used {
        Used {
            tool: from_spec(plan.tool(test, variant)),
            loads: loads(plan, test, variant),
        }
    }
}

/// The exact command lines of each cell's first sample, as the plan lists the cells.
pub fn commands<'a>(
    plan: &'a Plan,
    schedule: &'a Schedule,
) -> impl Iterator<Item = CellCommands<'a>> {
    let mut tools: HashMap<(usize, usize), Used> = HashMap::new();
    schedule.cells.iter().filter_map(move |cell| {
        let row = schedule.rows.get(cell.row)?;
        let test = plan.tests.get(row.test)?;
        let used = tools.entry((row.test, row.variant()));
        let used = used.or_insert_with(|| Used::new(plan, test, row.variant()));
        commands_at(plan, schedule, cell, used)
    })
}

/// The same of the cell of this id.
#[must_use]
pub fn commands_of_cell<'a>(
    plan: &'a Plan,
    schedule: &'a Schedule,
    id: &CellId,
) -> Option<CellCommands<'a>> {
    // Ids are only made for cells of the same test: of a million cells that takes too long.
    let is_of_test = |cell: &&Cell| {
        let row = schedule.rows.get(cell.row);
        let test = row.and_then(|row| plan.tests.get(row.test));
        test.is_some_and(|test| test.name == id.test())
    };
    let mut cells = schedule.cells.iter().filter(is_of_test);
    let cell = cells.find(|cell| schedule.id(plan, cell) == *id)?;
    let row = schedule.rows.get(cell.row)?;
    let used = Used::new(plan, plan.tests.get(row.test)?, row.variant());
    commands_at(plan, schedule, cell, &used)
}

fn commands_at<'a>(
    plan: &'a Plan,
    schedule: &'a Schedule,
    cell: &Cell,
    Used { tool, loads }: &Used,
) -> Option<CellCommands<'a>> {
    let row = schedule.rows.get(cell.row)?;
    let target = target(plan.paths.get(row.path)?);
    let params = first_params(plan.tests.get(row.test)?, schedule.params(cell));
    let job = Job::for_row(plan, row, &params, &target)?;
    Some(CellCommands {
        row,
        id: schedule.id(plan, cell),
        server: tool.server(&job),
        client: tool.client(&job),
        loads: loads
            .iter()
            .filter_map(|load| load_commands(plan, load))
            .collect(),
        refused: tool.check(&job).err(),
    })
}

fn load_commands(plan: &Plan, load: &LoadTool) -> Option<LoadCommands> {
    let target = target(plan.paths.get(load.path)?);
    let job = load.job(&target);
    Some(LoadCommands {
        path: load.path,
        server: load.tool.server(&job),
        client: load.tool.client(&job),
    })
}

/// What stands for the address of a path's destination.
fn target(path: &Path) -> String {
    match path.via {
        Via::PodIp => format!("<{} pod IP>", path.to),
        Via::ClusterIp => format!("<{} cluster IP>", path.to),
        Via::Host => format!("<{} node IP>", path.to),
    }
}

/// The parameters of a cell's first sample: a search begins with a rate that is known.
fn first_params(test: &Test, mut params: Params) -> Params {
    if let Some(find) = &test.find
        && let Step::Probe(rate_bps) = search::next(find, test.timing.repeat.least(), &[])
    {
        params.0.push((Param::Rate, rate_bps));
    }
    params
}
