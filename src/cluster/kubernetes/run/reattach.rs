//! Access to a run that another process has started: its Secret and its logs.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ListParams, LogParams};

use super::cluster_run::Kubernetes;
use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::api_error;
use crate::cluster::kubernetes::labels::{WORKER_LABEL, selector};
use crate::cluster::kubernetes::pods::status::{Stage, is_leaving, pod_state, rendered_name};

impl Kubernetes {
    /// What a Secret of the run holds.
    ///
    /// # Errors
    /// When it does not exist, or netplan may not read it.
    pub async fn secret(&self, name: &str) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let api: Api<Secret> = Api::namespaced(self.connection().client.clone(), self.namespace());
        let secret = self.connection().ask(api.get(name)).await;
        let secret = secret.map_err(|error| api_error(format!("read Secret `{name}`"), &error))?;
        let data = secret.data.unwrap_or_default();
        Ok(data
            .into_iter()
            .map(|(key, bytes)| (key, bytes.0))
            .collect())
    }

    /// The workers whose pods run: each pod's rendered name, and the plan's name for the worker.
    ///
    /// # Errors
    /// When the pods cannot be listed.
    pub async fn running_workers(&self) -> Result<Vec<(String, String)>, Error> {
        let list = ListParams::default().labels(&selector(self.id()));
        let pods = self.connection().ask(self.pods().list(&list)).await;
        let pods = pods.map_err(|error| api_error("list the pods of the run", &error))?;
        let running = pods
            .items
            .iter()
            .filter(|pod| !is_leaving(pod) && pod_state(pod).stage == Stage::Ready);
        let workers = running.filter_map(|pod| {
            let worker = pod.metadata.labels.as_ref()?.get(WORKER_LABEL)?;
            Some((rendered_name(pod), worker.clone()))
        });
        Ok(workers.collect())
    }

    /// What a pod has printed, all that the node still has of it, or only its last lines.
    ///
    /// # Errors
    /// [`Error::NoSuchPod`], or the log cannot be had.
    pub async fn log(&self, pod: &str, last_lines: Option<u32>) -> Result<String, Error> {
        let name = self.own_name(pod).await?;
        let params = LogParams {
            tail_lines: last_lines.map(i64::from),
            ..LogParams::default()
        };
        let log = self
            .connection()
            .ask(self.pods().logs(&name, &params))
            .await;
        log.map_err(|error| api_error(format!("read the log of pod `{pod}`"), &error))
    }
}
