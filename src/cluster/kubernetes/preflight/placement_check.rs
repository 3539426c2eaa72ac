//! Whether every pod of a run can have a node, asked before anything is applied. How full the nodes are
//! only the scheduler knows.

use k8s_openapi::api::core::v1::{Node, PodSpec};
use serde_json::Value;

use crate::cluster::Finding;
use crate::cluster::kubernetes::labels::{GROUP_LABEL, WORKER_LABEL};
use crate::cluster::kubernetes::objects::apply::{pod_labels, pod_spec};
use crate::cluster::placement::{Labels, Obstacle, Placement, PodToPlace, place, rejection};
use crate::diag::Problem;
use crate::render::Manifest;

/// The pods that rendered objects create. An object that cannot be read is left to the API server to refuse.
fn pods_to_place(manifests: &[Manifest]) -> Vec<PodToPlace> {
    let read = |manifest: &Manifest| {
        let spec: PodSpec = serde_json::from_value(pod_spec(&manifest.object)?.clone()).ok()?;
        let labels = pod_labels(&manifest.object).cloned();
        let labels: Labels = serde_json::from_value(labels.unwrap_or(Value::Null)).ok()?;
        let name = labels.get(WORKER_LABEL).cloned();
        let namespace = manifest.object["metadata"]["namespace"].as_str();
        Some(PodToPlace {
            name: name.unwrap_or_else(|| manifest.name().to_owned()),
            namespace: namespace.unwrap_or_default().to_owned(),
            labels,
            spec,
        })
    };
    manifests.iter().filter_map(read).collect()
}

/// How many nodes can take the workers of the groups that have a node each: the smallest such number
/// of all groups.
pub fn group_capacity(nodes: &[Node], manifests: &[Manifest]) -> usize {
    let pods = pods_to_place(manifests);
    let in_groups = pods
        .iter()
        .filter(|pod| pod.labels.contains_key(GROUP_LABEL));
    let capacity = |pod: &PodToPlace| {
        let nodes = nodes.iter().filter(|node| rejection(node, pod).is_none());
        nodes.count()
    };
    in_groups.map(capacity).min().unwrap_or(0)
}

/// Whether there is a node for every pod; `nodes` is `None` without the permission to list them.
pub fn check(nodes: Option<&[Node]>, manifests: &[Manifest]) -> Finding {
    let Some(nodes) = nodes else {
        let state = "you may not list them, so only the scheduler knows whether there are enough";
        return Finding::new("nodes", state, Vec::new());
    };
    let pods = pods_to_place(manifests);
    let fits = |node: &&Node| pods.iter().any(|pod| rejection(node, pod).is_none());
    let state = format!(
        "{} of {} can take pods of the run",
        nodes.iter().filter(fits).count(),
        nodes.len()
    );
    let misfits = match place(nodes, &pods) {
        Placement::Impossible(misfits) => misfits,
        // The scheduler decides.
        Placement::Found(_) | Placement::Unknown => Vec::new(),
    };
    let problems = misfits.iter().map(|misfit| {
        Problem::without_place(misfit.to_string()).help(
            match misfit.obstacle {
                Obstacle::Nodes => "change the plan's placement, or the nodes",
                Obstacle::Pods => "add a node, or run with `--on local`, where nodes are emulated",
            }
            .to_owned(),
        )
    });
    Finding::new("nodes", state, problems.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, is_cordoned: bool) -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": name},
            "spec": {"unschedulable": is_cordoned},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .unwrap()
    }

    fn worker(name: &str, group: Option<&str>) -> Manifest {
        let mut labels = json!({ WORKER_LABEL: name });
        if let Some(group) = group {
            labels[GROUP_LABEL] = json!(group);
        }
        Manifest {
            template: String::new(),
            text: String::new(),
            object: json!({
                "kind": "Pod",
                "metadata": {"name": name, "namespace": "np", "labels": labels},
                "spec": {"containers": []},
            }),
        }
    }

    #[test]
    fn a_group_has_room_on_the_nodes_that_can_take_it() {
        let nodes = [node("n1", false), node("n2", false), node("n3", true)];
        let single = worker("w1", None);
        let in_group = worker("mesh-1", Some("mesh"));
        assert_eq!(group_capacity(&nodes, &[single.clone(), in_group]), 2);
        assert_eq!(group_capacity(&nodes, &[single]), 0);
    }
}
