//! Facts about a worker's host and pod.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::tools::Installed;

/// Offloads that make or keep packets larger than a segment: ethtool's name, short name.
pub const OFFLOADS: [(&str, &str); 3] = [
    ("tcp-segmentation-offload", "TSO"),
    ("generic-segmentation-offload", "GSO"),
    ("generic-receive-offload", "GRO"),
];

/// Facts about a worker's host and pod; it reports them once, when it joins.
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
