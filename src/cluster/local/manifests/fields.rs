//! The fields of Kubernetes objects that the local cluster supports, by path.
//!
//! Every other field is refused: a template must not ask for something that has no effect here. An
//! `ignored` field is accepted although nothing acts on it, for the reason beside or above it.

/// A field of an object.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// From the object's root; `[]` is every item of a list.
    pub path: String,
    pub support: Support,
    /// It must be present when its parent is.
    pub is_required: bool,
}

/// What the local cluster does with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Support {
    /// It acts on it, or refuses it later with a reason. Kubernetes' type decides what is valid.
    Used,
    /// It acts on these values only.
    OneOf(Vec<&'static str>),
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

/// Where a Job has the spec of its pods.
pub(super) const JOB_POD_SPEC: &str = "spec.template.spec";

/// The supported fields of a kind; none for a kind that the local cluster does not know.
pub(super) fn supported(api_version: &str, kind: &str) -> Vec<Field> {
    let (own, pod_spec) = match (api_version, kind) {
        ("v1", "Pod") => (POD, Some("spec")),
        ("batch/v1", "Job") => (JOB, Some(JOB_POD_SPEC)),
        ("v1", "Service") => (SERVICE, None),
        ("v1", "ConfigMap") => (CONFIG_MAP, None),
        ("v1", "Secret") => (SECRET, None),
        _ => return Vec::new(),
    };
    let mut fields = [parse("", METADATA), parse("", own)].concat();
    if let Some(spec) = pod_spec {
        fields.extend(parse(&format!("{spec}."), POD_SPEC));
        for side in ["podAffinity", "podAntiAffinity"] {
            let terms = format!("{spec}.affinity.{side}.{REQUIRED_TERMS}[].");
            fields.extend(parse(&terms, AFFINITY_TERM));
        }
    }
    fields
}

/// The field of the required terms of an affinity.
pub(super) const REQUIRED_TERMS: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// Reads a list: on each line a path, with `!` when it is required, what is supported (default: everything
/// that Kubernetes' type allows), and after `#` a reason.
fn parse(before: &str, list: &'static str) -> Vec<Field> {
    let lines = list
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let field = |line: &'static str| {
        let mut parts = line.split_whitespace();
        let path = parts.next()?;
        let support = match parts.next() {
            None => Support::Used,
            Some("ignored") => Support::Ignored,
            Some("parent") => Support::Parent,
            Some("mode") => Support::FileMode,
            Some(rule) => match rule.split_once("..") {
                Some((from, to)) => Support::Number(from.parse().ok()?, to.parse().ok()?),
                None => Support::OneOf(rule.split('|').collect()),
            },
        };
        Some(Field {
            path: format!("{before}{}", path.trim_end_matches('!')),
            support,
            is_required: path.ends_with('!'),
        })
    };
    lines.filter_map(field).collect()
}

const METADATA: &str = "
    apiVersion!
    kind!
    metadata.name!
    metadata.namespace
    metadata.labels
    metadata.annotations            ignored     # Notes for other programs.
";

const POD: &str = "
    spec!                           parent
";

const JOB: &str = "
    spec!                           parent
    spec.backoffLimit               0..2147483647
    spec.parallelism                1..1        # A Job's pod has the Job's name: there is one at a time,
    spec.completions                1..1        # and its work is done once.
    spec.activeDeadlineSeconds      ignored     # A run here ends with its command.
    spec.ttlSecondsAfterFinished    ignored     # All objects here end with the run.
    spec.template!                  parent
    spec.template.metadata.labels
    spec.template.metadata.annotations ignored
    spec.template.spec!             parent
";

const SERVICE: &str = "
    spec!                           parent
    spec.selector!
    spec.type                       ClusterIP
    spec.ipFamilyPolicy             SingleStack|PreferDualStack|RequireDualStack
    spec.ipFamilies[]               IPv4|IPv6
    spec.publishNotReadyAddresses   ignored     # A pod is behind its Service at all times.
    spec.ports!                     parent
    spec.ports[].name               ignored     # Only distinguishes the ports of a Service.
    spec.ports[].port!              1..65535
    spec.ports[].targetPort         1..65535
    spec.ports[].protocol           TCP|UDP
    spec.ports[].appProtocol        ignored     # Advice to proxies of the application layer.
