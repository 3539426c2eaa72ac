//! What a plan says, once it has been read, checked and resolved.
//!
//! The doc comments of the types here are the texts of the generated JSON Schema. Serialised, a
//! [`Plan`] is again a valid plan: every default filled in, every test with its name.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::expect::{Expectations, Find};
use super::kubernetes::{Kubernetes, StringMap};
use super::local::Local;
use super::mesh::{Group, MeshPaths, PathEntries};
use super::timing::Timing;
use super::tools::declared::DeclaredTool;
use super::tools::tool::ToolSpec;

/// The version of the plan language.
pub const VERSION: u32 = 1;

/// A test plan: what to measure, between which workers, over which paths.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
pub struct Plan {
    /// The version of the plan language. Always 1.
    pub version: u32,
    /// The plan's name; names the run's directory and objects. A DNS label: a-z, 0-9 and '-'.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// What the plan is for, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The pods that send or receive traffic, by name, and where each one sits; or a group of pods,
    /// one on each node. A name is a DNS label of at most 40 characters, of a group 35.
    #[schemars(extend("propertyNames" = json!({
        "maxLength": 40,
        "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        "not": { "const": "orchestrator" },
    })))]
    pub workers: IndexMap<String, Placement>,
    /// The groups of those workers that are one on each node.
    #[serde(skip)]
    pub groups: Vec<Group>,
    /// The ways for traffic to go: a list of paths, in which `mesh:` stands for those between every
    /// two workers of a group; or a single `mesh:`.
    #[schemars(with = "PathEntries")]
    pub paths: Vec<Path>,
    /// The meshes of those paths.
    #[serde(skip)]
    pub meshes: Vec<MeshPaths>,
    /// In which order the cells run. Default: listed.
    pub order: Order,
    /// What `order: shuffled` is drawn from: the same seed gives the same order. Default: drawn
    /// when the plan is read, and stored with the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Which cells may run at the same time. Default: serial.
    pub concurrency: Concurrency,
    /// Tools beside iperf3 and netperf, by name. A name is a DNS label of at most 40 characters.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(extend("propertyNames" = json!({
        "maxLength": 40,
        "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        "not": { "enum": ["iperf3", "netperf"] },
    })))]
    pub tools: IndexMap<String, Arc<DeclaredTool>>,
    /// What to measure. Tests run in the order in which they stand.
    #[schemars(length(min = 1))]
    pub tests: Vec<Test>,
    /// The emulated nodes and links of the local cluster.
    pub local: Local,
    /// How the pods are made on Kubernetes.
    pub kubernetes: Kubernetes,
}

/// Where a worker sits. Without a rule it may sit on any node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Placement {
    /// On the node of this other worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_node_as: Option<String>,
    /// On another node than this other worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_node_than: Option<String>,
    /// In the zone of this other worker. The local cluster has no zones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_zone_as: Option<String>,
    /// In another zone than this other worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_zone_than: Option<String>,
    /// On the node of this name. Only Kubernetes knows nodes by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// On a node with these labels. Only Kubernetes knows nodes by labels.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub node_selector: StringMap,
    /// A group of workers, each on a node of its own: `mesh-1`, `mesh-2` and so on. Default: false,
    /// a single worker.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub one_per_node: bool,
    /// How many workers a group has. Default: one for each node that fits; of the local cluster,
    /// and where no cluster is known, `local.nodes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub count: Option<u32>,
    /// The group that the worker belongs to.
    #[serde(skip)]
    pub group: Option<String>,
}

/// One way for traffic to go: from a worker, to a worker, by an address.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Path {
    /// The path's name, unique in the plan. A DNS label.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// How reports and `result.csv` call it. Default: its name.
    #[schemars(length(max = 100), regex(pattern = r"^[^,;\x00-\x1f\x7f]*$"))]
    pub label: String,
    /// The worker that runs the tool's client.
    pub from: String,
    /// The worker that runs the tool's server; the same as `from` for a hairpin.
    pub to: String,
    /// The address that the client dials.
    pub via: Via,
    /// What is expected of every test on this path.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
}

/// By which address traffic reaches its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The destination pod's own address.
    PodIp,
    /// The virtual IP of the destination's Service, translated on the client's node.
    ClusterIp,
    /// The destination's node: both workers run on their hosts' networks, as a baseline without
    /// the pod network. Only on Kubernetes.
    Host,
}

/// In which order the cells of the matrix run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As the plan lists them: test by test, path by path, the last swept parameter fastest; all
    /// samples of a cell one after the other.
    #[default]
    Listed,
    /// In rounds: one sample of each cell in turn, so that drift hits all cells alike.
    Interleaved,
    /// In rounds, each in another random order, drawn from the plan's `seed`.
    Shuffled,
}

/// Which cells may run at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// One after the other: nothing else is on the network.
    #[default]
    Serial,
    /// Cells that share no node run side by side.
    DisjointNodes,
}

/// A tool with its options, on some paths, over a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Test {
    /// The test's name, unique in the plan; a part of its cells' ids. Default: from the tool and
    /// its protocol, as in `iperf3-tcp`.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// What precedes the path's label in `result.csv`. Default: nptest's word for the tool.
    #[schemars(length(max = 100), regex(pattern = r"^[^,;\x00-\x1f\x7f]*$"))]
    pub label: String,
    /// The tool and its options.
    #[serde(flatten)]
    pub tool: ToolSpec,
    /// The names of the paths to measure; that of a mesh stands for all of its paths. Default: all.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub paths: Vec<String>,
    #[serde(flatten)]
    pub timing: Timing,
    /// Search for the highest rate at which a condition holds, as in
    /// `{ rate: max, while: 'lost_percent <= 0.1' }`. Only for UDP by iperf3, without its `rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub find: Option<Find>,
    /// What is expected of every cell of this test.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
}
