//! What a run needs of the place where it is to run, looked at before anything starts. `doctor` prints the
//! findings; `run` stops at their problems, all at once.

use anyhow::anyhow;

use super::local_cluster;
use super::prepare::Prepared;
use crate::cli::error::{CliError, list};
use crate::cli::terminal::printer;
use crate::cluster::Finding;
use crate::diag::Problem;
use crate::plan::Local;
use crate::tools::{self, Tool};

/// Everything that was found out about the place where a run is to run.
#[derive(Debug, Default)]
pub(in crate::cli) struct Checkup {
    /// A problem here keeps the run from starting.
    pub place: Vec<Finding>,
    /// One for each tool, by its name. A problem here leaves out the cells of the tool.
    pub tools: Vec<Finding>,
}

impl Checkup {
    /// This machine, as far as a plan with these settings and so many workers needs it.
    pub fn for_machine(settings: &Local, workers: usize, tools: &[Box<dyn Tool>]) -> Self {
        // The orchestrator has a pod too.
        let pods = workers + 1;
        let mut checkup = Self {
            place: local_cluster::preflight(settings, pods),
            tools: Vec::new(),
        };
        for tool in tools {
            if checkup.tool(tool.name()).is_none() {
                checkup
                    .tools
                    .push(local_cluster::tool_finding(tool.as_ref()));
            }
        }
        checkup
    }

    /// This machine, as far as a run needs it.
    pub fn for_local_run(prepared: &Prepared) -> Self {
        let Prepared { plan, schedule, .. } = prepared;
        let tests = schedule.rows.iter().map(|row| &plan.tests[row.test]);
        let tools: Vec<_> = tests.map(|test| tools::from_spec(&test.tool)).collect();
        let mut checkup = Self::for_machine(&plan.local, plan.workers.len(), &tools);
        checkup.place.extend(local_support(prepared));
        checkup
    }

    /// What was found out about a tool.
    fn tool(&self, name: &str) -> Option<&Finding> {
        self.tools.iter().find(|finding| finding.subject == name)
    }

    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.place.iter().chain(&self.tools)
    }

    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.findings().flat_map(Finding::problems)
    }

    /// Says what would be in the way of the run.
    pub fn warn(&self) {
        if self.problems().next().is_some() {
            printer::warning(&format!(
                "not everything is here yet:{}",
                list(self.problems())
            ));
        }
    }

    /// Fails when the run could not start or would measure nothing, with all that is in the way; warns of the
    /// cells that it will leave out. `place` completes "… cannot run this yet".
    pub fn judge(&self, place: &str, prepared: &Prepared) -> Result<(), CliError> {
        if self.place.iter().any(|finding| finding.result.is_err()) {
            return Err(anyhow!("{place} cannot run this yet:{}", list(self.problems())).into());
        }
        let Prepared { plan, schedule, .. } = prepared;
        let is_left_out = |row: usize| {
            let tool = tools::from_spec(&plan.tests[schedule.rows[row].test].tool);
            let finding = self.tool(tool.name());
            finding.is_some_and(|finding| finding.result.is_err())
        };
        let cells = schedule.cells.len();
        let left_out = schedule.cells.iter().filter(|cell| is_left_out(cell.row));
        match left_out.count() {
            0 => Ok(()),
            count if count == cells => {
                Err(anyhow!("nothing could be measured:{}", list(self.problems())).into())
            }
            count => {
                printer::warning(&format!(
                    "{count} of {cells} cells will not be measured:{}",
                    list(self.problems())
                ));
                Ok(())
            }
        }
    }
}

/// Whether the local cluster supports all that a plan says.
pub(in crate::cli) fn local_support(prepared: &Prepared) -> [Finding; 2] {
    let Prepared {
        plan,
        schedule,
        manifests,
        ..
    } = prepared;
    [
        local_cluster::placement(manifests, plan),
        local_cluster::settings(plan, &schedule.variants(), manifests),
    ]
}
