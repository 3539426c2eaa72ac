//! What templates can refer to.

use serde::Serialize;

use crate::plan::Placement;
use crate::tools::{Port, Transport};

/// The port that the orchestrator's Service listens on.
pub const ORCHESTRATOR_PORT: u16 = 5202;

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
}

impl RunContext {
    /// The objects of run `id`, with default namespace and image.
    #[must_use]
    pub fn new(id: &str, only: Option<String>) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            id: id.to_owned(),
            prefix: format!("netplan-{id}"),
            namespace: "netplan".to_owned(),
            image: format!("netplan:{version}"),
            version,
            only,
        }
    }

    /// The name of the orchestrator's Job and Service.
    #[must_use]
    pub fn orchestrator(&self) -> String {
        format!("{}-orchestrator", self.prefix)
    }

    /// The name of a worker's Pod and Service.
    #[must_use]
    pub fn worker(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }
}

/// A worker and the ports that traffic to it needs.
#[derive(Clone, Debug)]
pub struct WorkerPorts<'a> {
    pub name: &'a str,
    pub placement: &'a Placement,
    /// Empty for a worker that no path leads to: it gets no Service.
    pub ports: Vec<Port>,
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
}

/// `worker` in templates.
#[derive(Serialize)]
pub(super) struct WorkerContext<'a> {
    pub name: &'a str,
    pub same_node_as: Option<&'a str>,
    pub other_node_than: Option<&'a str>,
    pub ports: Vec<PortContext>,
}

#[derive(Serialize)]
pub(super) struct PortContext {
    pub number: u16,
    /// As Kubernetes spells it: `TCP`, `UDP`.
    pub transport: &'static str,
}

impl<'a> From<&WorkerPorts<'a>> for WorkerContext<'a> {
    fn from(worker: &WorkerPorts<'a>) -> Self {
        let transport = |port: &Port| match port.transport {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        };
        Self {
            name: worker.name,
            same_node_as: worker.placement.same_node_as.as_deref(),
            other_node_than: worker.placement.other_node_than.as_deref(),
            ports: worker
                .ports
                .iter()
                .map(|port| PortContext {
                    number: port.number,
                    transport: transport(port),
                })
                .collect(),
        }
    }
}
