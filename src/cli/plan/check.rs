//! `netplan check`: says whether a plan is right, and whether a kind of cluster supports it.

use anyhow::Context;
use clap::Args;

use super::plan_args::PlanArgs;
use crate::cli::during;
use crate::cli::error::{CliError, Exit, list};
use crate::cli::measure::preflight::local_support;
use crate::cli::measure::prepare;
use crate::cli::measure::target::On;
use crate::cli::terminal::printer;
use crate::cluster::Finding;
use crate::diag::count;
use crate::plan::PlanFile;
use crate::schedule::{Schedule, Selection};

/// Check a plan: show every problem at once, each with its place and what to do
///
/// If the plan is right, prints one line to stderr, and the plan with `--resolved`. If it is not, the exit code is 2.
///
/// `--on` asks whether that kind of cluster supports all that the plan says. It looks at no cluster: `netplan doctor PLAN` does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan check my-plan.yaml
  netplan check my-plan.yaml --on local
  netplan check my-plan.yaml --set defaults.duration=2s
  cat my-plan.yaml | netplan check -
  netplan check my-plan.yaml --resolved")]
pub(in crate::cli) struct CheckArgs {
    #[command(flatten)]
    plan: PlanArgs,

    /// Also check that this kind of cluster supports the plan
    #[arg(long, value_enum)]
    on: Option<On>,

    /// Print the resolved plan: with extended plans, variables and every default
    #[arg(long)]
    resolved: bool,
}

pub(in crate::cli) fn execute(args: &CheckArgs) -> Result<Exit, CliError> {
    let file = args.plan.load_file()?;
    if let Some(on) = args.on {
        check_support(&file, on)?;
    } else if file
        .variants
        .values()
        .any(|variant| !variant.objects.is_empty())
    {
        // What their files hold shows when they are rendered.
        prepare::whole(&file)?;
    }
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

/// Fails when a kind of cluster does not support what the plan says.
fn check_support(file: &PlanFile, on: On) -> Result<(), CliError> {
    let mut prepared = prepare::whole(file)?;
    if on == On::Kubernetes {
        during::needs_local(&prepared.plan)?;
        return prepared.patch_pods();
    }
    let findings = local_support(&prepared);
    let mut problems = findings.iter().flat_map(Finding::problems).peekable();
    if problems.peek().is_none() {
        return Ok(());
    }
    let text = format!(
        "the local cluster does not support this plan:{}",
        list(problems)
    );
    Err(CliError::Usage(text))
}
