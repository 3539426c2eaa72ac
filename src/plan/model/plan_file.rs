//! What the author of a plan wrote, with every default filled in and every test named.
//!
//! Serialised, a [`PlanFile`] is again a valid plan. What each key means is described in
//! `describe/keys/`.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use super::choice::Choice;
use super::during::During;
use super::expect::{Expectations, Find};
use super::kubernetes::Kubernetes;
use super::local::Local;
use super::path::PathEntry;
use super::pod_settings::PodSettings;
use super::test_load::Load;
use super::timing::Timing;
use super::tools::declared::DeclaredTool;
use super::tools::tool::ToolSpec;
use super::variants::Variant;
use crate::catalog::{Metric, name};
use crate::plan::text::write::{YamlError, to_yaml};

/// The version of the plan language.
pub const VERSION: u32 = 1;

/// A test plan: what to measure, between which workers, over which paths.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanFile {
    pub version: u32,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A group of workers is one entry.
    pub workers: IndexMap<String, Placement>,
    /// The first is the base. Empty, or two at least.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub variants: IndexMap<String, Variant>,
    /// A mesh is one entry.
    pub paths: Vec<PathEntry>,
    pub order: Order,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    pub concurrency: Concurrency,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub tools: IndexMap<String, Arc<DeclaredTool>>,
    pub tests: Vec<Test>,
    pub local: Local,
    pub kubernetes: Kubernetes,
}

/// Where a worker runs. Without a rule it may run on any node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Placement {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_node_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_node_than: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_zone_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_zone_than: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(flatten)]
    pub pods: PodSettings,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub one_per_node: bool,
    /// `None` also for a single worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The group that the worker belongs to, in an expanded [`Plan`](super::plan::Plan).
    #[serde(skip)]
    pub group: Option<String>,
    /// The worker that this one is in the base, in an expanded plan; `None` in the base itself.
    #[serde(skip)]
    pub base: Option<String>,
    /// Whose worker it is in an expanded plan: an index into the variants, 0 in the base.
    #[serde(skip)]
    pub variant: usize,
}

/// In which order the cells of the matrix run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    #[default]
    Listed,
    Interleaved,
    Shuffled,
}

impl Choice for Order {
    const ALL: &'static [(Self, &'static str)] = &[
        (
            Self::Listed,
            "As the plan lists them: test by test, path by path, the last swept parameter fastest; all samples of a cell one after the other.",
        ),
        (
            Self::Interleaved,
            "In rounds: one sample of each cell in turn, so that drift hits all cells alike.",
        ),
        (
            Self::Shuffled,
            "In rounds, each in another random order, drawn from the plan's `seed`.",
        ),
    ];
}

/// Which cells may run at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    #[default]
    Serial,
    DisjointNodes,
}

impl Choice for Concurrency {
    const ALL: &'static [(Self, &'static str)] = &[
        (
            Self::Serial,
            "One after the other: nothing else is on the network.",
        ),
        (
            Self::DisjointNodes,
            "Cells that share no node run side by side.",
        ),
    ];
}

/// A tool with its options, on some paths, over a sweep.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Test {
    /// Unique in the plan; a part of its cells' ids.
    pub name: String,
    /// What precedes the path's label in `result.csv`.
    pub label: String,
    /// The tool and its options.
    #[serde(flatten)]
    pub tool: ToolSpec,
    /// The names of the paths and meshes to measure.
    pub paths: Vec<String>,
    /// One sample of each path starts on one go.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
    /// What is done while its samples run. Not empty only with `together`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub during: Vec<During>,
    #[serde(flatten)]
    pub timing: Timing,
    /// What runs around each sample.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub load: Vec<Load>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub find: Option<Find>,
    /// What is expected of every cell of this test.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
}

impl Test {
    /// What it measures: the metrics of its tool, that of the lowest interval, and the rate that `find` finds.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics = self.tool.measures_in_test(self.timing.intervals.is_some());
        if self.find.is_some() {
            metrics.extend(Metric::from_name(name::FOUND_RATE_BPS));
        }
        metrics
    }
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

/// The most workers of a group.
pub const LARGEST_GROUP: u32 = 1000;

impl PlanFile {
    /// Whether the number of nodes decides how many workers some group has.
    #[must_use]
    pub fn depends_on_nodes(&self) -> bool {
        let mut groups = self.workers.values().filter(|worker| worker.one_per_node);
        groups.any(|group| group.count.is_none())
    }

    /// Sets the `count` of each group that has none to the number of nodes that its workers fit on.
    ///
    /// # Errors
    /// When a mesh would have fewer than two workers.
    pub fn with_nodes(self, nodes: u32) -> Result<Self, TooFewNodes> {
        let file = self.with_counts(nodes);
        for entry in &file.paths {
            if let PathEntry::Mesh(entry) = entry
                && let Some(count) = file.workers.get(&entry.mesh.workers).and_then(|p| p.count)
                && count < 2
            {
                return Err(TooFewNodes {
                    mesh: entry.mesh.name.clone(),
                    group: entry.mesh.workers.clone(),
                    nodes: count,
                });
            }
        }
        Ok(file)
    }

    fn with_counts(mut self, nodes: u32) -> Self {
        for group in self
            .workers
            .values_mut()
            .filter(|worker| worker.one_per_node)
        {
            group.count = group.count.or(Some(nodes.min(LARGEST_GROUP)));
        }
        self
    }

    /// The plan as text, with every default filled in and the `count` of every group, which is
    /// `local.nodes` by default. [`load_file`](crate::plan::load_file) reads it again.
    ///
    /// # Errors
    /// The writer's; no loaded plan is known to cause one.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        to_yaml(&self.clone().with_counts(self.local.nodes))
    }
}
