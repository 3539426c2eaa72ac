//! `netplan doctor`: can this cluster, or this machine, run it? What is missing, and what helps.

use std::path::PathBuf;

use clap::Args;

use super::preflight::Checkup;
use super::target::{Target, TargetArgs};
use super::{prepare, probe};
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::help::invocation::Invocation;
use crate::cli::plan::plan_args;
use crate::cli::terminal::printer;
use crate::diag::Source;
use crate::plan::{self, Local};
use crate::tools;

/// Check whether plans can run: what is missing, and how to fix it
///
/// Examines what `run` would use: the Kubernetes cluster of the current kubeconfig, or else this machine.
/// Creates nothing there, unless with `--probe`. The exit code is 1 if anything is missing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan doctor
  netplan doctor my-plan.yaml      examines what this plan needs: nodes, emulated links, tools
  netplan doctor --on local        examines this machine, whatever the kubeconfig says
  netplan doctor --context kind-dev --namespace bench
  netplan doctor --probe           starts a pod on each node, and says what they reach of each other

Exit codes: 0 success; 1 something is missing; 2 the command line or the plan is wrong.")]
pub(in crate::cli) struct DoctorArgs {
    /// Examine what this plan needs; `-` reads standard input [default: the plan of `netplan init`]
    #[arg(add = complete::plans())]
    plan: Option<PathBuf>,

    /// Also start a pod on each node that can take one, try pod IPs, cluster IPs, DNS names and full packets
    /// between all of them, and remove the pods
    #[arg(long = "probe")]
    probes: bool,

    /// The image of these pods [default: the plan's]
    #[arg(long, value_name = "IMAGE", requires = "probes")]
    image: Option<String>,

    #[command(flatten)]
    target: TargetArgs,
}

/// Without a plan: as many as most plans have.
const WORKERS: usize = 3;

pub(in crate::cli) fn execute(args: &DoctorArgs) -> Result<Exit, CliError> {
    let plan = args
        .plan
        .as_deref()
        .map(|file| plan_args::load_file(file, &[]))
        .transpose()?;
    let runtime = crate::cli::runtime()?;
    let is_given = plan.is_some();
    let mut plan = match plan {
        Some(plan) => plan,
        None => plan::load_file(
            &plan::Alone,
            Source::new(
                "netplan init",
                plan::init_text().map_err(anyhow::Error::from)?,
            ),
            &[],
        )?,
    };
    if let Some(namespace) = &args.target.namespace {
        plan.kubernetes.namespace.clone_from(namespace);
    }
    let target = runtime.block_on(args.target.resolve(&plan.kubernetes.namespace))?;
    if let Some(image) = &args.image {
        plan.kubernetes.image = Some(image.clone());
    }
    let checkup = match &target {
        Target::Local if !is_given => {
            Checkup::for_machine(&Local::default(), WORKERS, &tools::built_in())
        }
        target => {
            let mut prepared = prepare::whole(&plan)?;
            if let Target::Kubernetes(_) = target {
                prepared.patch_pods()?;
            }
            runtime.block_on(async {
                let mut checkup = target.checkup(&prepared).await;
                let answers = checkup.place.first().is_some_and(|one| one.result.is_ok());
                if let (Target::Kubernetes(connection), true) = (&target, answers) {
                    let (run, manifests) = (&prepared.run, &prepared.manifests);
                    let platform = connection.platform(&run.namespace, manifests).await;
                    checkup.place.extend(platform);
                }
                checkup
            })
        }
    };
    let lines: String = checkup.findings().map(ToString::to_string).collect();
    printer::results(&Invocation::current().localize(&lines))?;
    // A tool that is missing keeps no packet back.
    if args.probes && checkup.place.iter().all(|finding| finding.result.is_ok()) {
        let probed = runtime.block_on(probe::probe(&plan, target))?;
        match probed {
            None => return Ok(Exit::Interrupted),
            Some(false) => return Ok(Exit::CouldNotRun),
            Some(true) => {}
        }
    }
    Ok(if checkup.problems().next().is_some() {
        Exit::CouldNotRun
    } else {
        Exit::Well
    })
}
