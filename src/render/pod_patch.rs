//! The plan's `kubernetes.pod`, merged into the pods of rendered objects as `kubectl patch` merges: mappings by key,
//! lists whose items have names by name.

use k8s_openapi::DeepMerge;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::Value;

use super::manifest::Manifest;
use super::yaml::yaml;
use crate::plan::{OWN_CONTAINERS, PodPatch};

/// Where a Job has the template of its pods.
const TEMPLATE: &str = "/spec/template";

/// Merges the patch into the pods of all Jobs. A part for netplan's container `worker` or `orchestrator` is left out
/// of the pods that have no such container.
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
            format!("cannot merge `kubernetes.pod` into the pods of `{name}`: {error}")
        })?;
        manifest.object["spec"]["template"] = patched;
        manifest.text = yaml(&manifest.object);
    }
    Ok(())
}

fn patched(template: &Value, patch: &Value) -> serde_json::Result<Value> {
    let mut patch = patch.clone();
    let has = |name: &str| names(template).any(|own| own == name);
    if let Some(Value::Array(containers)) = patch.pointer_mut("/spec/containers") {
        containers.retain(|container| match container["name"].as_str() {
            Some(name) if OWN_CONTAINERS.contains(&name) => has(name),
            _ => true,
        });
    }
    let mut merged: PodTemplateSpec = serde_json::from_value(template.clone())?;
    merged.merge_from(serde_json::from_value(patch.clone())?);
    let mut merged = serde_json::to_value(merged)?;
    remove_nulls(&mut merged, &patch);
    Ok(merged)
}

fn names(template: &Value) -> impl Iterator<Item = &str> {
    let containers = template
        .pointer("/spec/containers")
        .and_then(Value::as_array);
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
