//! The command lines of a schedule, before any address is known.

use super::{Client, Job, Server};
use crate::plan::{Plan, Via};
use crate::schedule::{CellId, Row, Schedule};

/// What one sample of a cell runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellCommands<'a> {
    pub row: &'a Row,
    pub id: CellId,
    /// Runs on the path's destination.
    pub server: Server,
    /// Runs on the path's origin. Its target is a word: `<w2 pod IP>` or `<w2 cluster IP>`.
    pub client: Client,
}

/// The exact command lines of each cell, in the order in which they run.
pub fn commands<'a>(
    plan: &'a Plan,
    schedule: &'a Schedule,
) -> impl Iterator<Item = CellCommands<'a>> {
    schedule.cells.iter().filter_map(|cell| {
        let row = schedule.rows.get(cell.row)?;
        let tool = super::of(&plan.tests.get(row.test)?.tool);
        let path = plan.paths.get(row.path)?;
        let target = match path.via {
            Via::PodIp => format!("<{} pod IP>", path.to),
            Via::ClusterIp => format!("<{} cluster IP>", path.to),
            Via::Host => format!("<{} node IP>", path.to),
        };
        let params = schedule.params(cell);
        let job = Job::of(plan, row, &params, &target)?;
        Some(CellCommands {
            row,
            id: schedule.id(plan, cell),
            server: tool.server(&job),
            client: tool.client(&job),
        })
    })
}
