//! Manifests → the objects of a run.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::checks::{check_keys, check_names, check_pod};
use super::fields::{self, JOB_POD_SPEC};
use super::objects::{Objects, PodObject, name, namespace};
use super::origin::Origin;
use super::policies::policies;
use super::support;
use crate::cluster::Error;
use crate::cluster::placement::PodToPlace;
use crate::render::Manifest;

/// A pod that fails more often in a row than this stays down, whatever its Job allows; Kubernetes
/// would wait ever longer.
const POD_RESTART_LIMIT: u32 = 3;
/// The `backoffLimit` of a Job that states none.
const DEFAULT_BACKOFF_LIMIT: i32 = 6;

impl Objects {
    /// Reads all manifests.
    ///
    /// # Errors
    /// [`Error::Refused`] names the first object and field that the local cluster does not support.
    pub fn from_manifests(manifests: &[Manifest]) -> Result<Self, Error> {
        let mut objects = Self::default();
        for manifest in manifests {
            objects.add(manifest)?;
        }
        objects.policies = policies(manifests)?;
        for (index, pod) in objects.pods.iter().enumerate() {
            let name = &pod.pod.name;
            if objects.pods[..index].iter().any(|p| p.pod.name == *name) {
                return Err(duplicate(&pod.origin, "pods", name));
            }
            check_pod(pod, &objects)?;
        }
        Ok(objects)
    }

    fn add(&mut self, manifest: &Manifest) -> Result<(), Error> {
        let (kind, name) = (manifest.kind(), manifest.name());
        let version = manifest.object["apiVersion"].as_str().unwrap_or_default();
        let mut origin = Origin {
            object: format!("{kind} {name}"),
            template: manifest.template.clone(),
            spec_path: "spec",
        };
        match (version, kind) {
            ("v1", "Pod") => {
                let pod: Pod = typed(manifest, &origin)?;
                check_names(&pod.metadata, &origin)?;
                let to_place = PodToPlace {
                    name: name.to_owned(),
                    namespace: namespace(&pod.metadata).to_owned(),
                    labels: pod.metadata.labels.unwrap_or_default(),
                    spec: pod.spec.unwrap_or_default(),
                };
                self.pods.push(PodObject {
                    origin,
                    pod: to_place,
                    restart_limit: POD_RESTART_LIMIT,
                });
            }
            ("batch/v1", "Job") => {
                let job: Job = typed(manifest, &origin)?;
                check_names(&job.metadata, &origin)?;
                origin.spec_path = JOB_POD_SPEC;
                self.pods.push(pod_of_job(job, origin)?);
            }
            ("v1", "Service") => {
                let service: Service = typed(manifest, &origin)?;
                check_names(&service.metadata, &origin)?;
                let mut others = self.services.iter();
                if others.any(|other| other.metadata.name == service.metadata.name) {
                    return Err(duplicate(&origin, "Services", name));
                }
                self.services.push(service);
            }
            ("v1", "ConfigMap") => {
                let object: ConfigMap = typed(manifest, &origin)?;
                check_keys("data", object.data.as_ref(), &origin)?;
                check_keys("binaryData", object.binary_data.as_ref(), &origin)?;
                self.config_maps.push(object);
            }
            ("v1", "Secret") => {
                let object: Secret = typed(manifest, &origin)?;
                check_keys("stringData", object.string_data.as_ref(), &origin)?;
                self.secrets.push(object);
            }
            // There is no API server for names to share. Policies are read together.
            ("v1", "Namespace") | ("networking.k8s.io/v1", "NetworkPolicy") => {}
            _ => {
                return Err(origin.refuse(
                    "kind",
                    format!("the local cluster does not know `{kind}` of `{version}`"),
                    "it knows Pod, Job, Service, ConfigMap, Secret and NetworkPolicy, and passes over Namespace; run this template on Kubernetes",
                ));
            }
        }
        Ok(())
    }
}

fn pod_of_job(job: Job, origin: Origin) -> Result<PodObject, Error> {
    let spec = job.spec.unwrap_or_default();
    let template = spec.template;
    let pod_spec = template.spec.unwrap_or_default();
    if pod_spec.restart_policy.as_deref() != Some("OnFailure") {
        return Err(origin.refuse_in_spec(
            "restartPolicy",
            "the local cluster starts a Job's process again in the same pod",
            "set it to OnFailure",
        ));
    }
    let name = name(&job.metadata).to_owned();
    let mut labels = template
        .metadata
        .and_then(|metadata| metadata.labels)
        .unwrap_or_default();
    // The labels that the Job controller sets.
    labels.insert("batch.kubernetes.io/job-name".into(), name.clone());
    labels.insert("job-name".into(), name.clone());
    let limit = spec.backoff_limit.unwrap_or(DEFAULT_BACKOFF_LIMIT);
    Ok(PodObject {
        origin,
        pod: PodToPlace {
            name,
            namespace: namespace(&job.metadata).to_owned(),
            labels,
            spec: pod_spec,
        },
        restart_limit: limit.unsigned_abs().min(POD_RESTART_LIMIT),
    })
}

/// Reads an object whose fields are all supported.
fn typed<T: DeserializeOwned>(manifest: &Manifest, origin: &Origin) -> Result<T, Error> {
    let help = "change the template, or run it on Kubernetes";
    let mut object = manifest.object.clone();
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let fields = fields::supported(version, manifest.kind());
    support::check(&mut object, fields)
        .map_err(|unsupported| origin.refuse(&unsupported.field, unsupported.what, help))?;
    serde_path_to_error::deserialize::<Value, T>(object).map_err(|error| {
        let field = error.path().to_string();
        origin.refuse(&field, error.into_inner().to_string(), help)
    })
}

fn duplicate(origin: &Origin, what: &str, name: &str) -> Error {
    origin.refuse(
        "metadata.name",
        format!("there are two {what} `{name}`"),
        "give each its own name",
    )
}
