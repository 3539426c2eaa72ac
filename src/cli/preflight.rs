//! What the local cluster and the tools need of this machine, looked at before a run starts.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::anyhow;

use super::error::CliError;
use super::prepare::Prepared;
use super::printer;
use crate::cluster::{Trouble, local};
use crate::plan::Test;
use crate::tools::{self, Tool};

/// This program, for the parts of the local cluster that it starts itself as.
pub(super) const PROGRAM: &str = "/proc/self/exe";

/// Fails when the run could not start or would measure nothing; warns of what it will leave out.
pub(super) fn check(prepared: &Prepared) -> Result<(), CliError> {
    let Prepared {
        plan,
        schedule,
        manifests,
        ..
    } = prepared;
    local::plan(manifests, &plan.local).map_err(anyhow::Error::from)?;
    let troubles = local::preflight(Path::new(PROGRAM), &plan.local);
    if !troubles.is_empty() {
        let each: Vec<String> = troubles
            .iter()
            .map(|trouble| format!("  - {trouble}"))
            .collect();
        let each = each.join("\n");
        return Err(anyhow!("this machine cannot run the local cluster yet:\n{each}").into());
    }
    let without = |test: &Test| missing_tool(test).is_some();
    let test_of = |row: usize| &plan.tests[schedule.rows[row].test];
    let skipped = schedule
        .cells
        .iter()
        .filter(|cell| without(test_of(cell.row)))
        .count();
    let missing: BTreeSet<String> = schedule
        .rows
        .iter()
        .filter_map(|row| missing_tool(&plan.tests[row.test]))
        .map(|trouble| trouble.to_string())
        .collect();
    let missing = missing.into_iter().collect::<Vec<_>>().join("\n  ");
    if skipped == schedule.cells.len() {
        return Err(anyhow!("nothing could be measured: {missing}").into());
    }
    if skipped > 0 {
        printer::warning(&format!(
            "{missing}\n  going on without: {skipped} of {} cells will not be measured",
            schedule.cells.len()
        ));
    }
    Ok(())
}

fn missing_tool(test: &Test) -> Option<Trouble> {
    missing(tools::of(&test.tool).as_ref())
}

/// What a tool lacks on this machine.
pub(super) fn missing(tool: &dyn Tool) -> Option<Trouble> {
    let programs = tool.programs();
    let program = programs.iter().find(|program| !local::found(**program))?;
    let package = program.package;
    let help = match (package, tool.install()) {
        // Its licence keeps it out of the main archive.
        ("netperf", _) => {
            "install it: sudo apt-get install netperf (Debian 12 has it in the component \
                      `non-free`, Ubuntu in `multiverse`, which may have to be enabled)"
                .to_owned()
        }
        ("", Some(how)) => format!("install it: {how}"),
        ("", None) => "install it, or put it on the `PATH`".to_owned(),
        (package, _) => format!("install it: sudo apt-get install {package}"),
    };
    Some(Trouble {
        what: format!("`{}` is not installed", program.name),
        help,
    })
}
