//! `netplan check`: diagnostics, and nothing else.

use anyhow::Context;
use clap::Args;

use super::plan_args::PlanArgs;
use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::diag::count;
use crate::schedule::{Schedule, Selection};

/// Check a plan: show every problem at once, each with its place and what to do
///
/// If the plan is right, prints one line to stderr, and the plan with `--resolved`. If it is not, the exit code is 2.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan check my-plan.yaml
  netplan check my-plan.yaml --set defaults.duration=2s
  cat my-plan.yaml | netplan check -
  netplan check my-plan.yaml --resolved")]
pub(in crate::cli) struct CheckArgs {
    #[command(flatten)]
    plan: PlanArgs,

    /// Print the resolved plan: with extended plans, variables and every default
    #[arg(long)]
    resolved: bool,
}

pub(in crate::cli) fn execute(args: &CheckArgs) -> Result<Exit, CliError> {
    let file = args.plan.load_file()?;
    if args.resolved {
        let text = file.to_yaml().context("cannot write the resolved plan")?;
        printer::results(&text)?;
    }
    let plan = file.expand();
    let schedule = Schedule::new(&plan, &Selection::all());
    printer::note(&format!(
        "`{}` is right: {}{}, {}, {}, {}",
        plan.name,
        if plan.variants.is_empty() {
            String::new()
        } else {
            format!("{}, ", count(plan.variants.len(), "variant"))
        },
        count(plan.workers.len(), "worker"),
        count(plan.paths.len(), "path"),
        count(plan.tests.len(), "test"),
        count(schedule.cells.len(), "cell")
    ));
    Ok(Exit::Well)
}
