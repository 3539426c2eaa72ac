//! From the command line's arguments to a run that only has to be applied.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::error::CliError;
use super::plan_args::{PlanArgs, SelectionArgs};
use crate::plan::Plan;
use crate::render::{Identities, Manifest, RunContext, Templates, WorkerPorts, manifests};
use crate::rpc::{Identity, RunIdentities};
use crate::schedule::{Schedule, Selection};
use crate::tools;

#[derive(Debug, Args)]
pub(super) struct PrepareArgs {
    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    make: MakeArgs,
}

#[derive(Debug, Args)]
pub(super) struct MakeArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,

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

/// An earlier run that is to go on.
#[derive(Debug)]
pub(super) struct Begun {
    pub id: String,
    pub only: Option<String>,
    /// Its journal, gzipped, in base64.
    pub journal: String,
}

impl PrepareArgs {
    /// `namespace` takes the place of the plan's.
    pub fn prepare(&self, namespace: Option<&str>) -> Result<Prepared, CliError> {
        self.make.prepare(self.plan.load()?, namespace, None)
    }
}

impl MakeArgs {
    /// A new run of the plan, or one that goes on; `namespace` takes the place of the plan's.
    pub fn prepare(
        &self,
        mut plan: Plan,
        namespace: Option<&str>,
        begun: Option<&Begun>,
    ) -> Result<Prepared, CliError> {
        if let Some(namespace) = namespace {
            namespace.clone_into(&mut plan.kubernetes.namespace);
        }
        let selection = match begun {
            Some(begun) => &SelectionArgs {
                only: begun.only.clone(),
            },
            None => &self.selection,
        };
        let schedule = selection.schedule(&plan)?;
        let templates = match &self.templates {
            Some(folder) => Templates::overridden_by(folder)?,
            None => Templates::embedded(),
        };
        Prepared::of(plan, schedule, selection.only.clone(), begun, &templates)
    }
}

impl Prepared {
    /// A run of a plan, with identities of its own, and a new id or that of the run that goes on.
    pub fn of(
        plan: Plan,
        schedule: Schedule,
        only: Option<String>,
        begun: Option<&Begun>,
        templates: &Templates,
    ) -> Result<Self, CliError> {
        let id = begun.map_or_else(new_id, |begun| Ok(begun.id.clone()))?;
        let run = RunContext {
            journal: begun.map(|begun| begun.journal.clone()),
            ..RunContext::from_plan(&plan, &id, only)
        };
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
        let secrets = Identities {
            in_pods: std::iter::once(&identities.orchestrator)
                .chain(&identities.workers)
                .collect(),
            client: &identities.client,
        };
        let plan_text = plan.to_yaml().context("cannot write the resolved plan")?;
        let manifests = manifests(
            &run,
            &plan.name,
            &plan_text,
            &plan.kubernetes,
            &workers,
            &secrets,
            templates,
        )?;
        Ok(Self {
            plan,
            plan_text,
            schedule,
            run,
            manifests,
            client: identities.client,
        })
    }
}

/// A run of a whole plan, with the templates that the binary carries.
pub(super) fn whole(plan: Plan) -> Result<Prepared, CliError> {
    let schedule = Schedule::of(&plan, &Selection::all());
    Prepared::of(plan, schedule, None, None, &Templates::embedded())
}

/// A run's id: eight hexadecimal digits at random, so that runs side by side do not meet.
pub(super) fn new_id() -> anyhow::Result<String> {
    let number = getrandom::u32().context("the system gave no random bytes for the run's id")?;
    Ok(format!("{number:08x}"))
}
