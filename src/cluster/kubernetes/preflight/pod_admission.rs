//! Asks the API server whether it would admit the run's pods, and what it would change. Quotas, limit ranges, Pod
//! Security and admission webhooks judge pods, not the Jobs that make them.

use std::collections::{BTreeMap, BTreeSet};

use kube::Api;
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};

use crate::cluster::Finding;
use crate::cluster::kubernetes::api_error::{cause, code};
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::objects::apply::{pod_spec, resource};
use crate::diag::Problem;
use crate::render::Manifest;

/// Pods that are asked about: the orchestrator's and some workers'. The workers of a group are alike.
const MOST_PODS: usize = 4;

/// Asks for each of the first pods with a server-side dry run. `namespace` is `None` if it does not exist yet.
/// Without the permission to create pods, only the Jobs' controller knows.
pub async fn check(
    connection: &Connection,
    namespace: Option<&str>,
    manifests: &[Manifest],
) -> Finding {
    let finding = |state: String, problems| Finding::new("pods", state, problems);
    let Some(namespace) = namespace else {
        let state = "admission is checked when the namespace exists";
        return finding(state.to_owned(), Vec::new());
    };
    let api: Api<DynamicObject> =
        Api::namespaced_with(connection.client.clone(), namespace, &resource("v1", "Pod"));
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let mut changes = BTreeSet::new();
    let mut refusals: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let pods = manifests
        .iter()
        .filter_map(|one| Some((one, pod(one, namespace)?)));
    let pods: Vec<_> = pods.collect();
    let all = pods.len();
    let mut unanswered = None;
    for (manifest, (pod, spec)) in pods.into_iter().take(MOST_PODS) {
        match connection.ask(api.create(&params, &pod)).await {
            Ok(admitted) => changes.extend(differences(&spec, &admitted.data["spec"])),
            Err(error) => match (code(&error), cause(&error)) {
                (Some(403), cause) if cause.contains("cannot create resource") => {
                    let state = "you may not create pods, so that admission is not checked";
                    return finding(state.to_owned(), Vec::new());
                }
                (Some(400), cause) if cause.contains("does not support dry run") => {
                    let state =
                        "an admission webhook takes no dry runs, so that admission is not checked";
                    return finding(state.to_owned(), Vec::new());
                }
                // A webhook may answer with any code.
                (Some(400 | 403 | 406 | 409 | 422 | 500), cause) => {
                    // Each pod has a name of its own: `pods "w1-x7k2p" is forbidden: …`
                    let cause = cause
                        .split_once(" is forbidden: ")
                        .map_or(&*cause, |(_, why)| why);
                    refusals
                        .entry(cause.to_owned())
                        .or_default()
                        .push(manifest.name());
                }
                // Not a judgement on the pod.
                (_, cause) => unanswered = Some(cause),
            },
        }
    }
    let which = if all > MOST_PODS {
        format!("the first {MOST_PODS} of {all} are ")
    } else {
        String::new()
    };
    let state = match unanswered {
        Some(cause) => format!("admission is not checked: {cause}"),
        None if changes.is_empty() => format!("{which}admitted as they are"),
        None => {
            let changes: Vec<String> = changes.into_iter().collect();
            let _ = connection.pod_changes.set(changes.clone());
            format!(
                "{which}admitted; the cluster changes them: {}",
                changes.join(", ")
            )
        }
    };
    let problems = refusals.iter().map(|(cause, pods)| refusal(pods, cause));
    finding(state, problems.collect())
}

/// The pod that an object makes or is, and its spec.
fn pod(manifest: &Manifest, namespace: &str) -> Option<(DynamicObject, Value)> {
    let spec = pod_spec(&manifest.object)?.clone();
    let template = match manifest.kind() {
        "Pod" => &manifest.object,
        _ => manifest.object.pointer("/spec/template")?,
    };
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": format!("{}-", manifest.name()),
            "namespace": namespace,
            "labels": template["metadata"]["labels"],
            "annotations": template["metadata"]["annotations"],
        },
        "spec": spec,
    });
    Some((serde_json::from_value(pod).ok()?, spec))
}

