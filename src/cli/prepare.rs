//! From the command line's arguments to a run that only has to be applied.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::error::CliError;
use super::plan_args::{PlanArgs, SelectionArgs};
use crate::plan::Plan;
use crate::render::{Manifest, RunContext, Templates, WorkerPorts, manifests};
use crate::rpc::{Identity, RunIdentities};
use crate::schedule::{Schedule, Selection};
use crate::tools;

#[derive(Debug, Args)]
pub(super) struct PrepareArgs {
    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Take templates from this folder in the place of those that the binary carries
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

/// A run that is ready to be applied.
#[derive(Debug)]
pub(super) struct Prepared {
    pub plan: Plan,
    /// The resolved plan.
    pub plan_text: String,
    pub schedule: Schedule,
    pub run: RunContext,
    pub manifests: Vec<Manifest>,
    /// The command line's own identity in the run.
    pub client: Identity,
}

impl PrepareArgs {
    /// `namespace` takes the place of the plan's.
    pub fn prepare(&self, namespace: Option<&str>) -> Result<Prepared, CliError> {
        let mut plan = self.plan.load()?;
        if let Some(namespace) = namespace {
            namespace.clone_into(&mut plan.kubernetes.namespace);
        }
        let schedule = self.selection.schedule(&plan)?;
        let templates = match &self.templates {
            Some(folder) => Templates::overridden_by(folder)?,
            None => Templates::embedded(),
        };
        make(plan, schedule, &templates, self.selection.only.clone())
    }
}

/// A run of a whole plan, with the templates that the binary carries.
pub(super) fn whole(plan: Plan) -> Result<Prepared, CliError> {
    let schedule = Schedule::of(&plan, &Selection::all());
    make(plan, schedule, &Templates::embedded(), None)
}

fn make(
    plan: Plan,
    schedule: Schedule,
    templates: &Templates,
    only: Option<String>,
) -> Result<Prepared, CliError> {
    let run = RunContext::of(&plan, &new_id()?, only);
    let names: Vec<&str> = plan.workers.keys().map(String::as_str).collect();
    let identities = RunIdentities::issue(&run.id, &names).map_err(anyhow::Error::from)?;
    let ports = tools::Ports::of(&plan);
    let workers: Vec<WorkerPorts<'_>> = plan
        .workers
        .iter()
        .map(|(name, placement)| WorkerPorts {
            name,
            placement,
            host_network: plan.on_host_network(name),
            ports: ports.worker(name),
        })
        .collect();
    let in_pods: Vec<&Identity> = std::iter::once(&identities.orchestrator)
        .chain(&identities.workers)
        .collect();
    let plan_text = plan.to_yaml().context("cannot write the resolved plan")?;
    let manifests = manifests(
        &run,
        &plan.name,
        &plan_text,
        &plan.kubernetes,
        &workers,
        &in_pods,
        &identities.client,
        templates,
    )?;
    Ok(Prepared {
        plan,
        plan_text,
        schedule,
        run,
        manifests,
        client: identities.client,
    })
}

/// A run's id: eight hexadecimal digits at random, so that runs side by side do not meet.
pub(super) fn new_id() -> anyhow::Result<String> {
    let number = getrandom::u32().context("the system gave no random bytes for the run's id")?;
    Ok(format!("{number:08x}"))
}
