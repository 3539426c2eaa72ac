//! `netplan doctor`: can this cluster, or this machine, run it? What is missing, and what helps.

use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, Exit};
use super::invocation::Invocation;
use super::preflight::Checkup;
use super::target::{Target, TargetArgs};
use super::{complete, plan_args, prepare, printer};
use crate::diag::Source;
use crate::plan::{self, Local};
use crate::tools;

/// Say whether plans can run: what is missing, and what helps
///
/// Looks where `run` would run: at the Kubernetes cluster of the current kubeconfig, else at this machine.
/// Nothing is made there. Exit code 1 when anything is missing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan doctor
  netplan doctor my-plan.yaml      looks at what this plan needs: nodes, emulated links, tools
  netplan doctor --on local        looks at this machine, whatever the kubeconfig says
  netplan doctor --context kind-dev --namespace bench

Exit codes: 0 all well; 1 something is missing; 2 the command line or the plan is wrong.")]
pub(super) struct DoctorArgs {
    /// Look at what this plan needs, `-` is standard input [default: that of `netplan init`]
    #[arg(add = complete::plans())]
    plan: Option<PathBuf>,

    #[command(flatten)]
    target: TargetArgs,
}

/// Without a plan: as many as most plans have.
const WORKERS: usize = 3;

pub(super) fn execute(args: &DoctorArgs) -> Result<Exit, CliError> {
    let plan = args
        .plan
        .as_deref()
        .map(|file| plan_args::load(file, &[]))
        .transpose()?;
    let runtime = super::runtime()?;
    let is_given = plan.is_some();
    let mut plan = match plan {
        Some(plan) => plan,
        None => plan::load(Source::new("netplan init", plan::init_text()), &[])?,
    };
    if let Some(namespace) = &args.target.kubernetes.namespace {
        plan.kubernetes.namespace.clone_from(namespace);
    }
    let target = runtime.block_on(args.target.resolve(&plan.kubernetes.namespace))?;
    let checkup = match target {
        Target::Local if !is_given => {
            Checkup::of_machine(&Local::default(), WORKERS, &tools::all())
        }
        target => runtime.block_on(target.checkup(&prepare::whole(plan)?)),
    };
    let lines: String = checkup.findings().map(ToString::to_string).collect();
    printer::results(&Invocation::current().localize(&lines))?;
    Ok(if checkup.problems().next().is_some() {
        Exit::CouldNotRun
    } else {
        Exit::Well
    })
}
