//! `kubernetes:`, and the keys of pods.

use crate::plan::describe::key::{
    Form, Key, Kind, LONGEST_NAME, List, MAPPING, Mapping, hint, key, limits, words,
};
use crate::plan::model::family::Family;
use crate::plan::model::kubernetes::{PodUser, PullPolicy, TaintEffect, TolerationOperator};
use crate::plan::model::local::Offloads;
use crate::plan::model::kubernetes_names::{self, image, label_value, object_name};

/// Thirty days: how long a run's certificates are valid.
const MOST_DEADLINE_S: u64 = 30 * 24 * 3600;

const RUN_KEYS: &[Key] = &[
    key("image", Kind::Text(Form::Checked(image)), "The image of all pods.")
        .or("`netplan` with the version of the binary as its tag"),
    key("image_pull_policy", Kind::Word(words::<PullPolicy>), "When nodes pull the image.")
        .or("`IfNotPresent`"),
    key("pull_secrets",
        Kind::List(&List { item: Kind::Text(Form::Checked(object_name)), example: "`- my-registry`", is_unique: false, }),
        "The names of Secrets with registry credentials; they are in the namespace already."),
    key("namespace", Kind::Text(Form::DnsLabel(LONGEST_NAME)),
        "The namespace of the objects; it is created if it does not exist.").or("`netplan`"),
    key("resources", Kind::Map(&POD_RESOURCES),
        "What the containers ask for, and what they may use at most."),
    key("priority_class", Kind::Text(Form::Checked(object_name)),
        "The name of the pods' `PriorityClass`."),
    key("ip_family", Kind::Word(words::<Family>), "The family of pod and Service addresses.")
        .or("the cluster's first"),
    key("offloads", Kind::Word(words::<Offloads>),
        "Segmentation offloads of the workers' interfaces. `off` has a container with the capability `NET_ADMIN` switch them off \
         in each pod, so the namespace must have the Pod Security level `privileged`; those of the nodes stay.")
        .or("kernel"),
    key("results_claim", Kind::Text(Form::Checked(object_name)),
        "The PersistentVolumeClaim, in the run's namespace, for the journal of the run.")
        .or("a worker holds a copy of the journal"),
    key("user", Kind::Word(words::<PodUser>), "Who chooses the user id of the processes.").or("`image`"),
    key("architecture", Kind::Text(Form::Checked(label_value)),
        "The architecture of the nodes that the pods run on, as Kubernetes calls it: `amd64`, `arm64`. Required \
         where nodes have several and the image has one.").or("any"),
    key("active_deadline_seconds", Kind::Number(limits(60, MOST_DEADLINE_S, "seconds")),
        "After this many seconds Kubernetes ends the run's Jobs, whatever they do; what was measured until then \
         may be lost.").or("none"),
    key("ttl_seconds_after_finished", Kind::Number(limits(0, MOST_DEADLINE_S, "seconds")),
        "Kubernetes removes the run's Jobs so many seconds after their end. Only with `results_claim`: without it \
         the results would go with them.").or("they stay until `netplan clean`"),
    key("pod", Kind::PodTemplate,
        "Fields of a pod template, as Kubernetes spells them, for what has no key here: merged into the pods as \
         `kubectl patch` does. `null` removes a field. The parts for the containers `worker`, `orchestrator` and `offloads` are \
         for the pods that have them; other containers are added to all. What netplan needs cannot be changed: its labels, \
         commands, volumes and placements, and that no pod has a token."),
    key("network_policies", Kind::Bool,
        "Whether the run has network policies of its own, which let pods reach only what the run needs. \
         Without them the pods are as open as the namespace leaves them, and a mesh's proxies reach their control plane.").or("true"),
];

/// Taints that pods tolerate.
const TOLERATIONS: Kind = Kind::List(&List {
    item: Kind::Map(&TOLERATION),
    example: "`- { key: dedicated, operator: Exists }`",
    is_unique: false,
});

/// The keys of pods, which one decoder reads.
pub const POD_KEYS: &[Key] = &[
    key("node_selector", NODE_SELECTOR,
        "Labels that the nodes of the pods have, and those that wider settings ask for. Only Kubernetes \
         knows nodes by labels."),
    key("tolerations", TOLERATIONS, "Taints that the pods tolerate."),
    key("annotations", Kind::Names(Form::Checked(kubernetes_names::key), &Kind::Text(Form::Any)),
        "Annotations of the pods."),
    key("labels",
        Kind::Names(Form::Checked(kubernetes_names::key), &Kind::Text(Form::Checked(label_value))),
        "Labels beside netplan's own. Those in `kubernetes:` are on all objects, others on the worker's pods."),
    key("runtime_class", Kind::Text(Form::Checked(object_name)),
        "The name of the pods' `RuntimeClass`."),
    key("host_network", Kind::Bool,
        "Whether the worker is on its node's network. Where an end of a `via: host` path says it, both \
         ends are as they say. Only on Kubernetes.").or("as the paths ask: `via: host`"),
];

