//! The objects of a run, as Kubernetes' own types.

use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::origin::Origin;
use crate::cluster::placement::PodToPlace;
use crate::render::policy::Policy;

/// The objects of a run.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    pub pods: Vec<PodObject>,
    pub services: Vec<Service>,
    pub config_maps: Vec<ConfigMap>,
    pub secrets: Vec<Secret>,
    /// Those that are enforced.
    pub policies: Vec<Policy>,
}

/// A pod, rendered as one or created by a Job.
#[derive(Clone, Debug)]
pub struct PodObject {
    pub origin: Origin,
    /// Its name is that of its Job.
    pub pod: PodToPlace,
    /// How often in a row its process may fail before it stays down.
    pub restart_limit: u32,
}

impl Objects {
    /// The `ConfigMap` of this name.
    pub fn config_map(&self, wanted: &str) -> Option<&ConfigMap> {
        let mut objects = self.config_maps.iter();
        objects.find(|object| name(&object.metadata) == wanted)
    }

    /// The Secret of this name.
    pub fn secret(&self, wanted: &str) -> Option<&Secret> {
        let mut objects = self.secrets.iter();
        objects.find(|object| name(&object.metadata) == wanted)
    }
}

/// An object's name; empty when it has none.
pub fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}

/// An object's namespace.
pub fn namespace(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or("default")
}
