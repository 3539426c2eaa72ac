//! A placed pod → what its kubelet has to do: files, mounts, environment, command.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::expand::expand;
use super::layout::{Layout, PlacedPod, node_name, pod_namespace};
use super::pod_spec::{PodField, RestartPolicy};
use super::read::Objects;

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
    Base64(String),
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
    let spec = &pod.object.spec;
    let mut plan = PodPlan {
        name: pod.object.name.clone(),
        namespace: pod_namespace(&pod.object.name),
        argv: Vec::new(),
        env: Vec::new(),
        hosts: hosts(pod, layout),
        volumes: Vec::new(),
        mounts: Vec::new(),
        // Known when the pod is started.
        host_paths: Vec::new(),
        restart: match spec.restart_policy {
            RestartPolicy::Always => Restart::Always,
            RestartPolicy::OnFailure => Restart::OnFailure,
            RestartPolicy::Never => Restart::Never,
        },
        restart_limit: pod.object.restart_limit,
    };
    for volume in &spec.volumes {
        let mut files = Vec::new();
        if let Some(source) = &volume.config_map {
            let object = objects
                .config_maps
                .iter()
                .find(|o| o.metadata.name == source.name);
            if let Some(object) = object {
                let mode = source.default_mode;
                for (name, text) in &object.data {
                    files.push(file(name, Content::Text, text, mode));
                }
                for (name, text) in &object.binary_data {
                    files.push(file(name, Content::Base64, text, mode));
                }
            }
        } else if let Some(source) = &volume.secret {
            let object = objects
                .secrets
                .iter()
                .find(|o| o.metadata.name == source.secret_name);
            for (name, text) in object.into_iter().flat_map(|object| &object.string_data) {
                files.push(file(name, Content::Text, text, source.default_mode));
            }
        }
        plan.volumes.push(VolumePlan {
            name: volume.name.clone(),
            files,
        });
    }
    for container in &spec.containers {
        for variable in &container.env {
            let value = match (&variable.value, &variable.value_from) {
                (Some(text), _) => expand(text, |name| value_of(&plan.env, name)),
                (None, Some(source)) => field(pod, source.field_ref.field_path),
                (None, None) => String::new(),
            };
            plan.env.push((variable.name.clone(), value));
        }
        plan.argv = container
            .command
            .iter()
            .chain(&container.args)
            .map(|word| expand(word, |name| value_of(&plan.env, name)))
            .collect();
        for mount in &container.volume_mounts {
            let filled = spec
                .volumes
                .iter()
                .any(|volume| volume.name == mount.name && volume.empty_dir.is_none());
            plan.mounts.push(MountPlan {
                volume: mount.name.clone(),
                path: mount.mount_path.clone(),
                read_only: mount.read_only || filled,
            });
        }
    }
    plan
}

fn file(name: &str, kind: fn(String) -> Content, text: &str, mode: u32) -> FilePlan {
    FilePlan {
        name: name.to_owned(),
        mode,
        content: kind(text.to_owned()),
    }
}

/// The last one of a name counts.
fn value_of<'a>(env: &'a [(String, String)], name: &str) -> Option<Cow<'a, str>> {
    let found = env.iter().rev().find(|(key, _)| key == name)?;
    Some(Cow::Borrowed(&found.1))
}

fn field(pod: &PlacedPod, field: PodField) -> String {
    match field {
        PodField::PodIp | PodField::PodIps => pod.address.to_string(),
        PodField::NodeName => node_name(pod.node),
        PodField::Name => pod.object.name.clone(),
        PodField::Namespace => pod.object.namespace.clone(),
    }
}

/// Services by all the names that cluster DNS would know them by.
fn hosts(pod: &PlacedPod, layout: &Layout) -> String {
    let mut text = format!("127.0.0.1 localhost\n{} {}\n", pod.address, pod.object.name);
    for service in &layout.services {
        let (name, namespace) = (&service.name, &service.namespace);
        let _ = write!(text, "{}", service.address);
        if *namespace == pod.object.namespace {
            let _ = write!(text, " {name}");
        }
        let _ = writeln!(
            text,
            " {name}.{namespace} {name}.{namespace}.svc {name}.{namespace}.svc.cluster.local"
        );
    }
    text
}
