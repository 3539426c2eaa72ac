//! Removes the objects with a run's label, and nothing else.

use std::time::Duration;

use futures::future::{join, join_all};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ListParams};
use tokio::time::sleep;

use super::apply::resource;
use super::namespace;
use super::pods_gone::wait_until_pods_are_gone;
use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::{api_error, code, is_transient};
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::labels::selector;
use crate::cluster::kubernetes::run_list::Run;
use crate::diag::Problem;

/// Removed one after another. The owner first: should this process end here, the cluster removes the rest by itself. Jobs go
/// before their pods, or they would make new ones; so, pods are left only where a template has some.
const MAKERS_AND_PODS: &[(&str, &str)] = &[("v1", "ConfigMap"), ("batch/v1", "Job"), ("v1", "Pod")];
/// Removed while the pods end.
const OTHERS: &[(&str, &str)] = &[
    ("v1", "Service"),
    ("v1", "Secret"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
];

/// Whether all objects of a kind that a run has are removed; else the cluster removes them after their owner.
pub fn is_removed_by_kind(kind: &str) -> bool {
    let mut kinds = MAKERS_AND_PODS.iter().chain(OTHERS);
    kinds.any(|(_, known)| *known == kind)
}

/// Attempts beyond the first to remove the objects of a kind.
const RETRIES: u32 = 3;
/// The wait before the first of them; the second waits twice as long, and so on.
const RETRY_AFTER: Duration = Duration::from_millis(300);

impl Connection {
    /// Removes what is left of runs, and only what carries netplan's label. Also removes a run's namespace if
    /// nothing else is in it and netplan made it for this run, or with `any_namespace` for any run.
    ///
    /// For each run: what could not be removed, with the command that tries again.
    pub async fn clean(&self, runs: &[Run], any_namespace: bool) -> Vec<Result<(), Error>> {
        let mut results = Vec::with_capacity(runs.len());
        for run in runs {
            let made_for = (!any_namespace).then_some(run.id.as_str());
            results.push(remove_run(self, &run.namespace, &run.id, true, made_for).await);
        }
        results
    }
}

/// Removes all objects of a run, and its namespace if netplan made it for the run that is named, or for any.
pub async fn remove_run(
    connection: &Connection,
    namespace: &str,
    run: &str,
    strict: bool,
    made_for: Option<&str>,
) -> Result<(), Error> {
    let removed = match remove(connection, namespace, run, strict).await {
        Ok(()) => namespace::remove_if_made(connection, namespace, made_for).await,
        Err(error) => Err(error),
    };
    removed.map_err(|error| {
        let again = format!("netplan clean {run} --namespace {namespace} --force");
        let problem = Problem::from(error);
        let help = problem
            .help
            .as_deref()
            .map_or_else(String::new, |help| format!("{help}; then "));
        let help = format!("{help}`{again}` removes what is left");
        Problem {
            help: Some(help),
            ..problem
        }
        .into()
    })
}

/// Removes all objects of a run, and returns when its pods are gone. What netplan may not delete is left
/// to the cluster, which removes it after its owner: pods, and unless `strict` other kinds.
async fn remove(
    connection: &Connection,
    namespace: &str,
    run: &str,
    strict: bool,
) -> Result<(), Error> {
    let of_kind = async |(version, kind): &(&str, &str)| {
        let removed = remove_kind_with_retries(connection, namespace, run, version, kind).await;
        match removed {
            Err(error) => {
                let may_stay = *kind == "Pod" || !strict && *kind != "ConfigMap";
                let left_to_cluster = may_stay && code(&error) == Some(403);
                let what = || format!("remove the {kind}s of run `{run}`");
                (!left_to_cluster).then(|| api_error(what(), &error))
            }
            Ok(()) => None,
        }
    };
    let mut errors = Vec::new();
    for kind in MAKERS_AND_PODS {
        errors.extend(of_kind(kind).await);
    }
    let gone = async {
        if errors.is_empty() {
            wait_until_pods_are_gone(connection, namespace, run).await
        } else {
            Ok(())
        }
    };
    let (gone, others) = join(gone, join_all(OTHERS.iter().map(of_kind))).await;
    match errors
        .into_iter()
        .chain(others.into_iter().flatten())
        .next()
    {
        Some(error) => Err(error),
        None => gone,
    }
}

/// Deleting means the same however often it is asked for; the API server may be away for a moment.
async fn remove_kind_with_retries(
    connection: &Connection,
    namespace: &str,
    run: &str,
    version: &str,
    kind: &str,
) -> kube::Result<()> {
    let mut retries = RETRIES;
    loop {
        match remove_kind(connection, namespace, run, version, kind).await {
            Err(error) if retries > 0 && is_transient(&error) => {
                sleep(RETRY_AFTER * (RETRIES - retries + 1)).await;
                retries -= 1;
            }
            answer => return answer,
        }
    }
}

async fn remove_kind(
    connection: &Connection,
    namespace: &str,
    run: &str,
    version: &str,
    kind: &str,
) -> kube::Result<()> {
    let resource = resource(version, kind);
    let api: Api<DynamicObject> =
        Api::namespaced_with(connection.client.clone(), namespace, &resource);
    let list = ListParams::default().labels(&selector(run));
    // By default, deleting a Job leaves its pods.
    let params = DeleteParams::background();
    // Before 1.23 Services cannot be deleted as a collection.
    if kind == "Service" {
        for item in connection.ask(api.list_metadata(&list)).await?.items {
            let name = item.metadata.name.unwrap_or_default();
            match connection.ask(api.delete(&name, &params)).await {
                Err(error) if code(&error) != Some(404) => return Err(error),
                _ => {}
            }
        }
        return Ok(());
    }
    match connection.ask(api.delete_collection(&params, &list)).await {
        Err(error) if code(&error) == Some(404) => Ok(()),
        answer => answer.map(drop),
    }
}
