//! Can this cluster carry a run? Asked before anything is applied, and all problems told at once.

use k8s_openapi::api::core::v1::{Namespace, Node};
use k8s_openapi::apimachinery::pkg::version::Info;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::access::Access;
use super::apply::pod_spec;
use super::failure::cause;
use super::{permissions, seats};
use crate::cluster::Trouble;
use crate::render::Manifest;

/// Since then pods have `seccompProfile`, which the `restricted` standard asks for.
const OLDEST: (u32, u32) = (1, 19);
const ENFORCED_LEVEL: &str = "pod-security.kubernetes.io/enforce";

impl Access {
    /// Everything that stands in the way of applying these objects to `namespace`; empty when they
    /// can run. What one may not look at is taken to be all right.
    pub async fn preflight(&self, namespace: &str, manifests: &[Manifest]) -> Vec<Trouble> {
        let version = match self.ask(self.client.apiserver_version()).await {
            Ok(version) => version,
            Err(error) => {
                return vec![Trouble {
                    what: format!(
                        "the API server of {} cannot be reached: {}",
                        self.place(),
                        cause(&error)
                    ),
                    help: "check that the cluster is up, or name another one with `--context`"
                        .to_owned(),
                }];
            }
        };
        let mut troubles: Vec<Trouble> = too_old(&version).into_iter().collect();
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let found = self.ask(namespaces.get_opt(namespace)).await;
        let is_missing = matches!(found, Ok(None));
        let template = manifests
            .iter()
            .any(|manifest| manifest.kind() == "Namespace");
        if is_missing && !template {
            troubles.push(Trouble {
                what: format!("there is no namespace `{namespace}`"),
                help: format!("`kubectl create namespace {namespace}` makes it"),
            });
        }
        if let Ok(Some(found)) = &found {
            troubles.extend(level(found, manifests));
        }
        let needed = permissions::needed(manifests, namespace, is_missing);
        troubles.extend(permissions::troubles(self, needed).await);
        let nodes: Api<Node> = Api::all(self.client.clone());
        if let Ok(nodes) = self.ask(nodes.list(&ListParams::default())).await {
            let seats = seats::seats(manifests);
            troubles.extend(seats::troubles(&nodes.items, &seats));
        }
        troubles
    }
}

fn too_old(version: &Info) -> Option<Trouble> {
    // Some providers write `20+`.
    let number = |text: &str| -> Option<u32> {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let (Some(major), Some(minor)) = (number(&version.major), number(&version.minor)) else {
        return None;
    };
    ((major, minor) < OLDEST).then(|| Trouble {
        what: format!("the API server is {}", version.git_version),
        help: format!("it has to be v{}.{} or newer", OLDEST.0, OLDEST.1),
    })
}

/// What the namespace's Pod Security level does not let through: the host's network. All else that
/// the templates ask for passes the strictest level.
fn level(namespace: &Namespace, manifests: &[Manifest]) -> Option<Trouble> {
    let level = namespace.labels().get(ENFORCED_LEVEL)?;
    if level == "privileged" {
        return None;
    }
    let on_host = manifests.iter().find(|manifest| {
        pod_spec(&manifest.object).is_some_and(|spec| spec["hostNetwork"] == true)
    })?;
    Some(Trouble {
        what: format!(
            "{} `{}` uses the host's network, and namespace `{}` enforces the Pod Security level `{level}`",
            on_host.kind(),
            on_host.name(),
            namespace.name_any(),
        ),
        help: "take a namespace of the level `privileged`, or leave out the paths via `host`"
            .to_owned(),
    })
}
