//! What a run ran on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{Event, EventKind};
use crate::tools::Installed;

/// Offloads that make or keep packets larger than a segment: ethtool's name, short name.
pub const OFFLOADS: [(&str, &str); 3] = [
    ("tcp-segmentation-offload", "TSO"),
    ("generic-segmentation-offload", "GSO"),
    ("generic-receive-offload", "GRO"),
];

/// What a worker sees of its surroundings; it says so once, when it joins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerEnvironment {
    /// Kernel release, as uname says it.
    pub kernel: String,
    /// The operating system's pretty name, from os-release.
    pub os: String,
    pub architecture: String,
    pub cpu: String,
    pub cores: u32,
    pub memory_bytes: u64,
    /// The interface that carries the pod's address.
    pub interface: String,
    pub mtu: u32,
    /// Offloads by ethtool's name (`tcp-segmentation-offload`), true for on; empty when unknown.
    pub offloads: BTreeMap<String, bool>,
    pub congestion_control: String,
    /// Version by tool, of those that netplan brings with it; a tool that is not there is not in it.
    pub tools: BTreeMap<String, String>,
    /// The file that is started, by the name of each program that measures, declared ones too. A program
    /// that is not there is not in it; nothing is in it of workers that did not say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub programs: BTreeMap<String, String>,
    /// Whether `/etc/protocols` names `tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etc_protocols_names_tcp: Option<bool>,
    /// It runs on a node that the local cluster emulates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emulated: bool,
}

impl WorkerEnvironment {
    /// What the worker has of a tool.
    #[must_use]
    pub fn installed(&self, tool: &str) -> Installed<'_> {
        Installed {
            version: self.tools.get(tool).map(String::as_str),
            names_tcp: self.etc_protocols_names_tcp,
        }
    }
}

/// The environment variable that says so to the processes of such a node.
pub const EMULATED_VARIABLE: &str = "NETPLAN_EMULATED";

/// The cluster that a run ran on, as the command line that started it describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// `local` or `kubernetes`.
    pub kind: String,
    /// What else there is to say; its keys depend on the kind.
    pub description: serde_json::Value,
}

/// A worker that joined, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedWorker {
    pub node: String,
    pub pod_ip: String,
    pub cluster_ip: Option<String>,
    pub environment: WorkerEnvironment,
}

/// What a run ran on: `environment.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The version of netplan that ran it.
    pub netplan: String,
    pub run: String,
    pub cluster: Option<Cluster>,
    /// By the plan's name for each; as they joined last.
    pub workers: BTreeMap<String, JoinedWorker>,
}

impl Environment {
    /// What the events say, and what the caller knows of the cluster.
    #[must_use]
    pub fn of<'a>(
        events: impl IntoIterator<Item = &'a Event>,
        cluster: Option<Cluster>,
    ) -> Environment {
        let mut environment = Environment {
            netplan: String::new(),
            run: String::new(),
            cluster,
            workers: BTreeMap::new(),
        };
        for event in events {
            environment.learn(event);
        }
        environment
    }

    /// Takes up what an event says.
    pub fn learn(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { run, netplan, .. } => {
                self.run.clone_from(run);
                self.netplan.clone_from(netplan);
            }
            EventKind::WorkerJoined {
                worker,
                node,
                pod_ip,
                cluster_ip,
                environment,
                ..
            } => {
                let joined = JoinedWorker {
                    node: node.clone(),
                    pod_ip: pod_ip.clone(),
                    cluster_ip: cluster_ip.clone(),
                    environment: environment.clone(),
                };
                self.workers.insert(worker.clone(), joined);
            }
            _ => {}
        }
    }
}
