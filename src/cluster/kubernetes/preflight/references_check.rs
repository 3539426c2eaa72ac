//! Checks whether the image and the objects that the plan's `kubernetes:` names exist.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::DynamicObject;
use serde_json::Value;

use crate::cluster::Finding;
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::objects::apply::{pod_spec, resource};
use crate::diag::Problem;
use crate::render::Manifest;

/// A kubelet lists no more of its images than this, the largest.
const LISTED_IMAGES: usize = 50;

fn pod_specs(manifests: &[Manifest]) -> impl Iterator<Item = &Value> {
    manifests
        .iter()
        .filter_map(|manifest| pod_spec(&manifest.object))
}

/// Whether the nodes have the image, and whether they are allowed to fetch it.
pub fn image(nodes: Option<&[Node]>, manifests: &[Manifest]) -> Finding {
    let containers = pod_specs(manifests).filter_map(|spec| spec["containers"].as_array());
    let wanted: BTreeSet<(&str, &str)> = containers
        .flatten()
        .filter_map(|container| {
            let policy = container["imagePullPolicy"].as_str().unwrap_or_default();
            Some((container["image"].as_str()?, policy))
        })
        .collect();
    let nodes = nodes.unwrap_or_default();
    let mut state = Vec::new();
    let mut problems = Vec::new();
    for (image, policy) in wanted {
        let having = nodes.iter().filter(|node| has(node, image)).count();
        let may_have = nodes.iter().any(|node| !lists_all(node));
        state.push(match policy {
            "Always" => format!("`{image}`, which every node pulls"),
            _ if nodes.is_empty() => format!("`{image}`"),
            _ => format!(
                "`{image}` is on {having} of {} nodes as far as they say; {}",
                nodes.len(),
                match policy {
                    _ if having == nodes.len() => "no node has to pull it",
                    "Never" => "none pulls it",
                    _ => "the others pull it",
                }
            ),
        });
        if policy == "Never" && having == 0 && !may_have && !nodes.is_empty() {
            problems.push(
                Problem::without_place(format!(
                    "no node has the image `{image}`, and `image_pull_policy` is `Never`"
                ))
                .help("load it into the nodes, or let them pull it with `IfNotPresent`"),
            );
        }
    }
    Finding::new("image", state.join("; "), problems)
}

fn has(node: &Node, image: &str) -> bool {
    let same = |name: &String| full_name(name) == full_name(image);
    let status = node.status.iter();
    let images = status.flat_map(|status| status.images.iter().flatten());
    images.flat_map(|one| one.names.iter().flatten()).any(same)
}

/// Whether what a node says about its images is all that it has.
fn lists_all(node: &Node) -> bool {
    let status = node.status.as_ref();
    let images = status.and_then(|status| status.images.as_ref());
    images.is_some_and(|images| !images.is_empty() && images.len() < LISTED_IMAGES)
}

/// With the registry and tag that Kubernetes adds: `netplan` is `docker.io/library/netplan:latest`.
fn full_name(image: &str) -> String {
    let mut name = match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    if !last.contains([':', '@']) {
        name.push_str(":latest");
    }
    name
}

/// Whether the pull secrets, the priority class and the runtime class are there. `namespace` is
/// `None` when it is still to be made. What netplan may not view is assumed to exist.
pub async fn references(
    connection: &Connection,
    namespace: Option<&str>,
    manifests: &[Manifest],
) -> Finding {
    let mut wanted: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for spec in pod_specs(manifests) {
        for (field, api, kind) in [
            ("priorityClassName", "scheduling.k8s.io/v1", "PriorityClass"),
            ("runtimeClassName", "node.k8s.io/v1", "RuntimeClass"),
        ] {
            wanted.extend(spec[field].as_str().map(|name| (api, kind, name)));
        }
        let secrets = spec["imagePullSecrets"].as_array();
        let names = secrets.into_iter().flatten();
        wanted.extend(names.filter_map(|one| Some(("v1", "Secret", one["name"].as_str()?))));
    }
    let state: Vec<String> = wanted
        .iter()
        .map(|(_, kind, name)| format!("{kind} `{name}`"))
        .collect();
    let mut problems = Vec::new();
    for (api, kind, name) in wanted {
        let resource = resource(api, kind);
        let of: Api<DynamicObject> = match (kind, namespace) {
            ("Secret", Some(namespace)) => {
                Api::namespaced_with(connection.client.clone(), namespace, &resource)
            }
            ("Secret", None) => {
                problems.push(missing(kind, name));
                continue;
            }
            _ => Api::all_with(connection.client.clone(), &resource),
        };
        if let Ok(None) = connection.ask(of.get_metadata_opt(name)).await {
            problems.push(missing(kind, name));
        }
    }
    let state = if state.is_empty() {
        "the plan names none".to_owned()
    } else {
        state.join(", ")
    };
    Finding::new("references", state, problems)
}

fn missing(kind: &str, name: &str) -> Problem {
    let (key, help) = match kind {
        "Secret" => (
            "pull_secrets",
            "create it in the run's namespace with `kubectl create secret docker-registry`",
        ),
        "PriorityClass" => ("priority_class", "`kubectl get priorityclasses` lists them"),
        _ => ("runtime_class", "`kubectl get runtimeclasses` lists them"),
    };
    Problem::without_place(format!(
        "there is no {kind} `{name}`, which the plan's `{key}` names"
    ))
    .help(help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_are_compared_in_full() {
        for (short, full) in [
            ("netplan", "docker.io/library/netplan:latest"),
            ("netplan:0.1.0", "docker.io/library/netplan:0.1.0"),
            ("team/netplan:1", "docker.io/team/netplan:1"),
            ("localhost/netplan:1", "localhost/netplan:1"),
            ("r.example:5000/netplan", "r.example:5000/netplan:latest"),
            ("r.example/n@sha256:00", "r.example/n@sha256:00"),
        ] {
            assert_eq!(full_name(short), full);
        }
    }
}
