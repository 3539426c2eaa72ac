//! What the local cluster requires beyond supported fields and types.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use k8s_openapi::api::core::v1::{Container, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::fields::REQUIRED_TERMS;
use super::objects::{Objects, PodObject, name, namespace};
use super::origin::Origin;
use crate::cluster::Error;

/// Names become part of rules, host files and paths.
pub(super) fn check_names(metadata: &ObjectMeta, origin: &Origin) -> Result<(), Error> {
    check_dns_name(name(metadata), |what, help| {
        origin.refuse("metadata.name", what, help)
    })?;
    check_dns_name(namespace(metadata), |what, help| {
        origin.refuse("metadata.namespace", what, help)
    })
}

/// The keys of a `ConfigMap` or Secret become file names.
pub(super) fn check_keys<T>(
    field: &str,
    entries: Option<&BTreeMap<String, T>>,
    origin: &Origin,
) -> Result<(), Error> {
    let is_plain = |key: &&String| {
        (1..=253).contains(&key.len())
            && !key.starts_with("..")
            && *key != "."
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let mut keys = entries.into_iter().flat_map(BTreeMap::keys);
    match keys.find(|key| !is_plain(key)) {
        None => Ok(()),
        Some(key) => Err(origin.refuse(
            &format!("{field}.{key}"),
            "the key is not valid",
            "use at most 253 of a-z, A-Z, 0-9, `-`, `_` and `.`",
        )),
    }
}

/// What types cannot say about a pod; `objects` are those of the same run.
pub(super) fn check_pod(pod: &PodObject, objects: &Objects) -> Result<(), Error> {
    let refuse =
        |field: &str, what: String, help: &str| pod.origin.refuse_in_spec(field, what, help);
    let spec = &pod.pod.spec;
    if spec.host_network == Some(true) {
        return Err(refuse(
            "hostNetwork",
            "the emulated nodes have no host network for pods".into(),
            "remove the paths `via: host` and their workers, or run this plan on Kubernetes",
        ));
    }
    check_affinity(pod)?;
    let [container] = spec.containers.as_slice() else {
        return Err(refuse(
            "containers",
            format!("there are {} containers", spec.containers.len()),
            "a local pod has exactly one",
        ));
    };
    if container.command.as_ref().is_none_or(Vec::is_empty) {
        return Err(refuse(
            "containers[0].command",
            "the command is empty".into(),
            "name the program to start",
        ));
    }
    for (index, variable) in container.env.iter().flatten().enumerate() {
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
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    for (index, volume) in volumes.iter().enumerate() {
        check_volume(pod, &format!("volumes[{index}]"), volume, objects)?;
    }
    check_mounts(pod, container, volumes)
}

fn check_affinity(pod: &PodObject) -> Result<(), Error> {
    let Some(affinity) = &pod.pod.spec.affinity else {
        return Ok(());
    };
    if affinity.node_affinity.is_some() {
        return Err(pod.origin.refuse_in_spec(
            "affinity.nodeAffinity",
            "the emulated nodes have neither names nor labels to choose by",
            "remove `node` and `node_selector` of the worker, or run this plan on Kubernetes",
        ));
    }
    let sides = [
        ("podAffinity", pod.pod.near()),
        ("podAntiAffinity", pod.pod.far()),
    ];
    for (side, terms) in sides {
        let zone = terms
            .iter()
            .position(|term| term.topology_key.ends_with("/zone"));
        if let Some(index) = zone {
            return Err(pod.origin.refuse_in_spec(
                &format!("affinity.{side}.{REQUIRED_TERMS}[{index}].topologyKey"),
                "the emulated nodes are not in zones",
                "place workers by node, e.g. with `same_node_as`, or run this plan on Kubernetes",
            ));
        }
    }
    Ok(())
}

fn check_volume(
    pod: &PodObject,
    field: &str,
    volume: &Volume,
    objects: &Objects,
) -> Result<(), Error> {
    let missing = |below: &str, kind: &str, name: &str| {
        pod.origin.refuse_in_spec(
            &format!("{field}.{below}"),
            format!("there is no {kind} `{name}`"),
            "render it in the same run",
        )
    };
    check_dns_name(&volume.name, |what, help| {
        pod.origin
            .refuse_in_spec(&format!("{field}.name"), what, help)
    })?;
    let claim = volume.persistent_volume_claim.as_ref().map(|_| ());
    let folder = volume.empty_dir.as_ref().map(|_| ()).xor(claim);
    match (&volume.config_map, &volume.secret, folder) {
        (Some(source), None, None) => match objects.config_map(&source.name) {
            Some(_) => Ok(()),
            None => Err(missing("configMap.name", "ConfigMap", &source.name)),
        },
        (None, Some(source), None) => {
            let name = source.secret_name.as_deref().unwrap_or_default();
            match objects.secret(name) {
                Some(_) => Ok(()),
                None => Err(missing("secret.secretName", "Secret", name)),
            }
        }
        (None, None, Some(())) => Ok(()),
        _ => Err(pod.origin.refuse_in_spec(
            field,
            format!("volume `{}` has no source, or several", volume.name),
            "give it one of configMap, secret, emptyDir and persistentVolumeClaim",
        )),
    }
}

fn check_mounts(pod: &PodObject, container: &Container, volumes: &[Volume]) -> Result<(), Error> {
    for (index, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let field = format!("containers[0].volumeMounts[{index}]");
        if !volumes.iter().any(|volume| volume.name == mount.name) {
            return Err(pod.origin.refuse_in_spec(
                &format!("{field}.name"),
                format!("there is no volume `{}`", mount.name),
                "declare it under `volumes`",
            ));
        }
        if !is_mount_path(&mount.mount_path) {
            return Err(pod.origin.refuse_in_spec(
                &format!("{field}.mountPath"),
                format!("`{}` cannot be a volume here", mount.mount_path),
                "use a folder below /run/netplan, or one that every machine has and nothing \
                 needs, e.g. /tmp",
            ));
        }
    }
    Ok(())
}

/// A pod sees this machine's file system. A volume may only cover a folder that nothing else uses.
fn is_mount_path(text: &str) -> bool {
    let path = Path::new(text);
    let is_plain = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    path.is_absolute()
        && is_plain
        && (path.starts_with("/run/netplan")
            || ["/tmp", "/var/tmp", "/dev/shm", "/mnt", "/media"].contains(&text))
}

fn check_dns_name(name: &str, refuse: impl Fn(String, &str) -> Error) -> Result<(), Error> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=63).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(refuse(
        format!("`{name}` is not a DNS label"),
        "use at most 63 of a-z, 0-9 and `-`",
    ))
}
