//! The plan's `kubernetes.pod`, merged into the pods of rendered objects as `kubectl patch` merges: mappings by key,
//! lists whose items have names by name.

use k8s_openapi::DeepMerge;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::{Value, json};

use super::manifest::Manifest;
use super::yaml::yaml;
use crate::plan::{OWN_CONTAINERS, PodPatch, SecurityContext};

/// The label of a worker's objects with the worker's name.
const WORKER: &str = "netplan/worker";

/// Where a Job has the template of its pods.
const TEMPLATE: &str = "/spec/template";

/// Merges the patch into the pods of all Jobs. A part for a container of netplan's is left out of the pods that have
/// no such container.
///
/// # Errors
/// The name of an object whose pods are not as Kubernetes has them, and why.
pub fn patch_pods(manifests: &mut [Manifest], patch: &PodPatch) -> Result<(), String> {
    for manifest in manifests.iter_mut().filter(|one| one.kind() == "Job") {
        let Some(template) = manifest.object.pointer(TEMPLATE) else {
            continue;
        };
        let patched = patched(template, &patch.0).map_err(|error| {
            let name = manifest.name();
            format!("cannot merge `kubernetes.pod` or `security_context` into the pods of `{name}`: {error}")
        })?;
        manifest.object["spec"]["template"] = patched;
        manifest.text = yaml(&manifest.object);
    }
    Ok(())
}

/// Merges security contexts into the containers of workers. `of_worker` gives that of a worker by its name.
///
/// # Errors
/// As [`patch_pods`].
pub fn set_security_contexts(
    manifests: &mut [Manifest],
    of_worker: impl Fn(&str) -> Option<SecurityContext>,
) -> Result<(), String> {
    for manifest in manifests.iter_mut().filter(|one| one.kind() == "Job") {
        let worker = manifest.object["metadata"]["labels"][WORKER].as_str();
        let Some(context) = worker.and_then(&of_worker) else {
            continue;
        };
        let container = json!({"name": "worker", "securityContext": context});
        let patch = PodPatch(json!({"spec": {"containers": [container]}}));
        patch_pods(std::slice::from_mut(manifest), &patch)?;
    }
    Ok(())
}

fn patched(template: &Value, patch: &Value) -> serde_json::Result<Value> {
    let mut patch = patch.clone();
    for list in ["/spec/containers", "/spec/initContainers"] {
        let has = |name: &str| names(template, list).any(|own| own == name);
        if let Some(Value::Array(containers)) = patch.pointer_mut(list) {
            containers.retain(|container| match container["name"].as_str() {
                Some(name) if OWN_CONTAINERS.contains(&name) => has(name),
                _ => true,
            });
        }
    }
    let mut merged: PodTemplateSpec = serde_json::from_value(template.clone())?;
    merged.merge_from(serde_json::from_value(patch.clone())?);
    let mut merged = serde_json::to_value(merged)?;
    remove_nulls(&mut merged, &patch);
    Ok(merged)
}

fn names<'t>(template: &'t Value, list: &str) -> impl Iterator<Item = &'t str> + use<'t> {
    let containers = template.pointer(list).and_then(Value::as_array);
    let containers = containers.into_iter().flatten();
    containers.filter_map(|container| container["name"].as_str())
}

/// Removes the fields that the patch has as `null`.
fn remove_nulls(value: &mut Value, patch: &Value) {
    match (value, patch) {
        (Value::Object(fields), Value::Object(patch)) => {
            for (key, patch) in patch {
                if patch.is_null() {
                    fields.remove(key);
                } else if let Some(field) = fields.get_mut(key) {
                    remove_nulls(field, patch);
                }
            }
        }
        (Value::Array(items), Value::Array(patches)) => {
            for patch in patches.iter().filter(|patch| patch["name"].is_string()) {
                let same = items.iter_mut().find(|item| item["name"] == patch["name"]);
                if let Some(item) = same {
                    remove_nulls(item, patch);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(container: &str) -> Value {
        json!({
            "metadata": {"labels": {"netplan/run": "0badcafe"}},
            "spec": {
                "securityContext": {"runAsUser": 65532, "runAsNonRoot": true},
                "containers": [{
                    "name": container,
                    "command": ["netplan"],
                    "env": [{"name": "NETPLAN_NODE", "value": "n1"}],
                    "volumeMounts": [{"name": "tls", "mountPath": "/run/netplan/tls"}],
                }],
                "volumes": [{"name": "tls", "secret": {"secretName": "s"}}],
            },
        })
    }

    #[test]
    fn lists_are_merged_by_name_and_null_removes() {
        let patch = json!({
            "metadata": {"labels": {"team": "a"}},
            "spec": {
                "schedulerName": "mine",
                "securityContext": {"runAsUser": null},
                "containers": [
                    {"name": "worker", "env": [{"name": "GODEBUG", "value": "x"}], "command": null},
                    {"name": "proxy", "image": "proxy:1"},
                ],
                // These pods have no such container, so it would be one without an image.
                "initContainers": [{"name": "offloads", "resources": {}}],
            },
        });
        let worker = patched(&template("worker"), &patch).unwrap();
        let expected = json!({
            "metadata": {"labels": {"netplan/run": "0badcafe", "team": "a"}},
            "spec": {
                "schedulerName": "mine",
                "securityContext": {"runAsNonRoot": true},
                "containers": [
                    {
                        "name": "worker",
                        "env": [
                            {"name": "NETPLAN_NODE", "value": "n1"},
                            {"name": "GODEBUG", "value": "x"},
                        ],
                        "volumeMounts": [{"name": "tls", "mountPath": "/run/netplan/tls"}],
                    },
                    {"name": "proxy", "image": "proxy:1"},
                ],
                "volumes": [{"name": "tls", "secret": {"secretName": "s"}}],
                "initContainers": [],
            },
        });
        assert_eq!(worker, expected);
        // What is for the worker is not for the orchestrator.
        let orchestrator = patched(&template("orchestrator"), &patch).unwrap();
        let names: Vec<&str> = names(&orchestrator, "/spec/containers").collect();
        assert_eq!(names, ["orchestrator", "proxy"]);
        assert_eq!(
            orchestrator["spec"]["containers"][0]["command"],
            json!(["netplan"])
        );
    }

    proptest! {
        #[test]
        fn what_a_patch_does_not_name_stays(
            name in "[a-z]{1,8}", labels in prop::collection::btree_map("[a-z]{1,8}", "[a-z]{0,8}", 0..4),
        ) {
            let patch = json!({"metadata": {"labels": labels}, "spec": {"schedulerName": name}});
            let mut merged = patched(&template("worker"), &patch).map_err(|e| TestCaseError::fail(e.to_string()))?;
            for (key, value) in &labels {
                prop_assert_eq!(&merged["metadata"]["labels"][key], &json!(value));
                merged["metadata"]["labels"].as_object_mut().map(|all| all.remove(key));
            }
            prop_assert_eq!(&merged["spec"]["schedulerName"], &json!(name));
            merged["spec"].as_object_mut().map(|all| all.remove("schedulerName"));
            prop_assert_eq!(merged, template("worker"));
        }
    }
}
