//! Rendered manifests → typed objects, or the first field that the local cluster does not know.

use std::path::{Component, Path};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::objects::{
    ConfigMap, Job, Labels, Metadata, Pod, PodSpec, RestartPolicy, Secret, Service, TopologyKey,
};
use crate::cluster::Error;
use crate::render::Manifest;

/// The objects of a run.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    pub pods: Vec<PodObject>,
    pub services: Vec<Service>,
    pub config_maps: Vec<ConfigMap>,
    pub secrets: Vec<Secret>,
}

/// A pod, written as one or made by a Job.
#[derive(Clone, Debug)]
pub struct PodObject {
    /// Says where the pod comes from, for errors.
    pub origin: Origin,
    /// The pod's name; that of its Job.
    pub name: String,
    pub namespace: String,
    pub labels: Labels,
    pub spec: PodSpec,
    /// How often in a row its process may fail before it stays down.
    pub restart_limit: u32,
}

/// Which object of which template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub object: String,
    pub template: String,
    /// Where the pod's spec is: `spec`, in a Job `spec.template.spec`.
    pub spec_path: &'static str,
}

/// A pod that crashes more often in a row than this stays down, whatever its Job allows; Kubernetes
/// would back off.
const POD_RESTART_LIMIT: u32 = 3;

impl Origin {
    /// The refusal of a field of this object.
    pub fn refuse(&self, field: &str, what: impl Into<String>, help: impl Into<String>) -> Error {
        Error::Refused {
            object: self.object.clone(),
            template: self.template.clone(),
            field: field.to_owned(),
            what: what.into(),
            help: help.into(),
        }
    }

