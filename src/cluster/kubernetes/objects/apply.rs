//! Server-side apply of rendered objects.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::core::{ApiResource, GroupVersionKind, Status};
use serde_json::{Value, json};

use super::owner::Owner;
use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::{api_error, cause, is_transient, one_line, status};
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::labels::RUN_LABEL;
use crate::diag::Problem;
use crate::render::Manifest;
use crate::render::policy::VARIANT_LABEL;

/// Who owns the fields that are applied.
const FIELD_MANAGER: &str = "netplan";
/// So many objects are on their way at a time.
const AT_ONCE: usize = 4;
/// An apply means the same however often it is sent; kube itself only retries 429, 503 and 504.
const RETRIES: u32 = 3;
const RETRY_AFTER: Duration = Duration::from_millis(300);

/// How to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Real,
    /// The API server checks and admits everything, and keeps nothing.
    DryRun,
}

/// Applies the objects of one run into a namespace that is there. The first `ConfigMap` goes
/// first and becomes the owner of all others, so that they go when it goes; what runs goes last.
/// `owner` is the owner of the first.
pub async fn apply(
    connection: &Connection,
    namespace: &str,
    run: &str,
    manifests: &[Manifest],
    owner: Option<&Owner>,
    mode: Mode,
) -> Result<(), Error> {
    let objects: Vec<&Manifest> = manifests
        .iter()
        .filter(|manifest| manifest.kind() != "Namespace")
        .collect();
    for manifest in &objects {
        check_ownership(manifest, namespace, run)?;
    }
    let Some(first) = objects.iter().position(|manifest| is_owner(manifest)) else {
        return Err(Error::cannot(
            "apply the run",
            "it has no ConfigMap, which owns all other objects",
            "restore `configmap.yaml.j2`",
        ));
    };
    let above = owner.map(Owner::reference);
    let first_object = send(connection, namespace, objects[first], above.as_ref(), mode).await?;
    let owner = match mode {
        Mode::Real => Some(reference(&first_object)),
        // Nothing was kept, so nothing can be owned by it.
        Mode::DryRun => None,
    };
    let owner = owner.as_ref();
    let (running, resting): (Vec<_>, Vec<_>) = objects
        .into_iter()
        .enumerate()
        .filter(|(index, _)| *index != first)
        .map(|(_, manifest)| manifest)
        .partition(|manifest| pod_spec(&manifest.object).is_some());
    for wave in [resting, running] {
        let sends: Vec<_> = wave
            .into_iter()
            .map(|manifest| send(connection, namespace, manifest, owner, mode))
            .collect();
        stream::iter(sends)
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
    }
    Ok(())
}

/// The spec of the pods that an object makes or is.
pub fn pod_spec(object: &Value) -> Option<&Value> {
    if object["kind"] == "Pod" {
        object.get("spec")
    } else {
        object.pointer("/spec/template/spec")
    }
}

/// The labels of the pods that an object makes or is.
pub fn pod_labels(object: &Value) -> Option<&Value> {
    if object["kind"] == "Pod" {
        object.pointer("/metadata/labels")
    } else {
        object.pointer("/spec/template/metadata/labels")
    }
}

/// Whether an object is of this run and namespace; removal goes by the label.
fn check_ownership(manifest: &Manifest, namespace: &str, run: &str) -> Result<(), Error> {
    let refuse = |field: &str, right: &str| {
        Err(Error::Refused {
            object: format!("{} {}", manifest.kind(), manifest.name()),
            template: manifest.template.clone(),
            field: field.to_owned(),
            problem: Box::new(
                Problem::without_place(format!("it is not `{right}`"))
                    .help("every object of a run has the run's label and is in its namespace"),
            ),
        })
    };
    let metadata = &manifest.object["metadata"];
    if metadata["labels"][RUN_LABEL] != run {
        return refuse("metadata.labels.netplan/run", run);
    }
    if metadata["namespace"] != namespace {
        return refuse("metadata.namespace", namespace);
    }
    Ok(())
}

/// How the API server calls an object's kind.
pub fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// The kind of a rendered object.
pub fn resource_of(manifest: &Manifest) -> ApiResource {
    let version = manifest.object["apiVersion"].as_str().unwrap_or_default();
    resource(version, manifest.kind())
}

/// Whether all other objects are to belong to this one: a `ConfigMap` of the run, and not of a variant.
fn is_owner(manifest: &Manifest) -> bool {
    let labels = &manifest.object["metadata"]["labels"];
    manifest.kind() == "ConfigMap" && labels.get(VARIANT_LABEL).is_none()
}

