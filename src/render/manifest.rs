//! Rendered Kubernetes objects.

use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use serde::Serialize;

use super::affinity::affinities;
use super::context::{
    KubernetesContext, OrchestratorContext, PlanContext, RunContext, WorkerContext,
};
use super::engine::{engine, failed};
use super::templates::{RenderError, Templates};
use super::workers::WorkerPorts;
use super::yaml::yaml;
use crate::diag::{Source, picture, printable};
use crate::plan::{Kubernetes, Plan};

/// The template whose values are private.
const SECRET: &str = "secret.yaml.j2";
const WORKER_JOB: &str = "worker-job.yaml.j2";

/// One rendered object.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The template that it came from: `worker-job.yaml.j2`.
    pub template: String,
    /// The YAML text, as a person sees it.
    pub text: String,
    /// The same, parsed.
    pub object: serde_json::Value,
}

impl Manifest {
    /// The object's kind, e.g. `Pod`; empty when it has none.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.object["kind"].as_str().unwrap_or_default()
    }

    /// The object's name; empty when it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }
}

/// What becomes the run's Secrets. An identity is what `secret.yaml.j2` calls `identity`: `role`,
/// `ca_pem`, `cert_pem` and `key_pem`.
#[derive(Clone, Debug)]
pub struct Identities<I> {
    /// The orchestrator's and the workers'.
    pub in_pods: Vec<I>,
    /// The command line's.
    pub client: I,
}

/// All objects of a run, in the order in which they are best applied: what others refer to first.
///
/// # Errors
/// A template that does not render, or yields something else than one object.
pub fn manifests(
    run: &RunContext,
    plan_name: &str,
    plan_text: &str,
    kubernetes: &Kubernetes,
    workers: &[WorkerPorts<'_>],
    identities: &Identities<impl Serialize>,
    templates: &Templates,
) -> Result<Vec<Manifest>, RenderError> {
    let engine = engine(templates)?;
    let common = common(run, plan_name, plan_text, kubernetes, workers);
    let with_affinity: Vec<_> = workers
        .iter()
        .zip(affinities(workers))
        .map(|(worker, affinity)| {
            let context = WorkerContext::new(worker, affinity, kubernetes);
            (
                worker,
                context! { worker => Serde(&context), ..common.clone() },
            )
        })
        .collect();

    let render = |name, context: &_| render(&engine, templates, name, context);

    let mut rendered = Vec::new();
    if !always_exists(&run.namespace) {
        rendered.push(render("namespace.yaml.j2", &common)?);
    }
    if kubernetes.network_policies {
        let orchestrator_policy = "orchestrator-networkpolicy.yaml.j2";
        rendered.push(render(orchestrator_policy, &common)?);
        // Policies do not reach the host network.
        for (_, context) in with_affinity
            .iter()
            .filter(|(worker, _)| !worker.host_network)
        {
            rendered.push(render("worker-networkpolicy.yaml.j2", context)?);
        }
    }
    rendered.push(render("configmap.yaml.j2", &common)?);
    for (part, number) in run.journal.iter().skip(1).zip(1..) {
        let name = format!("{}-journal-{number}", run.prefix);
        let part = context! { name, content => part };
        let context = context! { part, ..common.clone() };
        rendered.push(render("journal-configmap.yaml.j2", &context)?);
    }
    let secret = |name: &str, identity| {
        let context = context! { secret => context! { name }, identity, ..common.clone() };
        render(SECRET, &context)
    };
    for identity in &identities.in_pods {
        let identity = Value::from(Serde(identity));
        let role = identity.get_attr("role").unwrap_or_default();
        rendered.push(secret(&format!("{}-{role}", run.prefix), identity)?);
    }
    rendered.push(secret(
        &run.client_secret(),
        Value::from(Serde(&identities.client)),
    )?);
    rendered.push(render("orchestrator-service.yaml.j2", &common)?);
    for (_, context) in with_affinity
        .iter()
        .filter(|(worker, _)| !worker.ports.is_empty())
    {
        rendered.push(render("worker-service.yaml.j2", context)?);
    }
    rendered.push(render("orchestrator-job.yaml.j2", &common)?);
    for (_, context) in &with_affinity {
        rendered.push(render(WORKER_JOB, context)?);
    }
    Ok(rendered)
}

/// The Jobs of some workers alone. Their pods have the placement that the run's pods have.
///
/// # Errors
/// A template that does not render, or yields something else than one object.
pub fn worker_jobs(
    run: &RunContext,
    plan: &Plan,
    workers: &[WorkerPorts<'_>],
    templates: &Templates,
) -> Result<Vec<Manifest>, RenderError> {
    let engine = engine(templates)?;
    let jobs = workers.iter().zip(affinities(workers));
    let jobs = jobs.map(|(worker, affinity)| {
        let context = context! {
            worker => Serde(&WorkerContext::new(worker, affinity, &plan.kubernetes)),
            ..common(run, &plan.name, "", &plan.kubernetes, workers)
        };
        render(&engine, templates, WORKER_JOB, &context)
    });
    jobs.collect()
}

/// What all templates are given.
pub(super) fn common(
    run: &RunContext,
    plan_name: &str,
    plan_text: &str,
    kubernetes: &Kubernetes,
    workers: &[WorkerPorts<'_>],
) -> Value {
    context! {
        run => Serde(run),
        plan => Serde(&PlanContext { name: plan_name, text: plan_text }),
        orchestrator => Serde(&OrchestratorContext::new()),
        kubernetes => Serde(&KubernetesContext::new(run, kubernetes, workers)),
    }
}

/// The namespaces that a cluster starts with: making or changing them is never netplan's.
fn always_exists(namespace: &str) -> bool {
    namespace == "default" || namespace.starts_with("kube-")
}

/// Whether a text means to be an object of Kubernetes.
fn is_manifest(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("apiVersion:"))
}

fn render(
    engine: &Environment<'_>,
    templates: &Templates,
    name: &'static str,
    context: &minijinja::Value,
) -> Result<Manifest, RenderError> {
    let text = engine
        .get_template(name)
        .and_then(|template| template.render(context))
        .map_err(|error| failed(templates, name, &error))?;
    let text = text.trim().to_owned() + "\n";
    let no_object = |message: String, at: Option<usize>| RenderError::NoObject {
        template: name.to_owned(),
        message,
        // A line of a rendered Secret may be one of a private key, and a file that is no template may
        // be anything.
        place: match at {
            Some(at) if name != SECRET && is_manifest(&text) => {
                let source = Source::new(format!("rendered {name}"), &*text);
                format!("\n{}", picture(&source, (at..at + 1).into()))
            }
            _ => String::new(),
        },
    };
    let object = crate::plan::document(&text).map_err(|error| no_object(error.what, error.at))?;
    for field in ["/apiVersion", "/kind", "/metadata/name"] {
        if object
            .pointer(field)
            .and_then(serde_json::Value::as_str)
            .is_none()
        {
            let field = field[1..].replace('/', ".");
            return Err(no_object(
                format!("`{field}` is missing or is not text"),
                None,
            ));
        }
    }
    // What is not safe to show is written anew, which keeps the object as it is.
    let text = if printable::is_safe(&text) {
        text
    } else {
        yaml(&object)
    };
    Ok(Manifest {
        template: name.to_owned(),
        text,
        object,
    })
}
