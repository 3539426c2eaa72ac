//! `netplan doctor`: can this cluster, or this machine, run it? What is missing, and what helps.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, Exit};
use super::prepare::Prepared;
use super::target::{Target, TargetArgs};
use super::{plan_args, preflight, printer};
use crate::cluster::kubernetes::Access;
use crate::cluster::local;
use crate::diag::Source;
use crate::plan::{self, Plan};
use crate::render::Templates;
use crate::schedule::{Schedule, Selection};
use crate::tools::{self, Tool};

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
    plan: Option<PathBuf>,

    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn execute(args: &DoctorArgs) -> Result<Exit, CliError> {
    let plan = args
        .plan
        .as_deref()
        .map(|file| plan_args::load(file, &[]))
        .transpose()?;
    let runtime = super::runtime()?;
    let mut list = List::default();
    match runtime.block_on(args.target.resolve())? {
        Target::Local => this_machine(plan.as_ref(), &mut list),
        Target::Kubernetes(access) => {
            let mut plan = match plan {
                Some(plan) => plan,
                None => plan::load(Source::new("netplan init", plan::init_text()), &[])?,
            };
            if let Some(namespace) = &args.target.kubernetes.namespace {
                plan.kubernetes.namespace.clone_from(namespace);
            }
            runtime.block_on(cluster(&access, plan, &mut list))?;
        }
    }
    printer::results(&list.text)?;
    Ok(if list.is_bad {
        Exit::CouldNotRun
    } else {
        Exit::Well
    })
}

/// What was looked at, a line each.
#[derive(Default)]
struct List {
    text: String,
    is_bad: bool,
}

impl List {
    fn well(&mut self, what: &str, words: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "✓ {what}: {words}");
    }

    fn bad(&mut self, what: &str, trouble: &impl std::fmt::Display) {
        self.is_bad = true;
        let _ = writeln!(self.text, "✗ {what}: {trouble}");
    }
}

async fn cluster(access: &Access, plan: Plan, list: &mut List) -> Result<(), CliError> {
    let schedule = Schedule::of(&plan, &Selection::all());
    let prepared = Prepared::of(plan, schedule, None, None, &Templates::embedded())?;
    let namespace = &prepared.run.namespace;
    for finding in access.checkup(namespace, &prepared.manifests).await {
        if finding.troubles.is_empty() {
            list.well(finding.subject, &finding.words);
        }
        for trouble in &finding.troubles {
            list.bad(finding.subject, trouble);
        }
    }
    Ok(())
}

fn this_machine(plan: Option<&Plan>, list: &mut List) {
    let settings = plan.map(|plan| plan.local.clone()).unwrap_or_default();
    let needed: Vec<Box<dyn Tool>> = match plan {
        Some(plan) => {
            let tests = plan.tests.iter();
            tests.map(|test| tools::of(&test.tool)).collect()
        }
        None => tools::all().into(),
    };
    let troubles = local::preflight(Path::new(preflight::PROGRAM), &settings);
    if troubles.is_empty() {
        list.well("local cluster", "ready");
    }
    for trouble in troubles {
        list.bad("local cluster", &trouble);
    }
    let mut seen = Vec::new();
    for tool in &needed {
        if !seen.contains(&tool.name()) {
            seen.push(tool.name());
            match preflight::missing(tool.as_ref()) {
                Some(trouble) => list.bad(tool.name(), &trouble),
                None => list.well(tool.name(), "ready"),
            }
        }
    }
}