/// It does not block the owner's end: on some clusters that would need more permissions.
fn reference(owner: &DynamicObject) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
    })
}

async fn send(
    connection: &Connection,
    namespace: &str,
    manifest: &Manifest,
    owner: Option<&Value>,
    mode: Mode,
) -> Result<DynamicObject, Error> {
    let resource = resource_of(manifest);
    let api: Api<DynamicObject> =
        Api::namespaced_with(connection.client.clone(), namespace, &resource);
    let mut object = manifest.object.clone();
    if let Some(owner) = owner {
        object["metadata"]["ownerReferences"] = json!([owner]);
    }
    let patch = Patch::Apply(&object);
    let mut params = PatchParams::apply(FIELD_MANAGER)
        .force()
        .validation(ValidationDirective::Strict);
    params.dry_run = mode == Mode::DryRun;
    let mut retries = RETRIES;
    loop {
        let answer = connection
            .ask(api.patch(manifest.name(), &params, &patch))
            .await;
        match answer {
            Ok(object) => return Ok(object),
            // An old API server may not know the parameter; it checks what is applied all the same.
            Err(error)
                if params.field_validation.is_some() && rejects_validation_parameter(&error) =>
            {
                params.field_validation = None;
            }
            Err(error) if retries > 0 && is_transient(&error) => {
                tokio::time::sleep(RETRY_AFTER * (RETRIES - retries + 1)).await;
                retries -= 1;
            }
            Err(error) => return Err(refused(manifest, &error)),
        }
    }
}

fn rejects_validation_parameter(error: &kube::Error) -> bool {
    status(error).is_some_and(|status| {
        matches!(status.code, 400 | 422) && status.message.contains("fieldValidation")
    })
}

/// A refusal names the object, its template and, when the API server does, the field.
fn refused(manifest: &Manifest, error: &kube::Error) -> Error {
    let object = format!("{} {}", manifest.kind(), manifest.name());
    let Some(status) = status(error).filter(|status| matches!(status.code, 400 | 403 | 422 | 500))
    else {
        return api_error(format!("apply {object}"), error);
    };
    if status.code == 403 && status.message.contains("cannot patch resource") {
        return api_error(format!("apply {object}"), error);
    }
    let help = if status.message.contains("PodSecurity") {
        "use a namespace whose Pod Security level allows it"
    } else if status.message.contains("quota") {
        "ask for less in the plan, or for a larger quota"
    } else if status.message.contains("being terminated") {
        "the namespace is being deleted; wait until it is gone, or name another one"
    } else {
        "fix the template, or start from the built-in one"
    };
    let (field, what) = rejected_field(status);
    Error::Refused {
        object,
        template: manifest.template.clone(),
        field: field.unwrap_or_else(|| "metadata.name".to_owned()),
        problem: Box::new(Problem::without_place(what.unwrap_or_else(|| cause(error))).help(help)),
    }
}

/// The field that a refusal is about, and what is wrong with it.
fn rejected_field(status: &Status) -> (Option<String>, Option<String>) {
    let causes = status.details.as_ref().map(|details| &details.causes[..]);
    if let Some(cause) = causes.and_then(|causes| causes.iter().find(|c| !c.field.is_empty())) {
        return (Some(cause.field.clone()), Some(one_line(&cause.message)));
    }
    // `…: .spec.hostNetwrok: field not declared in schema`
    let message = one_line(&status.message);
    let field = message
        .split([' ', '"'])
        .map(|word| word.trim_end_matches(':'))
        .find(|word| word.starts_with('.') && word.len() > 1)
        .or_else(|| {
            let (_, rest) = message.split_once("unknown field \"")?;
            rest.split('"').next()
        });
    (
        field.map(|field| field.trim_start_matches('.').to_owned()),
        None,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_of_a_variant_owns_the_run() {
        let owns = |kind: &str, labels: Value| {
            is_owner(&Manifest {
                template: "x.yaml".to_owned(),
                text: String::new(),
                object: json!({ "kind": kind, "metadata": { "name": "x", "labels": labels } }),
            })
        };
        assert!(owns("ConfigMap", json!({ "netplan/run": "0badcafe" })));
        assert!(!owns(
            "ConfigMap",
            json!({ "netplan/run": "0badcafe", "netplan/variant": "extra" })
        ));
        assert!(!owns("Secret", json!({ "netplan/run": "0badcafe" })));
    }
}
