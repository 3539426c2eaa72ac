//! The fields of Kubernetes objects that the local cluster supports, by path.
//!
//! Every other field is refused: a template must not ask for something that has no effect here. An
//! `ignored` field is accepted although nothing acts on it, each for the stated reason.

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Relative to its list; `[]` stands for every item of a list.
    pub path: &'static str,
    pub support: Support,
    /// It must be present when its parent is.
    pub is_required: bool,
}

/// What the local cluster does with a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Support {
    /// It acts on it, or refuses it later with a reason. Kubernetes' type decides what is valid.
    Used,
    /// It acts on these values only.
    OneOf(&'static [&'static str]),
    /// It acts on whole numbers in this range, ends included.
    Number(u64, u64),
    /// A file mode up to 0777: a number, or octal text. `0440` is octal in YAML 1.1, which Kubernetes
    /// reads, and text in YAML 1.2.
    FileMode,
    /// Valid in Kubernetes, without effect here.
    Ignored,
    /// The fields below it are listed by themselves.
    Parent,
}

const fn field(path: &'static str, support: Support) -> Field {
    Field {
        path,
        support,
        is_required: false,
    }
}

const fn used(path: &'static str) -> Field {
    field(path, Support::Used)
}

const fn ignored(path: &'static str) -> Field {
    field(path, Support::Ignored)
}

const fn required(field: Field) -> Field {
    Field {
        is_required: true,
        ..field
    }
}

/// A place in an object, and the fields below it.
pub(super) type Section = (&'static str, &'static [Field]);

/// The supported fields of a kind. `None` for a kind that the local cluster does not know.
pub(super) fn supported(api_version: &str, kind: &str) -> Option<&'static [Section]> {
    Some(match (api_version, kind) {
        ("v1", "Pod") => &[("", METADATA), ("", POD), ("spec", POD_SPEC)],
        ("batch/v1", "Job") => &[("", METADATA), ("", JOB), (JOB_POD_SPEC, POD_SPEC)],
        ("v1", "Service") => &[("", METADATA), ("", SERVICE)],
        ("v1", "ConfigMap") => &[("", METADATA), ("", CONFIG_MAP)],
        ("v1", "Secret") => &[("", METADATA), ("", SECRET)],
        _ => return None,
    })
}

/// Where a Job has the spec of its pods.
pub(super) const JOB_POD_SPEC: &str = "spec.template.spec";

const METADATA: &[Field] = &[
    required(used("apiVersion")),
    required(used("kind")),
    required(used("metadata.name")),
    used("metadata.namespace"),
    used("metadata.labels"),
    // Notes for other programs.
    ignored("metadata.annotations"),
];

const POD: &[Field] = &[required(field("spec", Support::Parent))];

const JOB: &[Field] = &[
    required(field("spec", Support::Parent)),
    field("spec.backoffLimit", Support::Number(0, i32::MAX as u64)),
    // A Job's pod has the Job's name: there is one at a time, and its work is done once.
    field("spec.parallelism", Support::Number(1, 1)),
    field("spec.completions", Support::Number(1, 1)),
    // All objects here end with the run.
    ignored("spec.ttlSecondsAfterFinished"),
    required(field("spec.template", Support::Parent)),
    used("spec.template.metadata.labels"),
    ignored("spec.template.metadata.annotations"),
    required(field(JOB_POD_SPEC, Support::Parent)),
];

const SERVICE: &[Field] = &[
    required(field("spec", Support::Parent)),
    required(used("spec.selector")),
    field("spec.type", Support::OneOf(&["ClusterIP"])),
    // Every Service has one address, of IPv4, and its pod is behind it at all times.
    ignored("spec.ipFamilyPolicy"),
    field("spec.ipFamilies[]", Support::OneOf(&["IPv4"])),
    ignored("spec.publishNotReadyAddresses"),
    required(field("spec.ports", Support::Parent)),
    // Only distinguishes the ports of a Service.
    ignored("spec.ports[].name"),
    required(field("spec.ports[].port", PORT)),
    field("spec.ports[].targetPort", PORT),
    field("spec.ports[].protocol", Support::OneOf(&["TCP", "UDP"])),
    // Advice to proxies of the application layer.
    ignored("spec.ports[].appProtocol"),
];

