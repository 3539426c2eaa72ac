//! From the command line's arguments to a run that only has to be applied.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::cli::during;
use crate::cli::error::{CliError, list};
use crate::cli::plan::plan_args::{PlanArgs, SelectionArgs};
use crate::cluster::kubernetes::without_effect;
use crate::plan::{Plan, PlanFile};
use crate::render::policy::{Policy, VARIANT_LABEL};
use crate::render::{
    ChartFile, Identities, Manifest, RunContext, Templates, WorkerFamilies, WorkerPorts, chart,
    forbidden, manifests, patch_pods, set_security_contexts, variant_objects, worker_jobs,
};
use crate::rpc::{Identity, RunIdentities};
use crate::schedule::{Schedule, Selection};
use crate::tools;

#[derive(Debug, Args)]
pub(in crate::cli) struct PrepareArgs {
    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    make: MakeArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MakeArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,

    /// Use templates from this folder instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

/// A run that is ready to be applied.
#[derive(Debug)]
pub(in crate::cli) struct Prepared {
    pub plan: Plan,
    /// The resolved plan.
    pub plan_text: String,
    pub schedule: Schedule,
    pub run: RunContext,
    pub manifests: Vec<Manifest>,
    /// The command line's own identity in the run.
    pub client: Identity,
}

/// A run whose id is known: an earlier run to continue, or one that a Job owns.
#[derive(Debug)]
pub(in crate::cli) struct Begun {
    pub id: String,
    pub only: Option<String>,
    /// Its journal, gzipped, in parts, in base64; nothing if it has none yet.
    pub journal: Vec<String>,
}

impl PrepareArgs {
    /// `namespace` takes the place of the plan's.
    pub fn prepare(&self, namespace: Option<&str>) -> Result<Prepared, CliError> {
        self.make.prepare(&self.plan.load_file()?, namespace, None)
    }

    /// The chart of a plan.
    pub fn chart(&self) -> Result<Vec<ChartFile>, CliError> {
        let file = self.plan.load_file()?;
        // The mistakes that a run would find.
        let mut prepared = self.make.prepare(&file, None, None)?;
        during::needs_command_line(&prepared.plan, "render")?;
        prepared.patch_pods()?;
        let Prepared {
            plan,
            plan_text,
            run,
            ..
        } = &prepared;
        Ok(chart(
            run,
            &plan.name,
            plan_text,
            &plan.kubernetes,
            file.depends_on_nodes(),
            &self.make.templates()?,
        )?)
    }
}

impl MakeArgs {
    /// A new run of the plan, or one that continues; `namespace` overrides the plan's.
    pub fn prepare(
        &self,
        file: &PlanFile,
        namespace: Option<&str>,
        begun: Option<&Begun>,
    ) -> Result<Prepared, CliError> {
        let mut file = file.clone();
        if let Some(namespace) = namespace {
            namespace.clone_into(&mut file.kubernetes.namespace);
        }
        let plan = file.expand();
        let selection = match begun {
            Some(begun) => &SelectionArgs {
                only: begun.only.clone(),
            },
            None => &self.selection,
        };
        let schedule = selection.schedule(&plan)?;
        let only = selection.only.clone();
        Prepared::new(&file, plan, schedule, only, begun, &self.templates()?)
    }

    /// The Jobs of the workers of groups: which nodes their pods fit on decides how many workers a
    /// group without `count` has.
    pub fn group_jobs(&self, file: &PlanFile) -> Result<Vec<Manifest>, CliError> {
        group_jobs(file, &self.templates()?)
    }

