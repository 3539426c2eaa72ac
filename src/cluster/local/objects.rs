//! The Kubernetes objects that the local cluster understands, field by field.
//!
//! Every structure refuses unknown fields: a template that says something which would have no
//! effect here must not look as if it had. [`Unenforced`] marks the fields that are let through
//! all the same, each with the reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::pod_spec::PodSpec;

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
    /// In base64.
    #[serde(default)]
    pub binary_data: BTreeMap<String, String>,
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
