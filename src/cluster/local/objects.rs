//! The Kubernetes objects that the local cluster understands, field by field.
//!
//! Every structure refuses unknown fields: a template that says something which would have no
//! effect here must not look as if it had. [`Unenforced`] marks the fields that are let through
//! all the same, each with the reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// A field that is valid in Kubernetes and has nothing to act on here.
pub type Unenforced = serde::de::IgnoredAny;

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    pub name: String,
    #[serde(default = "default_namespace")]
    pub namespace: String,
    #[serde(default)]
    pub labels: Labels,
    /// Notes for other programs.
    #[serde(default, rename = "annotations")]
    _annotations: Unenforced,
}

fn default_namespace() -> String {
    "default".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConfigMap {
    #[serde(rename = "apiVersion")]
    _api_version: Unenforced,
    #[serde(rename = "kind")]
    _kind: Unenforced,
    pub metadata: Metadata,
    #[serde(default)]
    pub data: BTreeMap<String, String>,
    /// Nobody changes objects here.
    #[serde(default, rename = "immutable")]
    _immutable: Unenforced,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Secret {
    #[serde(rename = "apiVersion")]
    _api_version: Unenforced,
    #[serde(rename = "kind")]
    _kind: Unenforced,
    pub metadata: Metadata,
    #[serde(default)]
    pub string_data: BTreeMap<String, String>,
    /// Only tells the API server which keys to check.
    #[serde(default, rename = "type")]
    _type: Unenforced,
    /// Nobody changes objects here.
    #[serde(default, rename = "immutable")]
    _immutable: Unenforced,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Service {
    #[serde(rename = "apiVersion")]
    _api_version: Unenforced,
    #[serde(rename = "kind")]
    _kind: Unenforced,
    pub metadata: Metadata,
    pub spec: ServiceSpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServiceSpec {
    pub selector: Labels,
    pub ports: Vec<ServicePort>,
    #[serde(default, rename = "type")]
    _type: OnlyClusterIp,
    /// Every Service has one address, of IPv4.
    #[serde(default, rename = "ipFamilyPolicy")]
    _ip_family_policy: Unenforced,
    #[serde(default, rename = "ipFamilies")]
    _ip_families: Vec<OnlyIpv4>,
    /// A pod is behind its Service at all times here.
    #[serde(default, rename = "publishNotReadyAddresses")]
    _publish_not_ready_addresses: Unenforced,
}

/// The only family that the emulated nodes have.
#[derive(Clone, Copy, Debug, Deserialize)]
enum OnlyIpv4 {
    IPv4,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServicePort {
    /// Only tells the ports of a Service apart.
    #[serde(default, rename = "name")]
    _name: Unenforced,
    pub port: u16,
    /// Default: the same as `port`.
    pub target_port: Option<u16>,
    #[serde(default)]
    pub protocol: Transport,
    /// Advice to proxies of the application layer.
    #[serde(default, rename = "appProtocol")]
    _app_protocol: Unenforced,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum OnlyClusterIp {
    #[default]
    ClusterIP,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Transport {
    #[default]
    Tcp,
    Udp,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Job {
    #[serde(rename = "apiVersion")]
    _api_version: Unenforced,
    #[serde(rename = "kind")]
    _kind: Unenforced,
    pub metadata: Metadata,
    pub spec: JobSpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct JobSpec {
    #[serde(default = "default_backoff_limit")]
    pub backoff_limit: u32,
    pub template: PodTemplate,
    /// A Job's pod goes by the Job's name: there is one at a time.
    #[serde(default, rename = "parallelism")]
    _parallelism: OnlyOne,
    /// Its work is done once.
    #[serde(default, rename = "completions")]
    _completions: OnlyOne,
    /// Everything here is gone with the run.
    #[serde(default, rename = "ttlSecondsAfterFinished")]
    _ttl_seconds_after_finished: Unenforced,
}

/// The only number of a Job's pods that is played here.
#[derive(Clone, Copy, Debug, Default)]
struct OnlyOne;

impl<'de> Deserialize<'de> for OnlyOne {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match u32::deserialize(deserializer)? {
            1 => Ok(Self),
            more => Err(D::Error::custom(format!("expected 1, not {more}"))),
        }
    }
}

/// As the Job controller has it.
fn default_backoff_limit() -> u32 {
    6
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodTemplate {
    #[serde(default)]
    pub metadata: TemplateMetadata,
    pub spec: PodSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TemplateMetadata {
    #[serde(default)]
    pub labels: Labels,
    /// Notes for other programs.
    #[serde(default, rename = "annotations")]
    _annotations: Unenforced,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pod {
    #[serde(rename = "apiVersion")]
    _api_version: Unenforced,
    #[serde(rename = "kind")]
    _kind: Unenforced,
    pub metadata: Metadata,
    pub spec: PodSpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodSpec {
    #[serde(default)]
    pub restart_policy: RestartPolicy,
    #[serde(default)]
    pub affinity: Affinity,
    pub containers: Vec<Container>,
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// Pods end with the cluster, at once.
    #[serde(default, rename = "terminationGracePeriodSeconds")]
    _termination_grace_period_seconds: Unenforced,
    /// There is no API server, hence no account to hold a token of.
    #[serde(default, rename = "automountServiceAccountToken")]
    _automount_service_account_token: Unenforced,
    /// Services are found by name; variables for them are never set.
    #[serde(default, rename = "enableServiceLinks")]
    _enable_service_links: Unenforced,
    /// A user namespace of an ordinary user has one user id, so processes run as that user.
    #[serde(default, rename = "securityContext")]
    _security_context: Unenforced,
    #[serde(default)]
    pub host_network: bool,
    /// Names are found in /etc/hosts.
    #[serde(default, rename = "dnsPolicy")]
    _dns_policy: Unenforced,
    /// Emulated nodes have neither labels nor taints: each takes every pod. What a single worker asks
    /// of its node is `nodeAffinity`, which is refused.
    #[serde(default, rename = "nodeSelector")]
    _node_selector: Unenforced,
    /// See `nodeSelector`.
    #[serde(default, rename = "tolerations")]
    _tolerations: Unenforced,
    /// No image is pulled.
    #[serde(default, rename = "imagePullSecrets")]
    _image_pull_secrets: Unenforced,
    /// No pod makes room for another.
    #[serde(default, rename = "priorityClassName")]
    _priority_class_name: Unenforced,
    /// Pods are processes of this machine.
    #[serde(default, rename = "runtimeClassName")]
    _runtime_class_name: Unenforced,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum RestartPolicy {
    #[default]
    Always,
    OnFailure,
    Never,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "Kubernetes calls them so")]
pub struct Affinity {
    /// Refused; see [`super::read`].
    #[serde(default)]
    pub node_affinity: Option<Unenforced>,
    #[serde(default)]
    pub pod_affinity: PodAffinity,
    #[serde(default)]
    pub pod_anti_affinity: PodAffinity,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodAffinity {
    #[serde(default, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Vec<AffinityTerm>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AffinityTerm {
    pub topology_key: TopologyKey,
    pub label_selector: LabelSelector,
}

/// What a rule compares. Each emulated node is a host of its own; zones are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum TopologyKey {
    #[serde(rename = "kubernetes.io/hostname")]
    Hostname,
    #[serde(rename = "topology.kubernetes.io/zone")]
    Zone,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LabelSelector {
    pub match_labels: Labels,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Container {
    /// A pod has one.
    #[serde(rename = "name")]
    _name: Unenforced,
    /// Programs come from this machine; `netplan` is the running binary itself.
    #[serde(default, rename = "image")]
    _image: Unenforced,
    /// See `image`.
    #[serde(default, rename = "imagePullPolicy")]
    _image_pull_policy: Unenforced,
    /// There is no image to take a default command from.
    pub command: Vec<String>,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub env: Vec<EnvVar>,
    /// Says what the container listens on; opens and closes nothing in Kubernetes either.
    #[serde(default, rename = "ports")]
    _ports: Unenforced,
    /// `no_new_privs` is always set; see the pod's for the user.
    #[serde(default, rename = "securityContext")]
    _security_context: Unenforced,
    /// All pods share this machine; limits would need a delegated cgroup.
    #[serde(default, rename = "resources")]
    _resources: Unenforced,
    #[serde(default)]
    pub volume_mounts: Vec<VolumeMount>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EnvVar {
    pub name: String,
    pub value: Option<String>,
    pub value_from: Option<EnvSource>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EnvSource {
    pub field_ref: FieldRef,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FieldRef {
    /// `v1` is the only version there is.
    #[serde(default, rename = "apiVersion")]
    _api_version: Unenforced,
    pub field_path: PodField,
}

/// A field of a pod that its environment can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum PodField {
    #[serde(rename = "status.podIP")]
    PodIp,
    /// Separated by commas; a local pod has one.
    #[serde(rename = "status.podIPs")]
    PodIps,
    #[serde(rename = "spec.nodeName")]
    NodeName,
    #[serde(rename = "metadata.name")]
    Name,
    #[serde(rename = "metadata.namespace")]
    Namespace,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VolumeMount {
    pub name: String,
    pub mount_path: String,
    #[serde(default)]
    pub read_only: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Volume {
    pub name: String,
    pub config_map: Option<ConfigMapVolume>,
    pub secret: Option<SecretVolume>,
    pub empty_dir: Option<EmptyDir>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConfigMapVolume {
    pub name: String,
    #[serde(default = "default_file_mode", deserialize_with = "file_mode")]
    pub default_mode: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SecretVolume {
    pub secret_name: String,
    #[serde(default = "default_file_mode", deserialize_with = "file_mode")]
    pub default_mode: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EmptyDir {
    /// It is always in memory.
    #[serde(default, rename = "medium")]
    _medium: Unenforced,
    /// The machine's memory is the limit.
    #[serde(default, rename = "sizeLimit")]
    _size_limit: Unenforced,
}

fn default_file_mode() -> u32 {
    0o644
}

/// `0440` is octal to YAML 1.1, which Kubernetes reads, and text to parsers of YAML 1.2.
fn file_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    use serde::de::Error;
    let mode = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Number(number) => number.as_u64(),
        serde_json::Value::String(text) if text.starts_with('0') => {
            u64::from_str_radix(text.trim_start_matches("0o"), 8).ok()
        }
        _ => None,
    };
    mode.and_then(|mode| u32::try_from(mode).ok())
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| D::Error::custom("expected a file mode from 0 to 0777"))
}
