//! `netplan schedule`: the cells in order, each with its exact command lines.

use std::fmt::Write as _;

use clap::Args;

use super::error::{CliError, Exit};
use super::plan_args::{PlanArgs, SelectionArgs};
use super::printer;
use super::progress::span;
use crate::tools;

/// Print the cells in order, each with its exact command lines; how many, and how long they take
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan schedule plans/default.yaml
  netplan schedule plans/default.yaml --only path=hairpin")]
pub(super) struct ScheduleArgs {
    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    selection: SelectionArgs,
}

pub(super) fn execute(args: &ScheduleArgs) -> Result<Exit, CliError> {
    let plan = args.plan.load()?;
    let schedule = args.selection.schedule(&plan)?;
    let mut text = String::new();
    for (index, cell) in tools::commands(&plan, &schedule).enumerate() {
        let path = &plan.paths[cell.row.path];
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{} {}", index + 1, cell.cell.id.0);
        let _ = writeln!(text, "    on {}: {}", path.to, shell(&cell.server.argv));
        if !cell.client.warmup_argv.is_empty() {
            let _ = writeln!(
                text,
                "    on {}: {}",
                path.from,
                shell(&cell.client.warmup_argv)
            );
        }
        let _ = writeln!(text, "    on {}: {}", path.from, shell(&cell.client.argv));
    }
    let _ = writeln!(
        text,
        "{} cells in {} rows; about {}",
        schedule.cells.len(),
        schedule.rows.len(),
        span(tools::forecast(&plan, &schedule))
    );
    printer::results(&text)?;
    Ok(Exit::Well)
}

/// A command line as a person would type it.
fn shell(argv: &[String]) -> String {
    argv.join(" ")
}
