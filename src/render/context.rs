//! What templates can refer to.

use std::collections::BTreeSet;

use serde::Serialize;

use super::affinity::Affinity;
use super::families::WorkerFamilies;
use super::workers::WorkerPorts;
use crate::catalog::WORKER_CONTROL_PORTS;
use crate::plan::{
    Family, Kubernetes, NAMESPACE, Offloads, Plan, PodResources, PodSettings, PodUser, PullPolicy,
    Resources, StringMap, TaintEffect, Toleration, TolerationOperator,
};
use crate::tools::{Port, Transport, declared_programs};

/// The port that the orchestrator's Service listens on.
pub const ORCHESTRATOR_PORT: u16 = 5202;

/// The labels by which every kubelet says what its node is.
const OS: &str = "kubernetes.io/os";
const ARCHITECTURE: &str = "kubernetes.io/arch";

/// What one run's objects have in common: `run` in templates.
#[derive(Clone, Debug, Serialize)]
pub struct RunContext {
    /// The run's id; in every object's label `netplan/run`.
    pub id: String,
    /// What every object's name starts with.
    pub prefix: String,
    pub namespace: String,
    pub image: String,
    /// netplan's version.
    pub version: &'static str,
    /// The `--only` selection, if any.
    pub only: Option<String>,
    /// The journal of a run that is continued: gzipped, in parts, one for each `ConfigMap`, in base64.
    pub journal: Vec<String>,
    /// Programs of declared tools: workers announce which files they are.
    pub programs: BTreeSet<String>,
}

impl RunContext {
    /// The objects of run `id`, with default namespace and image; see [`RunContext::from_plan`].
    #[must_use]
    pub fn new(id: &str, only: Option<String>) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            id: id.to_owned(),
            prefix: format!("netplan-{id}"),
            namespace: NAMESPACE.to_owned(),
            image: format!("netplan:{version}"),
            version,
            only,
            journal: Vec::new(),
            programs: BTreeSet::new(),
        }
    }

    /// The objects of run `id` as the plan's `kubernetes:` wants them.
    #[must_use]
    pub fn from_plan(plan: &Plan, id: &str, only: Option<String>) -> Self {
        let run = Self::new(id, only);
        Self {
            namespace: plan.kubernetes.namespace.clone(),
            image: plan.kubernetes.image.clone().unwrap_or(run.image),
            programs: declared_programs(plan),
            ..run
        }
    }

    /// The name of the orchestrator's Job and Service.
    #[must_use]
    pub fn orchestrator(&self) -> String {
        format!("{}-orchestrator", self.prefix)
    }

    /// The name of the Secret with the command line's identity. No worker can have such a name.
    #[must_use]
    pub fn client_secret(&self) -> String {
        format!("{}.client", self.prefix)
    }

    /// The name of a worker's Job and Service.
    #[must_use]
    pub fn worker(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }
}

/// `plan` in templates.
#[derive(Serialize)]
pub(super) struct PlanContext<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// `orchestrator` in templates.
#[derive(Serialize)]
pub(super) struct OrchestratorContext {
    pub port: u16,
    /// What it listens on: any address, of either family.
    pub listen: String,
}

impl OrchestratorContext {
    pub fn new() -> Self {
        Self {
            port: ORCHESTRATOR_PORT,
            listen: format!("[::]:{ORCHESTRATOR_PORT}"),
        }
    }
}

/// `kubernetes` in templates: what the plan says there, and what follows from it.
#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a condition of a template"
)]
pub(super) struct KubernetesContext<'a> {
    pub image_pull_policy: PullPolicy,
    pub pull_secrets: &'a [String],
    /// With what netplan asks of every node.
    pub node_selector: StringMap,
    /// Whether the pods name the image's user id.
    pub names_user: bool,
    /// With the keys of Kubernetes.
    pub tolerations: Vec<TolerationContext<'a>>,
    pub resources: &'a PodResources,
    pub priority_class: Option<&'a str>,
    pub annotations: &'a StringMap,
    pub labels: &'a StringMap,
    pub runtime_class: Option<&'a str>,
    /// As Kubernetes spells it.
    pub ip_family: Option<&'static str>,
    /// Whether a container switches offloads off in the workers' pods.
    pub switches_offloads: bool,
    /// The claim for the journal; without it a worker holds a copy.
    pub results_claim: Option<&'a str>,
    pub active_deadline_seconds: Option<u32>,
    pub ttl_seconds_after_finished: Option<u32>,
    /// Whether any worker is on its host's network.
    pub any_on_host: bool,
    /// The ports of all workers on their hosts' networks, each once.
    pub host_ports: Vec<PortContext>,
    /// Whether the namespace is netplan's own, rather than one that the plan names.
    pub own_namespace: bool,
}