fn refusal(pods: &[&str], cause: &str) -> Problem {
    let help = if cause.contains("security context constraint") {
        "leave the user id to the platform: `kubernetes: { user: platform }`"
    } else if cause.contains("quota") {
        "ask for less in the plan's `kubernetes: resources`, or for a larger quota"
    } else if cause.contains("PodSecurity") {
        "use a namespace whose Pod Security level allows it"
    } else if cause.contains("LimitRange")
        || cause.contains("per Container")
        || cause.contains("per Pod")
    {
        "set the plan's `kubernetes: resources` to what the namespace's LimitRange allows"
    } else {
        "ask who runs the cluster's admission webhooks, or name another namespace"
    };
    let pods: Vec<String> = pods.iter().map(|pod| format!("`{pod}`")).collect();
    Problem::without_place(format!(
        "the cluster does not admit the pods of {}: {cause}",
        pods.join(", ")
    ))
    .help(help)
}

/// What admission changed that may change a measurement, for people.
fn differences(sent: &Value, admitted: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (list, what) in [
        ("containers", "container"),
        ("initContainers", "init container"),
    ] {
        for name in names(admitted, list).difference(&names(sent, list)) {
            found.insert(format!("adds {what} `{name}`"));
        }
    }
    for container in list(sent, "containers") {
        let same = |other: &&Value| other["name"] == container["name"];
        let Some(now) = list(admitted, "containers").iter().find(same) else {
            continue;
        };
        for kind in ["limits", "requests"] {
            let before = &container["resources"][kind];
            for (resource, amount) in now["resources"][kind].as_object().into_iter().flatten() {
                if before[resource] != *amount {
                    let amount = amount.as_str().unwrap_or_default();
                    found.insert(format!("sets {kind} {resource}={amount}"));
                }
            }
        }
    }
    for field in ["runtimeClassName", "priorityClassName"] {
        if let (true, Some(name)) = (sent[field].is_null(), admitted[field].as_str()) {
            found.insert(format!("sets {field} `{name}`"));
        }
    }
    for key in tolerated(admitted).difference(&tolerated(sent)) {
        // Every cluster adds these two, for pods on nodes that fail.
        if !matches!(
            key.as_str(),
            "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable"
        ) {
            found.insert(format!("adds a toleration of `{key}`"));
        }
    }
    found
}

fn list<'a>(spec: &'a Value, name: &str) -> &'a [Value] {
    spec[name].as_array().map_or(&[], Vec::as_slice)
}

fn names(spec: &Value, name: &str) -> BTreeSet<String> {
    let names = list(spec, name)
        .iter()
        .filter_map(|one| one["name"].as_str());
    names.map(str::to_owned).collect()
}

fn tolerated(spec: &Value) -> BTreeSet<String> {
    let keys = list(spec, "tolerations")
        .iter()
        .filter_map(|one| one["key"].as_str());
    keys.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mesh_a_limit_range_and_a_policy_add_is_said() {
        let sent =
            json!({"containers": [{"name": "worker", "resources": {"requests": {"cpu": "100m"}}}]});
        let admitted = json!({
            "containers": [
                {"name": "worker", "resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "1Gi"}}},
                {"name": "istio-proxy"},
            ],
            "initContainers": [{"name": "istio-init"}],
            "runtimeClassName": "gvisor",
            "tolerations": [{"key": "node.kubernetes.io/not-ready"}, {"key": "pool"}],
        });
        let found: Vec<String> = differences(&sent, &admitted).into_iter().collect();
        let expected = [
            "adds a toleration of `pool`",
            "adds container `istio-proxy`",
            "adds init container `istio-init`",
            "sets limits memory=1Gi",
            "sets requests cpu=250m",
            "sets runtimeClassName `gvisor`",
        ];
        assert_eq!(found, expected);
        assert!(differences(&sent, &sent).is_empty());
    }
}
