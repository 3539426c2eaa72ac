//! Checks whether a cluster can carry a run, before anything is applied, and reports all problems at once.

use k8s_openapi::api::core::v1::{Namespace, Node};
use k8s_openapi::apimachinery::pkg::version::Info;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::{permissions, placement_check, pod_admission, quota, references_check};
use crate::cluster::kubernetes::api_error::{cause, code, help};
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::objects::apply::pod_spec;
use crate::cluster::{Error, Finding};
use crate::diag::Problem;
use crate::plan::OFFLOADS_CONTAINER;
use crate::render::Manifest;

/// Since then pods have `seccompProfile`, which the `restricted` standard asks for.
const OLDEST: (u32, u32) = (1, 19);
const ENFORCED_LEVEL: &str = "pod-security.kubernetes.io/enforce";
/// The API server takes no more in a `ConfigMap`.
pub const LARGEST_CONFIG_MAP_BYTES: usize = 1 << 20;

impl Connection {
    /// Every problem that keeps these objects from running in `namespace`. What netplan may not view is assumed to be right.
    pub async fn preflight(&self, namespace: &str, manifests: &[Manifest]) -> Vec<Problem> {
        let findings = self.checkup(namespace, manifests).await;
        let problems = findings.iter().flat_map(Finding::problems);
        problems.cloned().collect()
    }

    /// How many nodes can take the workers of the plan's groups, which have a node each.
    ///
    /// # Errors
    /// When the nodes cannot be listed.
    pub async fn group_capacity(&self, manifests: &[Manifest]) -> Result<u32, Error> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let nodes = self.ask(nodes.list(&ListParams::default())).await;
        let nodes = nodes.map_err(|error| {
            Error::cannot(
                "count the nodes for workers with `one_per_node`",
                cause(&error),
                "give their `count` in the plan",
            )
        })?;
        Ok(
            u32::try_from(placement_check::group_capacity(&nodes.items, manifests))
                .unwrap_or(u32::MAX),
        )
    }

    /// The findings of all checks. If the API server does not answer, the others are skipped.
    pub async fn checkup(&self, namespace: &str, manifests: &[Manifest]) -> Vec<Finding> {
        let server = "API server";
        let version = match self.ask(self.client.apiserver_version()).await {
            Ok(version) => version,
            Err(error) => {
                let place = self.place();
                let problem = match code(&error) {
                    Some(401) => Problem::without_place(format!(
                        "the API server of {place} does not accept your credentials"
                    ))
                    .help("log in again, or name another context with `--context`"),
                    Some(_) => Problem::without_place(format!(
                        "the API server of {place} refuses: {}",
                        cause(&error)
                    ))
                    .help(help(&error).to_owned()),
                    None => Problem::without_place(cause(&error)).help(help(&error).to_owned()),
                };
                return vec![Finding::new(server, "", vec![problem])];
            }
        };
        let old = too_old(&version).into_iter().collect();
        let answers = format!("{} ({})", version.git_version, self.place());
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let found = self.ask(namespaces.get_opt(namespace)).await;
        let is_missing = matches!(&found, Ok(None));
        // Objects cannot be made in a namespace that is being deleted; the run waits for its end, and makes it anew.
        let is_leaving =
            matches!(&found, Ok(Some(found)) if found.metadata.deletion_timestamp.is_some());
        let is_missing = is_missing || is_leaving;
        let (there, namespace_problems) = namespace_state(namespace, found, manifests);
        let needed = permissions::needed(manifests, namespace, is_missing);
        let allowed = format!("all {} that a run needs", needed.len());
        let nodes: Api<Node> = Api::all(self.client.clone());
        let nodes = self.ask(nodes.list(&ListParams::default())).await;
        let nodes = nodes.ok().map(|list| list.items);
        vec![
            Finding::new(server, answers, old),
            Finding::new("namespace", there, namespace_problems),
            Finding::new(
                "permissions",
                allowed,
                permissions::missing(self, needed).await,
            ),
            placement_check::check(nodes.as_deref(), manifests),
            references_check::image(nodes.as_deref(), manifests),
            references_check::references(self, (!is_missing).then_some(namespace), manifests).await,
            pod_admission::check(self, (!is_missing).then_some(namespace), manifests).await,
            quota::check(self, (!is_missing).then_some(namespace), manifests).await,
            plan_size(manifests),
        ]
    }
}

