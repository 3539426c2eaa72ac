//! What a run ran on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// Version by tool; a tool that is not there is not in it.
    pub tools: BTreeMap<String, String>,
}