    /// The same, for a field below the pod's spec.
    pub fn refuse_in_spec(
        &self,
        field: &str,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Error {
        self.refuse(&format!("{}.{field}", self.spec_path), what, help)
    }
}

/// Reads all manifests.
///
/// # Errors
/// [`Error::Refused`] names the first object and field that the local cluster does not know.
pub fn objects(manifests: &[Manifest]) -> Result<Objects, Error> {
    let mut objects = Objects::default();
    for manifest in manifests {
        read(manifest, &mut objects)?;
    }
    for (index, pod) in objects.pods.iter().enumerate() {
        if objects.pods[..index].iter().any(|p| p.name == pod.name) {
            return Err(twice(&pod.origin, "pods", &pod.name));
        }
        check_pod(pod, &objects)?;
    }
    Ok(objects)
}

fn read(manifest: &Manifest, objects: &mut Objects) -> Result<(), Error> {
    let text = |pointer: &str| {
        manifest
            .object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (version, kind) = (text("/apiVersion"), text("/kind"));
    let mut origin = Origin {
        object: format!("{kind} {}", text("/metadata/name")),
        template: manifest.template.clone(),
        spec_path: "spec",
    };
    match (version, kind) {
        ("v1", "Pod") => {
            let pod: Pod = typed(manifest, &origin)?;
            check_names(&pod.metadata, &origin)?;
            objects.pods.push(PodObject {
                origin,
                name: pod.metadata.name,
                namespace: pod.metadata.namespace,
                labels: pod.metadata.labels,
                spec: pod.spec,
                restart_limit: POD_RESTART_LIMIT,
            });
        }
        ("batch/v1", "Job") => {
            let job: Job = typed(manifest, &origin)?;
            check_names(&job.metadata, &origin)?;
            origin.spec_path = "spec.template.spec";
            if job.spec.template.spec.restart_policy != RestartPolicy::OnFailure {
                return Err(origin.refuse_in_spec(
                    "restartPolicy",
                    "the local cluster starts a Job's process again in the same pod",
                    "set it to OnFailure",
                ));
            }
            let mut labels = job.spec.template.metadata.labels;
            // As the Job controller labels its pods.
            labels.insert(
                "batch.kubernetes.io/job-name".into(),
                job.metadata.name.clone(),
            );
            labels.insert("job-name".into(), job.metadata.name.clone());
            objects.pods.push(PodObject {
                origin,
                name: job.metadata.name,
                namespace: job.metadata.namespace,
                labels,
                spec: job.spec.template.spec,
                restart_limit: job.spec.backoff_limit.min(POD_RESTART_LIMIT),
            });
        }
        ("v1", "Service") => {
            let service: Service = typed(manifest, &origin)?;
            check_names(&service.metadata, &origin)?;
            let name = &service.metadata.name;
            if objects
                .services
                .iter()
                .any(|other| other.metadata.name == *name)
            {
                return Err(twice(&origin, "Services", name));
            }
            objects.services.push(service);
        }
        ("v1", "ConfigMap") => {
            let object: ConfigMap = typed(manifest, &origin)?;
            check_keys("data", object.data.keys(), &origin)?;
            objects.config_maps.push(object);
        }
        ("v1", "Secret") => {
            let object: Secret = typed(manifest, &origin)?;
            check_keys("stringData", object.string_data.keys(), &origin)?;
            objects.secrets.push(object);
        }
        // There is no API server for names to share, and nobody else on the emulated network.
        ("v1", "Namespace") | ("networking.k8s.io/v1", "NetworkPolicy") => {}
        _ => {
            return Err(origin.refuse(
                "kind",
                format!("the local cluster does not know `{kind}` of `{version}`"),
                "it knows Pod, Job, Service, ConfigMap and Secret, and passes over Namespace and NetworkPolicy; run this template on Kubernetes",
            ));
        }
    }
    Ok(())
}

fn typed<T: DeserializeOwned>(manifest: &Manifest, origin: &Origin) -> Result<T, Error> {
    serde_path_to_error::deserialize(&manifest.object).map_err(|error| {
        let field = error.path().to_string();
        let inner = error.into_inner().to_string();
        origin.refuse(
            &field,
            inner,
            "the local cluster plays only what the shipped templates use: change the template, \
             or run it on Kubernetes",
        )
    })
}

fn twice(origin: &Origin, what: &str, name: &str) -> Error {
    origin.refuse(
        "metadata.name",
        format!("there are two {what} `{name}`"),
        "give each its own name",
    )
}

/// Names become part of rules, host files and paths.
fn check_names(metadata: &Metadata, origin: &Origin) -> Result<(), Error> {
    for (field, name) in [
        ("metadata.name", &metadata.name),
        ("metadata.namespace", &metadata.namespace),
    ] {
        if !is_dns_name(name) {
            return Err(origin.refuse(
                field,
                format!("`{name}` is no DNS label"),
                "use at most 63 of a-z, 0-9 and `-`",
            ));
        }
    }
    Ok(())
}

/// Keys become file names.
fn check_keys<'a>(
    field: &str,
    mut keys: impl Iterator<Item = &'a String>,
    origin: &Origin,
) -> Result<(), Error> {
    let plain = |key: &String| {
        (1..=253).contains(&key.len())
            && !key.starts_with("..")
            && key != "."
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match keys.find(|key| !plain(key)) {
        None => Ok(()),
        Some(key) => Err(origin.refuse(
            &format!("{field}.{key}"),
            "this is no key",
            "use at most 253 of a-z, A-Z, 0-9, `-`, `_` and `.`",
        )),
    }
}

/// What the types cannot say.
fn check_pod(pod: &PodObject, objects: &Objects) -> Result<(), Error> {
    let refuse =
        |field: &str, what: String, help: &str| pod.origin.refuse_in_spec(field, what, help);
    if pod.spec.host_network {
        return Err(refuse(
            "hostNetwork",
            "the emulated nodes have no host network for pods".into(),
            "leave the paths `via: host` and their workers out, or run this plan on Kubernetes",
        ));
    }
    let affinity = &pod.spec.affinity;
    if affinity.node_affinity.is_some() {
        return Err(refuse(
            "affinity.nodeAffinity",
            "the emulated nodes have neither names nor labels to choose by".into(),
            "leave out `node` and `node_selector` of the worker, or run this plan on Kubernetes",
        ));
    }
    let sides = [
        ("podAffinity", &affinity.pod_affinity),
        ("podAntiAffinity", &affinity.pod_anti_affinity),
    ];
    for (side, rules) in sides {
        for (index, term) in rules.required.iter().enumerate() {
            if term.topology_key == TopologyKey::Zone {
                return Err(refuse(
                    &format!(
                        "affinity.{side}.requiredDuringSchedulingIgnoredDuringExecution[{index}].topologyKey"
                    ),
                    "the emulated nodes are in no zones".into(),
                    "place workers by node, as in `same_node_as`, or run this plan on Kubernetes",
                ));
            }
        }
    }
    let [container] = pod.spec.containers.as_slice() else {
        return Err(refuse(
            "containers",
            format!("there are {} containers", pod.spec.containers.len()),
            "a local pod has exactly one",
        ));
    };
    if container.command.is_empty() {
        return Err(refuse(
            "containers[0].command",
            "the command is empty".into(),
            "name the program to start",
        ));
    }
    for (index, variable) in container.env.iter().enumerate() {
        if variable.value.is_some() == variable.value_from.is_some() {
            return Err(refuse(
                &format!("containers[0].env[{index}]"),
                format!(
                    "`{}` has both or neither of `value` and `valueFrom`",
                    variable.name
                ),
                "give it one",
            ));
        }
    }
    for (index, volume) in pod.spec.volumes.iter().enumerate() {
        let field = format!("volumes[{index}]");
        if !is_dns_name(&volume.name) {
            return Err(refuse(
                &format!("{field}.name"),
                format!("`{}` is no DNS label", volume.name),
                "use at most 63 of a-z, 0-9 and `-`",
            ));
        }
        match (&volume.config_map, &volume.secret, &volume.empty_dir) {
            (Some(source), None, None) => {
                if !objects
                    .config_maps
                    .iter()
                    .any(|object| object.metadata.name == source.name)
                {
                    return Err(refuse(
                        &format!("{field}.configMap.name"),
                        format!("there is no ConfigMap `{}`", source.name),
                        "render it in the same run",
                    ));
                }
            }
            (None, Some(source), None) => {
                if !objects
                    .secrets
                    .iter()
                    .any(|object| object.metadata.name == source.secret_name)
                {
                    return Err(refuse(
                        &format!("{field}.secret.secretName"),
                        format!("there is no Secret `{}`", source.secret_name),
                        "render it in the same run",
                    ));
                }
            }
            (None, None, Some(_)) => {}
            _ => {
                return Err(refuse(
                    &field,
                    format!("volume `{}` has no source, or several", volume.name),
                    "give it one of configMap, secret and emptyDir",
                ));
            }
        }
    }
    for (index, mount) in container.volume_mounts.iter().enumerate() {
        if !pod
            .spec
            .volumes
            .iter()
            .any(|volume| volume.name == mount.name)
        {
            return Err(refuse(
                &format!("containers[0].volumeMounts[{index}].name"),
                format!("there is no volume `{}`", mount.name),
                "declare it under `volumes`",
            ));
        }
        if !is_mount_path(&mount.mount_path) {
            return Err(refuse(
                &format!("containers[0].volumeMounts[{index}].mountPath"),
                format!("`{}` cannot be a volume here", mount.mount_path),
                "use a folder below /run/netplan, or one that every machine has and nothing \
                 needs, as /tmp",
            ));
        }
    }
    Ok(())
}

/// A pod sees this machine's file system. A volume may cover only what is nobody's there.
fn is_mount_path(text: &str) -> bool {
    let path = Path::new(text);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    path.is_absolute()
        && plain
        && (path.starts_with("/run/netplan")
            || ["/tmp", "/var/tmp", "/dev/shm", "/mnt", "/media"].contains(&text))
}

fn is_dns_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
