//! Removal: what carries a run's label, and nothing else.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ListParams};

use super::access::Access;
use super::apply::resource;
use super::failure::{code, failed};
use super::feed::{Change, Feed};
use super::namespace;
use super::pod::{NAME_LABEL, NETPLAN, RUN_LABEL};
use super::runs::Run;
use crate::cluster::Error;

/// Which runs to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The run of this id.
    Run(String),
    /// All that there are.
    All,
}

/// The owner first: should this process end here, the cluster removes the rest by itself. Jobs go
/// before their pods, or they would make new ones; so, pods are left only where a template has some.
const KINDS: &[(&str, &str)] = &[
    ("v1", "ConfigMap"),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "Secret"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
];

/// Every object of one run.
pub(super) fn selector(run: &str) -> String {
    format!("{NAME_LABEL}={NETPLAN},{RUN_LABEL}={run}")
}

impl Access {
    /// Removes what is left of one run or of all, and only what carries netplan's label; also the
    /// namespace, when netplan made it and nothing else is in it. Says what it removed.
    ///
    /// # Errors
    /// What could not be removed; the other runs are gone by then.
    pub async fn clean(&self, which: &Which) -> Result<Vec<Run>, Error> {
        let runs: Vec<Run> = self
            .runs()
            .await?
            .into_iter()
            .filter(|run| match which {
                Which::Run(id) => run.id == *id,
                Which::All => true,
            })
            .collect();
        let mut first_error = None;
        for run in &runs {
            let made_for = match which {
                Which::Run(_) => Some(run.id.as_str()),
                Which::All => None,
            };
            let removed = match remove(self, &run.namespace, &run.id, true).await {
                Ok(()) => namespace::remove_if_made(self, &run.namespace, made_for).await,
                Err(error) => Err(error),
            };
            first_error = first_error.or(removed.err());
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(runs),
        }
    }
}

/// Removes all objects of a run, and returns when its pods are gone. What one may not delete is left
/// to the cluster, which removes it after its owner: pods, and unless `strict` other kinds.
pub(super) async fn remove(
    access: &Access,
    namespace: &str,
    run: &str,
    strict: bool,
) -> Result<(), Error> {
    let mut first_error = None;
    for (version, kind) in KINDS {
        if let Err(error) = remove_kind(access, namespace, run, version, kind).await {
            let may_stay = *kind == "Pod" || !strict && *kind != "ConfigMap";
            let left_to_cluster = may_stay && code(&error) == Some(403);
            if !left_to_cluster {
                let what = format!("remove the {kind}s of run `{run}`");
                first_error = first_error.or(Some(failed(what, &error)));
            }
        }
    }
    if let Some(error) = first_error {
        return Err(error);
    }
    pods_gone(access, namespace, run).await
}

async fn remove_kind(
    access: &Access,
    namespace: &str,
    run: &str,
    version: &str,
    kind: &str,
) -> kube::Result<()> {
    let resource = resource(version, kind);
    let api: Api<DynamicObject> = Api::namespaced_with(access.client.clone(), namespace, &resource);
    let list = ListParams::default().labels(&selector(run));
    // Without a word a Job's end would leave its pods.
    let params = DeleteParams::background();
    match access.ask(api.delete_collection(&params, &list)).await {
        // Before 1.23 Services cannot be deleted as a collection.
        Err(error) if code(&error) == Some(405) => {
            for item in access.ask(api.list_metadata(&list)).await?.items {
                let name = item.metadata.name.unwrap_or_default();
                match access.ask(api.delete(&name, &params)).await {
                    Err(error) if code(&error) != Some(404) => return Err(error),
                    _ => {}
                }
            }
            Ok(())
        }
        Err(error) if code(&error) == Some(404) => Ok(()),
        answer => answer.map(drop),
    }
}

async fn pods_gone(access: &Access, namespace: &str, run: &str) -> Result<(), Error> {
    let mut feed = Feed::new(access, namespace, &selector(run));
    let gone = async {
        let mut begun = false;
        while !begun || feed.pods().next().is_some() {
            begun |= matches!(feed.next().await?, Change::Begun);
        }
        Ok::<(), Error>(())
    };
    let patience = access.patience.gone;
    if let Ok(gone) = tokio::time::timeout(patience, gone).await {
        return gone;
    }
    let left: Vec<&str> = feed
        .pods()
        .filter_map(|pod: &Pod| pod.metadata.name.as_deref())
        .collect();
    Err(Error::Api {
        what: format!("remove the pods of run `{run}`"),
        cause: format!(
            "still there after {} s: {}",
            patience.as_secs(),
            left.join(", ")
        ),
        help: "their nodes may be gone; `kubectl delete pod --force` removes them".to_owned(),
    })
}
