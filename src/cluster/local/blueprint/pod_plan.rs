//! A placed pod → what its kubelet has to do: files, mounts, environment, command.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::PathBuf;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Volume;
use serde::{Deserialize, Serialize};

use super::expand::expand;
use super::layout::{Layout, PlacedPod, joined, node_name, pod_namespace};
use crate::cluster::local::manifests::Objects;
use crate::cluster::placement::PodToPlace;

/// Everything that starting a pod needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodPlan {
    pub name: String,
    /// Its network namespace.
    pub namespace: String,
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    /// The text of its /etc/hosts: the cluster's DNS.
    pub hosts: String,
    pub volumes: Vec<VolumePlan>,
    pub mounts: Vec<MountPlan>,
    /// Paths of the machine that a mount would cover and that the pod sees all the same.
    pub host_paths: Vec<PathBuf>,
    pub restart: Restart,
    /// How often in a row it may be started again.
    pub restart_limit: u32,
}

/// A folder, with its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumePlan {
    pub name: String,
    pub files: Vec<FilePlan>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePlan {
    pub name: String,
    pub mode: u32,
    pub content: Content,
}

/// What a file holds, as its object says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(String),
    /// Base64 where it is serialized.
    Binary(ByteString),
}

/// Where a volume is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPlan {
    pub volume: String,
    pub path: String,
    pub read_only: bool,
}

/// After which ends a pod's process is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    Always,
    OnFailure,
    Never,
}

/// What a pod's kubelet has to do.
pub fn pod_plan(pod: &PlacedPod, layout: &Layout, objects: &Objects) -> PodPlan {
    let PodToPlace { name, spec, .. } = &pod.object.pod;
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    let mut plan = PodPlan {
        name: name.clone(),
        namespace: pod_namespace(name),
        argv: Vec::new(),
        env: Vec::new(),
        hosts: hosts(pod, layout),
        volumes: volumes
            .iter()
            .map(|volume| VolumePlan {
                name: volume.name.clone(),
                files: files(volume, objects),
            })
            .collect(),
        mounts: Vec::new(),
        // Known when the pod is started.
        host_paths: Vec::new(),
        restart: match spec.restart_policy.as_deref() {
            Some("OnFailure") => Restart::OnFailure,
            Some("Never") => Restart::Never,
            _ => Restart::Always,
        },
        restart_limit: pod.object.restart_limit,
    };
    for container in &spec.containers {
        for variable in container.env.iter().flatten() {
            let source = variable.value_from.as_ref();
            let value = match (&variable.value, source.and_then(|s| s.field_ref.as_ref())) {
                (Some(text), _) => expand(text, |name| value_of(&plan.env, name)),
                (None, Some(source)) => field_value(pod, &source.field_path),
                (None, None) => String::new(),
            };
            plan.env.push((variable.name.clone(), value));
        }
        let words = container.command.iter().chain(&container.args).flatten();
        plan.argv = words
            .map(|word| expand(word, |name| value_of(&plan.env, name)))
            .collect();
        for mount in container.volume_mounts.iter().flatten() {
            let is_of_files = volumes
                .iter()
                .any(|volume| volume.name == mount.name && has_files(volume));
            plan.mounts.push(MountPlan {
                volume: mount.name.clone(),
                path: mount.mount_path.clone(),
                read_only: mount.read_only == Some(true) || is_of_files,
            });
        }
    }
    plan
}

/// The mode of a volume's files when it states none.
const DEFAULT_MODE: i32 = 0o644;

fn has_files(volume: &Volume) -> bool {
    volume.config_map.is_some() || volume.secret.is_some()
}

/// The files of a volume.
fn files(volume: &Volume, objects: &Objects) -> Vec<FilePlan> {
    let file = |name: &str, content, mode: Option<i32>| FilePlan {
        name: name.to_owned(),
        mode: mode.unwrap_or(DEFAULT_MODE).unsigned_abs(),
        content,
    };
    let mut files = Vec::new();
    if let Some(source) = &volume.config_map {
        let object = objects.config_map(&source.name);
        for (name, text) in object.iter().flat_map(|object| &object.data).flatten() {
            files.push(file(name, Content::Text(text.clone()), source.default_mode));
        }
        for (name, bytes) in object
            .iter()
            .flat_map(|object| &object.binary_data)
            .flatten()
        {
            files.push(file(
                name,
                Content::Binary(bytes.clone()),
                source.default_mode,
            ));
        }
    } else if let Some(source) = &volume.secret {
        let object = objects.secret(source.secret_name.as_deref().unwrap_or_default());
        for (name, text) in object
            .iter()
            .flat_map(|object| &object.string_data)
            .flatten()
        {
            files.push(file(name, Content::Text(text.clone()), source.default_mode));
        }
    }
    files
}

/// The last one of a name counts.
fn value_of<'a>(env: &'a [(String, String)], name: &str) -> Option<Cow<'a, str>> {
    let found = env.iter().rev().find(|(key, _)| key == name)?;
    Some(Cow::Borrowed(&found.1))
}

/// A field of a pod that its environment refers to, by its path.
fn field_value(pod: &PlacedPod, path: &str) -> String {
    match path {
        "status.podIP" => joined(pod.addresses.get(..1).unwrap_or_default()),
        "status.podIPs" => joined(&pod.addresses),
        "spec.nodeName" => node_name(pod.node),
        "metadata.name" => pod.object.pod.name.clone(),
        "metadata.namespace" => pod.object.pod.namespace.clone(),
        _ => String::new(),
    }
}

/// Services by all the names that cluster DNS would know them by.
fn hosts(pod: &PlacedPod, layout: &Layout) -> String {
    let mut text = "127.0.0.1 localhost\n".to_owned();
    for address in &pod.addresses {
        let _ = writeln!(text, "{address} {}", pod.object.pod.name);
    }
    let services = layout.services.iter();
    let addresses = services.flat_map(|service| {
        let addresses = service.addresses.iter();
        addresses.map(move |address| (service, address))
    });
    for (service, address) in addresses {
        let (name, namespace) = (&service.name, &service.namespace);
        let _ = write!(text, "{address}");
        if *namespace == pod.object.pod.namespace {
            let _ = write!(text, " {name}");
        }
        let _ = writeln!(
            text,
            " {name}.{namespace} {name}.{namespace}.svc {name}.{namespace}.svc.cluster.local"
        );
    }
    text
}