fn too_old(version: &Info) -> Option<Problem> {
    // Some providers write `20+`.
    let number = |text: &str| -> Option<u32> {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let (Some(major), Some(minor)) = (number(&version.major), number(&version.minor)) else {
        return None;
    };
    ((major, minor) < OLDEST).then(|| {
        Problem::without_place(format!("the API server is {}", version.git_version))
            .help(format!("use v{}.{} or newer", OLDEST.0, OLDEST.1))
    })
}

fn namespace_state(
    name: &str,
    found: kube::Result<Option<Namespace>>,
    manifests: &[Manifest],
) -> (String, Vec<Problem>) {
    match found {
        Ok(Some(found)) if found.metadata.deletion_timestamp.is_some() => (
            format!("`{name}` is being deleted; the run waits for that"),
            Vec::new(),
        ),
        Ok(Some(found)) => {
            let level = found.labels().get(ENFORCED_LEVEL);
            let state = match level {
                Some(level) => format!("`{name}` exists, with the Pod Security level `{level}`"),
                None => format!("`{name}` exists"),
            };
            (
                state,
                level_problem(&found, manifests).into_iter().collect(),
            )
        }
        Ok(None) if manifests.iter().any(|one| one.kind() == "Namespace") => {
            (format!("`{name}` will be created"), Vec::new())
        }
        Ok(None) => {
            let problem = Problem::without_place(format!("there is no namespace `{name}`"))
                .help(format!("create it with `kubectl create namespace {name}`"));
            (String::new(), vec![problem])
        }
        Err(_) => (
            format!("`{name}`, which you may not view; it must exist"),
            Vec::new(),
        ),
    }
}

/// What the namespace's Pod Security level does not let through: the host's network, and a container that switches
/// offloads off. All else that the templates ask for passes the strictest level.
fn level_problem(namespace: &Namespace, manifests: &[Manifest]) -> Option<Problem> {
    let level = namespace.labels().get(ENFORCED_LEVEL)?;
    if level == "privileged" {
        return None;
    }
    let find = |needs: fn(&Value) -> bool| {
        let mut all = manifests.iter();
        all.find(|manifest| pod_spec(&manifest.object).is_some_and(needs))
    };
    let on_host = find(|spec| spec["hostNetwork"] == true);
    let switches = || find(switches_offloads);
    let (one, does, help) = match on_host {
        Some(one) => (
            one,
            "uses the host's network",
            "remove the paths via `host`",
        ),
        None => (
            switches()?,
            "switches offloads off",
            "remove `kubernetes.offloads`",
        ),
    };
    Some(
        Problem::without_place(format!(
            "{} `{}` {does}, and namespace `{}` enforces the Pod Security level `{level}`",
            one.kind(),
            one.name(),
            namespace.name_any(),
        ))
        .help(format!(
            "use a namespace with the level `privileged`, or {help}"
        )),
    )
}

/// Whether a pod has netplan's container that switches offloads off. A plan may add other init containers.
fn switches_offloads(spec: &Value) -> bool {
    let containers = spec["initContainers"].as_array().into_iter().flatten();
    let mut own = containers.filter(|container| container["name"] == OFFLOADS_CONTAINER);
    own.any(|container| {
        let added = container.pointer("/securityContext/capabilities/add");
        added
            .and_then(Value::as_array)
            .is_some_and(|added| added.contains(&"NET_ADMIN".into()))
    })
}

/// Whether what the orchestrator reads fits into the `ConfigMap` that carries it.
fn plan_size(manifests: &[Manifest]) -> Finding {
    let entries = |manifest: &Manifest, field: &str| -> usize {
        let entries = manifest.object[field].as_object();
        let texts = entries.into_iter().flatten();
        texts
            .map(|(key, text)| {
                let text = text.as_str().unwrap_or_default();
                let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
                key.len()
                    + match field {
                        "binaryData" => (text.len() / 4 * 3).saturating_sub(padding),
                        _ => text.len(),
                    }
            })
            .sum()
    };
    let maps = manifests.iter().filter(|one| one.kind() == "ConfigMap");
    let sizes = maps.map(|map| (entries(map, "data"), entries(map, "binaryData")));
    let (plan, journal) = sizes
        .max_by_key(|(data, binary)| data + binary)
        .unwrap_or_default();
    let size = (plan + journal).div_ceil(1024);
    let (what, help) = if journal > 0 {
        (
            "the resolved plan and the journal so far have",
            "run the missing cells as a separate run, with `--only`",
        )
    } else {
        (
            "the resolved plan has",
            "split the plan into two, or shorten its lists of values to `{ from, to, step }`",
        )
    };
    let problems = (plan + journal > LARGEST_CONFIG_MAP_BYTES).then(|| {
        Problem::without_place(format!(
            "{what} {size} KiB, and a ConfigMap takes {} KiB",
            LARGEST_CONFIG_MAP_BYTES / 1024
        ))
        .help(help.to_owned())
    });
    Finding::new(
        "plan",
        format!("{size} KiB"),
        problems.into_iter().collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_container_that_switches_offloads_needs_a_privileged_namespace() {
        let namespace =
            json!({"metadata": {"name": "team-a", "labels": {ENFORCED_LEVEL: "restricted"}}});
        let namespace: Namespace = serde_json::from_value(namespace).unwrap();
        let offloads = json!({
            "name": OFFLOADS_CONTAINER,
            "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}},
        });
        let problem = |containers: Value| {
            let spec = json!({"initContainers": containers, "containers": []});
            let job = json!({
                "kind": "Job",
                "metadata": {"name": "w1"},
                "spec": {"template": {"spec": spec}},
            });
            let manifest = Manifest {
                template: "worker-job".to_owned(),
                text: String::new(),
                object: job,
            };
            level_problem(&namespace, &[manifest])
        };
        assert!(problem(json!([{"name": "wait", "image": "busybox"}])).is_none());
        assert!(problem(json!([{"name": OFFLOADS_CONTAINER, "image": "busybox"}])).is_none());
        let found = problem(json!([{"name": "wait", "image": "busybox"}, offloads])).unwrap();
        assert!(
            found.to_string().contains("switches offloads off"),
            "{found}"
        );
    }
}
