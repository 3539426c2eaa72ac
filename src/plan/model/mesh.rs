//! Paths between every two workers of a group, written in a line.

use schemars::JsonSchema;
use serde::Serialize;

use super::expect::Expectations;
use super::plan_file::{Path, Via};

/// Paths between every two workers of a group, named `<name>-<from>-<to>`, as in `mesh-3-7`. They
/// are in the order of a round-robin tournament, so that with `concurrency: disjoint-nodes` every
/// node has a partner at any time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Mesh {
    /// What its paths' names begin with, and what tests call them all. Default: the group's name.
    #[schemars(length(max = 48), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// What its paths' labels begin with. Default: its name.
    #[schemars(length(max = 90), regex(pattern = r"^[^,;\x00-\x1f\x7f]*$"))]
    pub label: String,
    /// The group, of workers with `one_per_node`.
    pub workers: String,
    /// The address that the clients dial.
    pub via: Via,
    /// Measure each pair in both directions. Default: false, which is one direction a pair, so
    /// that each worker sends on half of its paths.
    pub both_directions: bool,
    /// What is expected of every test on these paths.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
}

/// An item of `paths:` as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PathEntry {
    /// One way for traffic to go.
    Path(Path),
    /// Many.
    Mesh(MeshEntry),
}

/// Paths between every two workers of a group.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MeshEntry {
    pub mesh: Mesh,
}

/// The ways for traffic to go: a list of paths and meshes, or a single mesh.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PathEntries {
    List(#[schemars(length(min = 1))] Vec<PathEntry>),
    Mesh(MeshEntry),
}

/// Fewer nodes than a plan needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the mesh `{mesh}` needs two workers, and there is a node for {nodes} of `{group}`; use a \
     cluster with more nodes that fit its labels, or let the plan say how many with `count`"
)]
pub struct TooFewNodes {
    pub mesh: String,
    pub group: String,
    pub nodes: u32,
}