impl<'a> KubernetesContext<'a> {
    pub fn new(run: &RunContext, plan: &'a Kubernetes, workers: &[WorkerPorts<'_>]) -> Self {
        Self {
            image_pull_policy: plan.image_pull_policy,
            pull_secrets: &plan.pull_secrets,
            node_selector: node_selector(plan),
            names_user: plan.user == PodUser::Image,
            tolerations: plan
                .tolerations
                .iter()
                .map(TolerationContext::from)
                .collect(),
            resources: &plan.resources,
            priority_class: plan.priority_class.as_deref(),
            annotations: &plan.annotations,
            labels: &plan.labels,
            runtime_class: plan.runtime_class.as_deref(),
            ip_family: plan.ip_family.map(Family::name),
            switches_offloads: plan.offloads == Offloads::Off,
            results_claim: plan.results_claim.as_deref(),
            active_deadline_seconds: plan.active_deadline_seconds,
            ttl_seconds_after_finished: plan.ttl_seconds_after_finished,
            any_on_host: workers.iter().any(|worker| worker.host_network),
            host_ports: host_ports(workers),
            own_namespace: run.namespace == NAMESPACE,
        }
    }
}

fn host_ports(workers: &[WorkerPorts<'_>]) -> Vec<PortContext> {
    let on_host = workers.iter().filter(|worker| worker.host_network);
    let ports: BTreeSet<&Port> = on_host.flat_map(|worker| &worker.ports).collect();
    ports.into_iter().map(PortContext::from).collect()
}

/// Labels that every node with a pod has: the image is of Linux, and may be of one architecture.
fn node_selector(plan: &Kubernetes) -> StringMap {
    let mut selector = StringMap::from_iter([(OS.to_owned(), "linux".to_owned())]);
    selector.extend(
        plan.architecture
            .iter()
            .map(|one| (ARCHITECTURE.to_owned(), one.clone())),
    );
    selector.extend(plan.node_selector.clone());
    selector
}

/// A toleration as Kubernetes spells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TolerationContext<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    pub operator: TolerationOperator,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<u32>,
}

impl<'a> From<&'a Toleration> for TolerationContext<'a> {
    fn from(toleration: &'a Toleration) -> Self {
        Self {
            key: toleration.key.as_deref(),
            operator: toleration.operator,
            value: toleration.value.as_deref(),
            effect: toleration.effect,
            toleration_seconds: toleration.toleration_seconds,
        }
    }
}

/// `worker` in templates.
#[derive(Serialize)]
pub(super) struct WorkerContext<'a> {
    pub name: &'a str,
    /// What its pods are like: what `kubernetes:` says of all, and the worker of its own.
    pub pods: PodsContext<'a>,
    #[serde(flatten)]
    pub affinity: Affinity,
    pub host_network: bool,
    #[serde(flatten)]
    pub families: &'a WorkerFamilies,
    /// Where it answers the command line, on its loopback addresses: the first that is free.
    pub control_ports: String,
    pub ports: Vec<PortContext>,
}

/// `worker.pods` in templates.
#[derive(Serialize)]
pub(super) struct PodsContext<'a> {
    pub labels: StringMap,
    pub annotations: StringMap,
    pub resources: Resources,
    /// With the keys of Kubernetes.
    pub tolerations: Vec<TolerationContext<'a>>,
    pub runtime_class: Option<String>,
}

impl<'a> PodsContext<'a> {
    fn new(all: &'a Kubernetes, own: &'a PodSettings) -> Self {
        let wider = PodSettings {
            labels: all.labels.clone(),
            annotations: all.annotations.clone(),
            resources: all.resources.workers.clone(),
            runtime_class: all.runtime_class.clone(),
            ..PodSettings::default()
        };
        let PodSettings {
            labels,
            annotations,
            resources,
            runtime_class,
            ..
        } = own.over(&wider);
        let tolerations = match own.tolerations.as_slice() {
            [] => &all.tolerations,
            own => own,
        };
        Self {
            labels,
            annotations,
            resources,
            tolerations: tolerations.iter().map(TolerationContext::from).collect(),
            runtime_class,
        }
    }
}

#[derive(Serialize)]
pub(super) struct PortContext {
    pub number: u16,
    /// As Kubernetes spells it: `TCP`, `UDP`.
    pub transport: &'static str,
}

impl From<&Port> for PortContext {
    fn from(port: &Port) -> Self {
        Self {
            number: port.number,
            transport: match port.transport {
                Transport::Tcp => "TCP",
                Transport::Udp => "UDP",
            },
        }
    }
}

impl<'a> WorkerContext<'a> {
    pub fn new(
        worker: &'a WorkerPorts<'a>,
        affinity: Affinity,
        kubernetes: &'a Kubernetes,
    ) -> Self {
        Self {
            name: worker.name,
            pods: PodsContext::new(kubernetes, &worker.placement.pods),
            affinity,
            host_network: worker.host_network,
            families: &worker.families,
            control_ports: format!(
                "{}-{}",
                WORKER_CONTROL_PORTS.start(),
                WORKER_CONTROL_PORTS.end()
            ),
            ports: worker.ports.iter().map(PortContext::from).collect(),
        }
    }
}
