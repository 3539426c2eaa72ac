//! What a run ran on.

pub mod configuration;
pub mod host_metrics;
mod machine_key;
pub(super) mod worker;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::worker::{EMULATED_VARIABLE, OFFLOADS, WorkerEnvironment};
use super::event::{Event, EventKind};
pub use configuration::Configuration;
pub use machine_key::MachineKey;

/// The kind of cluster of results that another program measured. What such results do not say is unknown, and then empty or
/// 0 in the environment.
pub const IMPORTED: &str = "imported";

/// The cluster that a run ran on, as the command line that started it describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// `local`, `kubernetes` or [`IMPORTED`].
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
    pub fn from_events<'a>(
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

    /// Adds what an event says.
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