/// The keys of a worker's pods.
pub const WORKER_POD_KEYS: &[Key] = &[
    key("resources", Kind::Map(&RESOURCES),
        "What the worker's container asks for, and what it may use at most.")
        .or("`kubernetes.resources.workers`"),
];

/// Labels of nodes.
const NODE_SELECTOR: Kind = Kind::Names(
    Form::Checked(kubernetes_names::key),
    &Kind::Text(Form::Checked(label_value)),
);

/// How the pods of a run are made.
pub static KUBERNETES: Mapping = Mapping {
    name: "Kubernetes",
    what: "a mapping with `image`, `namespace`, `resources` or the like",
    text: "How the run's objects are made on Kubernetes. The local cluster ignores it, except `ip_family`.",
    keys: &[RUN_KEYS, POD_KEYS],
    may_be_empty: true,
    hints: &[
        hint(&["imagePullSecrets", "image_pull_secrets"], "it is called `pull_secrets` here"),
        hint(&["priorityClassName", "priority_class_name"], "it is called `priority_class` here"),
        hint(&["runtimeClassName", "runtime_class_name"], "it is called `runtime_class` here"),
        hint(&["ipFamily", "ipFamilies", "ip_families"], "it is called `ip_family` here"),
        hint(&["nodeName", "node_name", "node", "nodes"], "give each worker its node, e.g. `w1: { node: NAME }`"),
        hint(&["hostNetwork"], "it is called `host_network` here"),
        hint(&["affinity"], "give each worker its place, e.g. `w2: { same_node_as: w1 }`"),
    ],
    ..MAPPING
};

const TOLERATION_KEYS: &[Key] = &[
    key("key", Kind::Text(Form::Checked(kubernetes_names::key)), "The taint's key.")
        .or("any taint, with `operator: Exists`"),
    key("operator", Kind::Word(words::<TolerationOperator>),
        "`Equal` compares the value, `Exists` takes any.").or("`Equal`"),
    key("value", Kind::Text(Form::Checked(label_value)), "The taint's value."),
    key("effect", Kind::Word(words::<TaintEffect>), "The taint's effect.").or("any"),
    key("toleration_seconds", Kind::Number(limits(0, u32::MAX as u64, "seconds")),
        "`NoExecute` only: after this many seconds the pod is evicted all the same.").or("never"),
];

/// A toleration, as Kubernetes has it.
pub static TOLERATION: Mapping = Mapping {
    name: "Toleration",
    what: "a toleration, e.g. `{ key: dedicated, operator: Exists }`",
    text: "A taint that pods tolerate, as Kubernetes defines it.",
    keys: &[TOLERATION_KEYS],
    hints: &[hint(&["tolerationSeconds"], "it is called `toleration_seconds` here")],
    ..MAPPING
};

/// The resources of the containers, by role.
pub static POD_RESOURCES: Mapping = Mapping {
    name: "PodResources",
    what: "a mapping with `workers` or `orchestrator`",
    text: "",
    keys: &[&[
        key("workers", Kind::Map(&RESOURCES), "Those of each worker."),
        key("orchestrator", Kind::Map(&RESOURCES), "Those of the orchestrator."),
    ]],
    may_be_empty: true,
    hints: &[hint(&["requests", "limits", "cpu", "memory"], "{} belongs one level deeper, e.g. `workers: { requests: { cpu: 1 } }`")],
    ..MAPPING
};

/// The resources of a container.
pub static RESOURCES: Mapping = Mapping {
    name: "Resources",
    what: "a mapping with `requests` or `limits`",
    text: "What a container asks for, and what it may use at most.",
    keys: &[&[
        key("requests", Kind::Names(Form::Any, &Kind::Scalar),
            "What a node has to have free, e.g. `{ cpu: 500m, memory: 64Mi }`."),
        key("limits", Kind::Names(Form::Any, &Kind::Scalar),
            "What the container may use at most. A CPU limit throttles, and so falsifies figures."),
    ]],
    may_be_empty: true,
    hints: &[hint(&["cpu", "memory"], "{} belongs in `requests:` or in `limits:`")],
    ..MAPPING
};
