//! What `kubernetes:` says of the pods of a run, once it has been read.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

/// The namespace of a run whose plan names none. It is netplan's own, and says by its labels what
/// may run in it.
pub const NAMESPACE: &str = "netplan";

/// Names and values, as in labels.
pub type StringMap = IndexMap<String, String>;

/// How the run's objects are made on Kubernetes. The local cluster does not look at it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Kubernetes {
    /// The image of all pods. Default: `netplan` with the version of the binary as its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// When nodes pull the image. Default: `IfNotPresent`.
    pub image_pull_policy: PullPolicy,
    /// The names of Secrets with registry credentials; they are in the namespace already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pull_secrets: Vec<String>,
    /// Where the objects live; it is made if it is missing. Default: `netplan`.
    #[schemars(length(max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub namespace: String,
    /// Labels that the nodes of all pods have; a worker may ask for more.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub node_selector: StringMap,
    /// Taints that all pods put up with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// What the containers ask for, and what they may use at most.
    pub resources: PodResources,
    /// The name of the pods' `PriorityClass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class: Option<String>,
    /// Annotations of all pods.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub annotations: StringMap,
    /// Labels of all objects, beside netplan's own.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: StringMap,
    /// The name of the pods' `RuntimeClass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class: Option<String>,
    /// The family of pod and Service addresses. Default: the cluster's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_family: Option<IpFamily>,
}

impl Default for Kubernetes {
    fn default() -> Self {
        Self {
            image: None,
            image_pull_policy: PullPolicy::default(),
            pull_secrets: Vec::new(),
            namespace: NAMESPACE.to_owned(),
            node_selector: StringMap::new(),
            tolerations: Vec::new(),
            resources: PodResources::default(),
            priority_class: None,
            annotations: StringMap::new(),
            labels: StringMap::new(),
            runtime_class: None,
            ip_family: None,
        }
    }
}

/// When a node pulls the image, as Kubernetes calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum PullPolicy {
    /// At each start of a pod.
    Always,
    /// Only when the node does not have it.
    #[default]
    IfNotPresent,
    /// Not at all: the image is on the nodes.
    Never,
}

/// An address family, as Kubernetes calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum IpFamily {
    IPv4,
    IPv6,
}

/// A taint that pods put up with, as in Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Toleration {
    /// The taint's key. Default: any taint, with `operator: Exists`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `Equal` compares the value, `Exists` takes any. Default: `Equal`.
    pub operator: TolerationOperator,
    /// The taint's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The taint's effect. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// `NoExecute` only: after this many seconds the pod goes all the same. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<u32>,
}

/// How a toleration compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum TolerationOperator {
    #[default]
    Equal,
    Exists,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// The resources of the containers, by role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PodResources {
    /// Those of each worker.
    pub workers: Resources,
    /// Those of the orchestrator.
    pub orchestrator: Resources,
}

/// What a container asks for, and what it may use at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resources {
    /// What a node has to have free, as in `{ cpu: 500m, memory: 64Mi }`.
    #[schemars(extend("additionalProperties" = { "type": ["string", "number"] }))]
    pub requests: StringMap,
    /// What the container may use at most. A CPU limit throttles, and so falsifies figures.
    #[schemars(extend("additionalProperties" = { "type": ["string", "number"] }))]
    pub limits: StringMap,
}

impl Default for PodResources {
    fn default() -> Self {
        let words = |words: &[(&str, &str)]| -> StringMap {
            let owned = words
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            owned.collect()
        };
        Self {
            workers: Resources {
                requests: words(&[("cpu", "100m"), ("memory", "32Mi")]),
                limits: words(&[("memory", "512Mi")]),
            },
            orchestrator: Resources {
                requests: words(&[("cpu", "50m"), ("memory", "32Mi")]),
                limits: words(&[("memory", "128Mi")]),
            },
        }
    }
}
