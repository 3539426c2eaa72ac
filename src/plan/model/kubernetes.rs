//! What `kubernetes:` says of the pods of a run, once it has been read.

use indexmap::IndexMap;
use serde::Serialize;

use super::choice::Choice;
use super::family::Family;
use super::local::Offloads;
use super::pod_patch::PodPatch;

/// The namespace of a run whose plan names none. It belongs to netplan, and its labels say what may
/// run in it.
pub const NAMESPACE: &str = "netplan";

/// Texts by name, e.g. labels.
pub type StringMap = IndexMap<String, String>;

/// How the run's objects are made on Kubernetes. The keys are described in
/// `describe/keys/kubernetes.rs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kubernetes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    pub image_pull_policy: PullPolicy,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pull_secrets: Vec<String>,
    pub namespace: String,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub node_selector: StringMap,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    pub resources: PodResources,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class: Option<String>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub annotations: StringMap,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: StringMap,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class: Option<String>,
    /// Whether the run has network policies of its own.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub network_policies: bool,
    /// Whether workers are on their nodes' network. `None` where the paths decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_network: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_family: Option<Family>,
    #[serde(skip_serializing_if = "Offloads::is_kernel")]
    pub offloads: Offloads,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results_claim: Option<String>,
    #[serde(skip_serializing_if = "PodUser::is_default")]
    pub user: PodUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds_after_finished: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodPatch>,
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
            network_policies: true,
            host_network: None,
            ip_family: None,
            offloads: Offloads::Kernel,
            results_claim: None,
            user: PodUser::default(),
            architecture: None,
            active_deadline_seconds: None,
            ttl_seconds_after_finished: None,
            pod: None,
        }
    }
}

/// Who chooses the user id of the pods' processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PodUser {
    #[default]
    Image,
    Platform,
}

impl PodUser {
    /// Whether it is what a plan has that does not say it.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Choice for PodUser {
    const ALL: &'static [(Self, &'static str)] = &[
        (
            Self::Image,
            "The image has the user 65532, and the pods name it.",
        ),
        (
            Self::Platform,
            "The platform gives each namespace user ids of its own, as OpenShift does: the pods name none.",
        ),
    ];
}

/// When a node pulls the image, as Kubernetes calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum PullPolicy {
    Always,
    #[default]
    IfNotPresent,
    Never,
}

impl Choice for PullPolicy {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Always, "At each start of a pod."),
        (Self::IfNotPresent, "Only when the node does not have it."),
        (Self::Never, "Not at all: the image is on the nodes."),
    ];
}

/// A taint that pods tolerate, as Kubernetes defines it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Toleration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub operator: TolerationOperator,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<u32>,
}

/// How a toleration compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum TolerationOperator {
    #[default]
    Equal,
    Exists,
}

impl Choice for TolerationOperator {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Equal, ""), (Self::Exists, "")];
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

impl Choice for TaintEffect {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::NoSchedule, ""),
        (Self::PreferNoSchedule, ""),
        (Self::NoExecute, ""),
    ];
}

/// The resources of the containers, by role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PodResources {
    pub workers: Resources,
    pub orchestrator: Resources,
}

/// What a container asks for, and what it may use at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Resources {
    pub requests: StringMap,
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
