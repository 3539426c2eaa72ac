//! Access to a run that another process has started: its Secret and its logs.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::LogParams;

use super::cluster_run::Kubernetes;
use crate::cluster::Error;
use crate::cluster::kubernetes::api_error::api_error;

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