";

const CONFIG_MAP: &str = "
    data
    binaryData
    immutable                       ignored     # Objects never change here.
";

const SECRET: &str = "
    stringData
    type                            ignored     # Only tells the API server which keys to check.
    immutable                       ignored
";

const POD_SPEC: &str = "
    restartPolicy                   Always|OnFailure|Never
    hostNetwork
    terminationGracePeriodSeconds   ignored     # Pods end with the cluster, at once.
    automountServiceAccountToken    ignored     # There is no API server, so a token has no use.
    enableServiceLinks              ignored     # Services are found by name in /etc/hosts;
    dnsPolicy                       ignored     # variables for them are never set.
    # A user namespace of an ordinary user has one user id, so processes run as that user.
    # `no_new_privs` is always set.
    securityContext                 ignored
    containers[].securityContext    ignored
    # Emulated nodes have neither labels nor taints, so each takes every pod. What a single worker asks
    # of its node is `nodeAffinity`, which is refused.
    nodeSelector                    ignored
    tolerations                     ignored
    affinity.nodeAffinity
    # A preference, which a scheduler may pass over.
    affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution ignored
    priorityClassName               ignored     # No pod makes room for another.
    # Pods are processes of this machine: no image is pulled, programs come from this machine, and
    # `netplan` is the running binary itself.
    runtimeClassName                ignored
    imagePullSecrets                ignored
    containers[].image              ignored
    containers[].imagePullPolicy    ignored
    containers[].resources          ignored     # Limits would need a delegated cgroup.
    containers[].ports              ignored     # Has no effect in Kubernetes either.
    containers[].name               ignored     # A pod has one container.
    # Segmentation offloads of the emulated interfaces are what `local.offloads` says.
    initContainers[].name!          offloads
    initContainers[].image          ignored
    initContainers[].imagePullPolicy ignored
    initContainers[].command        ignored
    initContainers[].env            ignored
    initContainers[].securityContext ignored
    initContainers[].resources      ignored
    containers!                     parent
    containers[].command!                       # There is no image to take a default from.
    containers[].args
    containers[].env[].name!
    containers[].env[].value
    containers[].env[].valueFrom.fieldRef!                parent
    containers[].env[].valueFrom.fieldRef.apiVersion      ignored   # `v1` is the only version.
    containers[].env[].valueFrom.fieldRef.fieldPath!      status.podIP|status.podIPs|spec.nodeName|metadata.name|metadata.namespace
    containers[].volumeMounts[].name!
    containers[].volumeMounts[].mountPath!
    containers[].volumeMounts[].readOnly
    volumes[].name!
    volumes[].configMap.name!
    volumes[].configMap.defaultMode mode
    volumes[].secret.secretName!
    volumes[].secret.defaultMode    mode
    volumes[].persistentVolumeClaim parent      # An empty folder: all of the run is on this machine.
    volumes[].persistentVolumeClaim.claimName ignored
    volumes[].emptyDir              parent
    volumes[].emptyDir.medium       ignored     # It is always in memory,
    volumes[].emptyDir.sizeLimit    ignored     # and the machine's memory is the limit.
";

/// Each emulated node is a host of its own; zones are refused with a reason.
const AFFINITY_TERM: &str = "
    topologyKey!                    kubernetes.io/hostname|topology.kubernetes.io/zone
    labelSelector!                  parent
    labelSelector.matchLabels!
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        for list in [
            METADATA,
            POD,
            JOB,
            SERVICE,
            CONFIG_MAP,
            SECRET,
            POD_SPEC,
            AFFINITY_TERM,
        ] {
            let lines = list.lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            assert_eq!(parse("", list).len(), lines.count());
        }
        let fields = parse("spec.", "mode! 1..7 # Why.");
        assert_eq!(fields[0].path, "spec.mode");
        assert!(fields[0].is_required);
        assert_eq!(fields[0].support, Support::Number(1, 7));
    }
}
