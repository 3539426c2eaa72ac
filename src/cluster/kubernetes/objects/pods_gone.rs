//! Waits until the pods of a run are gone.

use std::collections::BTreeSet;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, Preconditions};

use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::code;
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::labels::selector;
use crate::cluster::kubernetes::pods::pod_watch::{Change, PodWatch};

/// Returns when the pods of a run, which have been deleted, are gone.
///
/// A kubelet needs up to some seconds to clean up after a pod whose containers have ended, and removes the pod only then. Such a
/// pod is removed at once, where that is permitted: nothing of it runs.
///
/// # Errors
/// When pods are left after the deadline, or cannot be watched.
pub async fn wait_until_pods_are_gone(
    connection: &Connection,
    namespace: &str,
    run: &str,
) -> Result<(), Error> {
    let mut watch = PodWatch::new(connection, namespace, &selector(run));
    let api: Api<Pod> = Api::namespaced(connection.client.clone(), namespace);
    let gone = async {
        let mut is_listed = false;
        let mut asked = BTreeSet::new();
        let mut is_permitted = true;
        while !is_listed || watch.pods().next().is_some() {
            let ended: Vec<(String, String)> = watch.pods().filter_map(what_ended).collect();
            let new = ended
                .into_iter()
                .filter(|(_, uid)| is_permitted && asked.insert(uid.clone()));
            let removed = new.map(|(name, uid)| {
                let api = &api;
                async move { connection.ask(api.delete(&name, &at_once(uid))).await }
            });
            for answer in join_all(removed.collect::<Vec<_>>()).await {
                // Whatever else it says, the watch shows whether the pod is gone.
                is_permitted &= answer.err().and_then(|error| code(&error)) != Some(403);
            }
            is_listed |= matches!(watch.next().await?, Change::Listed);
        }
        Ok::<(), Error>(())
    };
    let timeouts = connection.timeouts.gone;
    if let Ok(gone) = tokio::time::timeout(timeouts, gone).await {
        return gone;
    }
    let left: Vec<&str> = watch
        .pods()
        .filter_map(|pod: &Pod| pod.metadata.name.as_deref())
        .collect();
    Err(Error::cannot(
        format!("remove the pods of run `{run}`"),
        format!(
            "after {} s, these still exist: {}",
            timeouts.as_secs(),
            left.join(", ")
        ),
        "their nodes may be gone; `kubectl delete pod --force` removes them",
    ))
}

/// Name and uid of a pod that is deleted and whose containers have all ended.
fn what_ended(pod: &Pod) -> Option<(String, String)> {
    pod.metadata.deletion_timestamp.as_ref()?;
    let status = pod.status.as_ref()?;
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    let wanted = pod.spec.as_ref()?.containers.len();
    let ended = containers.iter().filter(|container| {
        let state = container.state.as_ref();
        state.is_some_and(|state| state.terminated.is_some())
    });
    if wanted == 0 || ended.count() < wanted {
        return None;
    }
    // Sidecars of Kubernetes are init containers, and end after the others.
    let init = status.init_container_statuses.iter().flatten();
    let mut others = init.chain(status.ephemeral_container_statuses.iter().flatten());
    if others.any(|container| {
        container
            .state
            .as_ref()
            .is_some_and(|state| state.running.is_some())
    }) {
        return None;
    }
    Some((pod.metadata.name.clone()?, pod.metadata.uid.clone()?))
}

/// Removes the pod with this uid without its kubelet.
fn at_once(uid: String) -> DeleteParams {
    DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some(uid),
            resource_version: None,
        }),
        ..DeleteParams::default().grace_period(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(deleted: bool, states: &[Value]) -> Pod {
        let statuses: Vec<Value> = states
            .iter()
            .map(|state| {
                json!({
                    "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state,
                })
            })
            .collect();
        let deleted = deleted.then_some("2026-11-27T21:36:27Z");
        serde_json::from_value(json!({
            "metadata": { "name": "p", "uid": "u", "deletionTimestamp": deleted },
            "spec": { "containers": [{ "name": "c" }, { "name": "sidecar" }] },
            "status": { "containerStatuses": statuses },
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_has_ended_when_it_is_deleted_and_all_of_its_containers_have() {
        let ended = json!({ "terminated": { "exitCode": 0 } });
        let runs = json!({ "running": {} });
        let all = [ended.clone(), ended.clone()];
        let expected = Some(("p".to_owned(), "u".to_owned()));
        assert_eq!(what_ended(&pod(true, &all)), expected);
        assert_eq!(what_ended(&pod(false, &all)), None);
        assert_eq!(what_ended(&pod(true, &[ended.clone(), runs])), None);
        assert_eq!(what_ended(&pod(true, &[ended])), None);
        assert_eq!(what_ended(&pod(true, &[])), None);
        let mut with_sidecar = pod(true, &all);
        let sidecar = pod(true, &[json!({ "running": {} })]);
        if let (Some(status), Some(other)) = (&mut with_sidecar.status, sidecar.status) {
            status.init_container_statuses = other.container_statuses;
        }
        assert_eq!(what_ended(&with_sidecar), None);
    }
}