const PORT: Support = Support::Number(1, 65_535);

const CONFIG_MAP: &[Field] = &[
    used("data"),
    used("binaryData"),
    // Objects never change here.
    ignored("immutable"),
];

const SECRET: &[Field] = &[
    used("stringData"),
    // Only tells the API server which keys to check.
    ignored("type"),
    ignored("immutable"),
];

const POD_SPEC: &[Field] = &[
    field(
        "restartPolicy",
        Support::OneOf(&["Always", "OnFailure", "Never"]),
    ),
    used("hostNetwork"),
    // Pods end with the cluster, at once.
    ignored("terminationGracePeriodSeconds"),
    // There is no API server, so no account whose token a pod could hold.
    ignored("automountServiceAccountToken"),
    // Services are found by name in /etc/hosts; variables for them are never set.
    ignored("enableServiceLinks"),
    ignored("dnsPolicy"),
    // A user namespace of an ordinary user has one user id, so processes run as that user.
    // `no_new_privs` is always set.
    ignored("securityContext"),
    ignored("containers[].securityContext"),
    // Emulated nodes have neither labels nor taints, so each takes every pod. What a single worker
    // asks of its node is `nodeAffinity`, which is refused.
    ignored("nodeSelector"),
    ignored("tolerations"),
    // No pod makes room for another.
    ignored("priorityClassName"),
    // Pods are processes of this machine: no image is pulled, programs come from this machine, and
    // `netplan` is the running binary itself.
    ignored("runtimeClassName"),
    ignored("imagePullSecrets"),
    ignored("containers[].image"),
    ignored("containers[].imagePullPolicy"),
    // All pods share this machine; limits would need a delegated cgroup.
    ignored("containers[].resources"),
    // States what the container listens on; has no effect in Kubernetes either.
    ignored("containers[].ports"),
    // A pod has one container.
    ignored("containers[].name"),
    used("affinity.nodeAffinity"),
    required(field(
        "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[].topologyKey",
        TOPOLOGY_KEY,
    )),
    required(field(
        "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[].labelSelector",
        Support::Parent,
    )),
    required(used(
        "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[].labelSelector.matchLabels",
    )),
    required(field(
        "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].topologyKey",
        TOPOLOGY_KEY,
    )),
    required(field(
        "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].labelSelector",
        Support::Parent,
    )),
    required(used(
        "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].labelSelector.matchLabels",
    )),
    required(field("containers", Support::Parent)),
    // There is no image to take a default command from.
    required(used("containers[].command")),
    used("containers[].args"),
    required(used("containers[].env[].name")),
    used("containers[].env[].value"),
    required(field(
        "containers[].env[].valueFrom.fieldRef",
        Support::Parent,
    )),
    // `v1` is the only version.
    ignored("containers[].env[].valueFrom.fieldRef.apiVersion"),
    required(field(
        "containers[].env[].valueFrom.fieldRef.fieldPath",
        Support::OneOf(&[
            "status.podIP",
            // Separated by commas; a local pod has one.
            "status.podIPs",
            "spec.nodeName",
            "metadata.name",
            "metadata.namespace",
        ]),
    )),
    required(used("containers[].volumeMounts[].name")),
    required(used("containers[].volumeMounts[].mountPath")),
    used("containers[].volumeMounts[].readOnly"),
    required(used("volumes[].name")),
    required(used("volumes[].configMap.name")),
    field("volumes[].configMap.defaultMode", Support::FileMode),
    required(used("volumes[].secret.secretName")),
    field("volumes[].secret.defaultMode", Support::FileMode),
    field("volumes[].emptyDir", Support::Parent),
    // It is always in memory, and the machine's memory is the limit.
    ignored("volumes[].emptyDir.medium"),
    ignored("volumes[].emptyDir.sizeLimit"),
];

/// Each emulated node is a host of its own; zones are refused with a reason.
const TOPOLOGY_KEY: Support =
    Support::OneOf(&["kubernetes.io/hostname", "topology.kubernetes.io/zone"]);
