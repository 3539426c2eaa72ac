//! Where a pod of the run is, and by which addresses others reach it.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;

use super::cluster_run::Kubernetes;
use super::port_forward::find_pod;
use crate::cluster::kubernetes::api_error::api_error;
use crate::cluster::{Error, PodAddresses};

impl Kubernetes {
    /// Where the pod of a rendered name is.
    ///
    /// # Errors
    /// [`Error::NoSuchPod`], or the API server does not say. A Service that may not be read counts as none.
    pub(super) async fn pod_addresses(&self, pod: &str) -> Result<PodAddresses, Error> {
        let connection = self.connection();
        let services: Api<Service> = Api::namespaced(connection.client.clone(), self.namespace());
        let (found, service) = tokio::join!(
            find_pod(connection, self.namespace(), self.id(), pod),
            connection.ask(services.get_opt(pod)),
        );
        let what = || format!("look for pod `{pod}`");
        let found = found.map_err(|error| api_error(what(), &error))?;
        let found = found.ok_or_else(|| Error::NoSuchPod {
            pod: pod.to_owned(),
        })?;
        Ok(PodAddresses {
            node: node(&found),
            pod_ips: pod_ips(&found),
            service_ips: service
                .ok()
                .flatten()
                .map(|service| cluster_ips(&service))
                .unwrap_or_default(),
        })
    }
}

fn node(pod: &Pod) -> String {
    let spec = pod.spec.as_ref();
    spec.and_then(|spec| spec.node_name.clone())
        .unwrap_or_default()
}

fn pod_ips(pod: &Pod) -> Vec<IpAddr> {
    let Some(status) = &pod.status else {
        return Vec::new();
    };
    let all = status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str());
    // Clusters before 1.20 give the first one only.
    unique(status.pod_ip.as_deref().into_iter().chain(all))
}

/// `None` is a value of a headless Service, and no address.
fn cluster_ips(service: &Service) -> Vec<IpAddr> {
    let Some(spec) = &service.spec else {
        return Vec::new();
    };
    let all = spec.cluster_ips.iter().flatten().map(String::as_str);
    unique(spec.cluster_ip.as_deref().into_iter().chain(all))
}

/// The addresses in their order, each once.
fn unique<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<IpAddr> {
    let mut ips: Vec<IpAddr> = Vec::new();
    for ip in texts.filter_map(|text| text.parse().ok()) {
        if !ips.contains(&ip) {
            ips.push(ip);
        }
    }
    ips
}