    fn templates(&self) -> Result<Templates, CliError> {
        Ok(match &self.templates {
            Some(folder) => Templates::overridden_by(folder)?,
            None => Templates::embedded(),
        })
    }
}

impl Prepared {
    /// A run of a plan, with identities of its own, and a new id or that of the run that continues. Variants that are
    /// not measured have no pods.
    fn new(
        file: &PlanFile,
        mut plan: Plan,
        schedule: Schedule,
        only: Option<String>,
        begun: Option<&Begun>,
        templates: &Templates,
    ) -> Result<Self, CliError> {
        let measured = schedule.variants();
        plan.retain_variants(&measured);
        let id = begun.map_or_else(new_id, |begun| Ok(begun.id.clone()))?;
        let mut run = RunContext {
            journal: begun.map(|begun| begun.journal.clone()).unwrap_or_default(),
            ..RunContext::from_plan(&plan, &id, only)
        };
        let names: Vec<&str> = plan.workers.keys().map(String::as_str).collect();
        let identities = RunIdentities::issue(&run.id, &names).map_err(anyhow::Error::from)?;
        let ports = tools::Ports::for_plan(&plan);
        let workers = worker_ports(&plan, &ports);
        let secrets = Identities {
            in_pods: std::iter::once(&identities.orchestrator)
                .chain(&identities.workers)
                .collect(),
            client: &identities.client,
        };
        let plan_text = file.to_yaml().context("cannot write the resolved plan")?;
        let rendered = |run: &RunContext| {
            manifests(
                run,
                &plan.name,
                &plan_text,
                &plan.kubernetes,
                &workers,
                &secrets,
                templates,
            )
        };
        let objects = variant_objects(&run, &plan, &measured, &workers)?;
        let mut manifests = rendered(&run)?;
        if !objects.is_empty() {
            let forbidden = forbidden(&[manifests, objects.clone()].concat())?;
            run.forbidden = forbidden.iter().map(ToString::to_string).collect();
            manifests = rendered(&run)?;
            must_try_forbidden(&run, &manifests)?;
            // Policies are there before the pods.
            let at = manifests.iter().position(|one| one.kind() != "Namespace");
            manifests.splice(at.unwrap_or_default()..at.unwrap_or_default(), objects);
        }
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

/// Fails when a template of the orchestrator's Job leaves out that forbidden connections are tried.
fn must_try_forbidden(run: &RunContext, manifests: &[Manifest]) -> Result<(), CliError> {
    let name = run.orchestrator();
    let job = manifests
        .iter()
        .find(|one| one.kind() == "Job" && one.name() == name);
    let text = job.map_or("", |job| job.text.as_str());
    match run.forbidden.iter().find(|one| !text.contains(*one)) {
        None => Ok(()),
        Some(one) => Err(CliError::Usage(format!(
            "the template `orchestrator-job.yaml.j2` does not pass `--forbidden={one}` to the orchestrator, so nothing \
             would show that the cluster enforces the variant's policies\n  copy what the built-in template says of \
             `run.forbidden`"
        ))),
    }
}

impl Prepared {
    /// The objects of variants of other kinds than policies, which the plan says to trust, for people; `None` if there
    /// are none.
    pub fn trusted_objects(&self) -> Option<String> {
        let others = self.manifests.iter().filter(|one| !Policy::is(one));
        let lines = others.filter_map(|one| {
            let variant = one.object["metadata"]["labels"][VARIANT_LABEL].as_str()?;
            let (kind, name, file) = (one.kind(), one.name(), &one.template);
            Some(format!(
                "\n  {kind} {name} of `{file}`, for the variant `{variant}`"
            ))
        });
        let list: String = lines.collect();
        (!list.is_empty())
            .then(|| format!("the plan trusts these objects beside NetworkPolicies:{list}"))
    }

    /// Merges the plan's `kubernetes.pod` and its security contexts into the pods. The local cluster runs them without.
    ///
    /// # Errors
    /// A patch that does not fit, or a variant that differs on the local cluster alone.
    pub fn patch_pods(&mut self) -> Result<(), CliError> {
        let problems = without_effect(&self.plan, &self.schedule.variants());
        if !problems.is_empty() {
            let text = format!(
                "Kubernetes does not support this plan:{}",
                list(problems.iter())
            );
            return Err(CliError::Usage(text));
        }
        patch(&mut self.manifests, &self.plan)
    }
}

fn patch(manifests: &mut [Manifest], plan: &Plan) -> Result<(), CliError> {
    if let Some(pod) = &plan.kubernetes.pod {
        patch_pods(manifests, pod).map_err(CliError::Usage)?;
    }
    let all = &plan.kubernetes.security_context;
    let of_worker = |name: &str| {
        let own = &plan.workers.get(name)?.pods.security_context;
        Some(own.over(all)).filter(|context| !context.is_empty())
    };
    set_security_contexts(manifests, of_worker).map_err(CliError::Usage)
}

/// The Jobs of the workers of groups.
pub(in crate::cli) fn group_jobs(
    file: &PlanFile,
    templates: &Templates,
) -> Result<Vec<Manifest>, CliError> {
    let plan = file.expand();
    let run = RunContext::from_plan(&plan, &new_id()?, None);
    let ports = tools::Ports::for_plan(&plan);
    let mut workers = worker_ports(&plan, &ports);
    workers.retain(|worker| worker.placement.group.is_some());
    let mut jobs = worker_jobs(&run, &plan, &workers, templates)?;
    patch(&mut jobs, &plan)?;
    Ok(jobs)
}

/// A run of a whole plan, with the embedded templates.
pub(in crate::cli) fn whole(file: &PlanFile) -> Result<Prepared, CliError> {
    let plan = file.expand();
    let schedule = Schedule::new(&plan, &Selection::all());
    Prepared::new(file, plan, schedule, None, None, &Templates::embedded())
}

/// The pods of a plan's workers without an orchestrator, with the embedded templates.
pub(in crate::cli) fn without_orchestrator(file: &PlanFile) -> Result<Prepared, CliError> {
    let mut prepared = whole(file)?;
    let orchestrator = prepared.run.orchestrator();
    prepared
        .manifests
        .retain(|manifest| manifest.kind() != "Job" || manifest.name() != orchestrator);
    Ok(prepared)
}

fn worker_ports<'p>(plan: &'p Plan, ports: &'p tools::Ports) -> Vec<WorkerPorts<'p>> {
    let workers = plan.workers.iter();
    workers
        .map(|(name, placement)| WorkerPorts {
            name,
            placement,
            variant: plan.variant_name(placement.variant),
            host_network: plan.on_host_network(name),
            ports: ports.worker(name),
            families: WorkerFamilies::new(plan, name),
        })
        .collect()
}

/// A run's id: eight hexadecimal digits at random, so that runs side by side do not meet.
pub(in crate::cli) fn new_id() -> anyhow::Result<String> {
    let number = getrandom::u32().context("the system gave no random bytes for the run's id")?;
    Ok(format!("{number:08x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan::{Alone, load_file};

    #[test]
    fn only_measured_variants_have_pods() {
        let text = "version: 1
name: p
workers: { w1: {}, w2: {} }
variants: { plain: {}, a: {}, b: {} }
paths: [{ name: pod, from: w2, to: w1, via: pod_ip }]
tests: [netperf: { test: TCP_RR }]
";
        let file = load_file(&Alone, Source::new("p.yaml", text), &[]).unwrap();
        let make = |only: &str| {
            let selection = SelectionArgs {
                only: Some(only.to_owned()),
            };
            let templates = None;
            MakeArgs {
                selection,
                templates,
            }
            .prepare(&file, None, None)
            .unwrap()
        };
        let prepared = make("variant=b");
        let prefix = format!("{}-", prepared.run.prefix);
        let jobs = prepared.manifests.iter().filter(|one| one.kind() == "Job");
        let names: Vec<&str> = jobs
            .filter_map(|job| job.name().strip_prefix(&prefix))
            .collect();
        assert_eq!(names, ["orchestrator", "w1", "w2", "w1-b", "w2-b"]);
        assert!(
            prepared.plan_text.contains("a: {}"),
            "{}",
            prepared.plan_text
        );
        assert_eq!(make("").plan.workers.len(), 6);
    }
}
