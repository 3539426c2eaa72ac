//! The run's namespace: created only if it is missing, removed only if netplan created it.

use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, DynamicObject, ListParams, PostParams, Preconditions};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use kube::{Api, ResourceExt};

use super::apply::resource;
use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::{api_error, code};
use crate::cluster::kubernetes::connection::Connection;
use crate::diag::Problem;
use crate::render::Manifest;

/// On a namespace that netplan made: the run that it was made for.
pub const MADE_FOR_LABEL: &str = "netplan/made-for";

/// What has to be gone before a namespace counts as empty: all that Kubernetes itself has for
/// people to put there. What every namespace gets by itself is left out below.
const OCCUPANTS: &[(&str, &str)] = &[
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ReplicationController"),
    ("v1", "PodTemplate"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("autoscaling/v1", "HorizontalPodAutoscaler"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("networking.k8s.io/v1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
];

/// Creates the namespace if it is missing. If it is being deleted, waits for the end of that first.
pub async fn ensure(
    connection: &Connection,
    name: &str,
    run: &str,
    manifests: &[Manifest],
) -> Result<(), Error> {
    let api: Api<Namespace> = Api::all(connection.client.clone());
    let cannot = |error: &kube::Error| api_error(format!("look for namespace `{name}`"), error);
    match connection.ask(api.get_opt(name)).await {
        // Without the permission to view namespaces, the namespace must exist already.
        Err(error) if code(&error) == Some(403) => return Ok(()),
        Err(error) => return Err(cannot(&error)),
        Ok(Some(found)) if found.metadata.deletion_timestamp.is_some() => {
            (connection.report_progress)(&format!(
                "waiting for the deletion of namespace `{name}`"
            ));
            wait_gone(connection, name).await?;
        }
        Ok(Some(_)) => return Ok(()),
        Ok(None) => {}
    }
    let Some(manifest) = manifests
        .iter()
        .find(|manifest| manifest.kind() == "Namespace" && manifest.name() == name)
    else {
        return Err(Error::cannot(
            format!("use namespace `{name}`"),
            "it does not exist, and the templates do not create it",
            &format!("create it with `kubectl create namespace {name}`"),
        ));
    };
    let cannot = |error: &kube::Error| api_error(format!("make namespace `{name}`"), error);
    let mut object: Namespace =
        serde_json::from_value(manifest.object.clone()).map_err(|error| Error::Refused {
            object: format!("Namespace {name}"),
            template: manifest.template.clone(),
            field: "metadata".to_owned(),
            problem: Box::new(Problem::without_place(error.to_string()).help("fix the template")),
        })?;
    object
        .labels_mut()
        .insert(MADE_FOR_LABEL.to_owned(), run.to_owned());
    // Not an apply: only who has really made it may put the label on.
    match connection
        .ask(api.create(&PostParams::default(), &object))
        .await
    {
        Err(error) if code(&error) != Some(409) => Err(cannot(&error)),
        _ => Ok(()),
    }
}

/// Removes the namespace if netplan made it (for this run, or for whichever) and nobody else is in it.
pub async fn remove_if_made(
    connection: &Connection,
    name: &str,
    run: Option<&str>,
) -> Result<(), Error> {
    let api: Api<Namespace> = Api::all(connection.client.clone());
    let Ok(Some(found)) = connection.ask(api.get_opt(name)).await else {
        return Ok(());
    };
    let made_for = found.labels().get(MADE_FOR_LABEL);
    let ours = made_for.is_some_and(|made_for| run.is_none_or(|run| made_for == run));
    if !ours || !is_empty(connection, name).await {
        return Ok(());
    }
    if found.metadata.deletion_timestamp.is_none() {
        let same = Preconditions {
            uid: found.metadata.uid.clone(),
            resource_version: None,
        };
        let params = DeleteParams::background().preconditions(same);
        match connection.ask(api.delete(name, &params)).await {
            Err(error) if !matches!(code(&error), Some(404 | 409)) => {
                return Err(api_error(format!("remove namespace `{name}`"), &error));
            }
            _ => {}
        }
    }
    wait_gone(connection, name).await
}

/// Whether nothing is in it but what every namespace has; what netplan may not list counts as an object of somebody else.
async fn is_empty(connection: &Connection, name: &str) -> bool {
    for (version, kind) in OCCUPANTS {
        let resource = resource(version, kind);
        let api: Api<DynamicObject> =
            Api::namespaced_with(connection.client.clone(), name, &resource);
        let params = ListParams::default();
        match connection.ask(api.list_metadata(&params)).await {
            Ok(list) if list.items.iter().all(|item| is_default_object(kind, item)) => {}
            Err(error) if code(&error) == Some(404) => {}
            _ => return false,
        }
    }
    true
}

/// What the cluster itself puts into every namespace, or is about to remove.
fn is_default_object(kind: &str, item: &PartialObjectMeta<DynamicObject>) -> bool {
    let name = item.metadata.name.as_deref().unwrap_or_default();
    item.metadata.deletion_timestamp.is_some()
        || match kind {
            "ConfigMap" => matches!(name, "kube-root-ca.crt" | "openshift-service-ca.crt"),
            "ServiceAccount" => matches!(name, "default" | "builder" | "deployer"),
            "Secret" => {
                let annotations = item.metadata.annotations.as_ref();
                annotations
                    .is_some_and(|all| all.contains_key("kubernetes.io/service-account.name"))
            }
            "Role" | "RoleBinding" => name.starts_with("system:"),
            _ => false,
        }
}

async fn wait_gone(connection: &Connection, name: &str) -> Result<(), Error> {
    let api: Api<Namespace> = Api::all(connection.client.clone());
    let gone = async {
        let mut states = watch_object(api, name).default_backoff().boxed();
        while let Some(state) = states.next().await {
            if matches!(state, Ok(None)) {
                return;
            }
        }
    };
    match tokio::time::timeout(connection.timeouts.gone, gone).await {
        Ok(()) => Ok(()),
        Err(_) => Err(Error::cannot(
            format!("wait for the end of namespace `{name}`"),
            format!(
                "it still exists after {} s",
                connection.timeouts.gone.as_secs()
            ),
            &format!("`kubectl describe namespace {name}` shows what blocks it"),
        )),
    }
}
