//! Checks the permissions that a run needs, each verb, before anything is done.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;

use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::objects::apply::resource_of;
use crate::cluster::kubernetes::objects::remove::is_removed_by_kind;
use crate::diag::Problem;
use crate::render::Manifest;

/// One question to the API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    pub group: String,
    /// With the subresource, if any: `pods/log`.
    pub resource: String,
    pub verb: &'static str,
    /// `None` for the whole cluster.
    pub namespace: Option<String>,
}

/// What a run does whatever it consists of: group, resource, verbs.
const ALWAYS: &[(&str, &str, &[&str])] = &[
    ("", "pods", &["get", "list", "watch"]),
    ("", "pods/log", &["get"]),
    // Which of the two is needed depends on the server's version.
    ("", "pods/portforward", &["get", "create"]),
    ("", "services", &["list", "delete"]),
    ("", "configmaps", &["list"]),
    // Whoever comes back to a run takes its identity from there.
    ("", "secrets", &["get"]),
    ("batch", "jobs", &["get", "list"]),
];
/// What is done to every kind of object: server-side apply is both of the first.
const APPLIED: &[&str] = &["create", "patch", "deletecollection"];
const AT_ONCE: usize = 8;

/// Everything that a run of these objects will do.
pub fn needed(
    manifests: &[Manifest],
    namespace: &str,
    makes_namespace: bool,
) -> BTreeSet<Permission> {
    let mut needed = BTreeSet::new();
    let mut add = |group: &str, resource: &str, verbs: &[&'static str], inside: bool| {
        needed.extend(verbs.iter().map(|verb| Permission {
            group: group.to_owned(),
            resource: resource.to_owned(),
            verb,
            namespace: inside.then(|| namespace.to_owned()),
        }));
    };
    for (group, resource, verbs) in ALWAYS {
        add(group, resource, verbs, true);
    }
    for manifest in manifests {
        let resource = resource_of(manifest);
        match manifest.kind() {
            "Namespace" if makes_namespace => add("", "namespaces", &["create", "delete"], false),
            "Namespace" => {}
            // Services cannot be deleted as a collection everywhere.
            "Service" => add("", "services", &["create", "patch"], true),
            // The cluster removes them after their owner.
            kind if !is_removed_by_kind(kind) => {
                add(
                    &resource.group,
                    &resource.plural,
                    &["create", "patch"],
                    true,
                );
            }
            _ => add(&resource.group, &resource.plural, APPLIED, true),
        }
    }
    needed
}

/// The missing permissions, as one problem for each namespace and one for the cluster.
pub async fn missing(connection: &Connection, needed: BTreeSet<Permission>) -> Vec<Problem> {
    let answers = stream::iter(needed)
        .map(|permission| ask(connection, permission))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await;
    match answers {
        Ok(answers) => {
            let refused = answers
                .into_iter()
                .filter(|(_, allowed)| !allowed)
                .map(|(permission, _)| permission)
                .collect();
            to_problems(&refused)
        }
        Err(error) => vec![
            Problem::without_place(format!(
                "cannot check the permissions: {}",
                crate::cluster::kubernetes::api_error::cause(&error)
            ))
            .help("the API server must support SelfSubjectAccessReviews"),
        ],
    }
}

async fn ask(connection: &Connection, permission: Permission) -> kube::Result<(Permission, bool)> {
    let (resource, subresource) = match permission.resource.split_once('/') {
        Some((resource, sub)) => (resource.to_owned(), Some(sub.to_owned())),
        None => (permission.resource.clone(), None),
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some(permission.group.clone()),
                resource: Some(resource),
                subresource,
                verb: Some(permission.verb.to_owned()),
                namespace: permission.namespace.clone(),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(connection.client.clone());
    let answer = connection
        .ask(api.create(&PostParams::default(), &review))
        .await?;
    let allowed = answer.status.is_some_and(|status| status.allowed);
    Ok((permission, allowed))
}

fn to_problems(refused: &BTreeSet<Permission>) -> Vec<Problem> {
    let mut places: BTreeMap<Option<&String>, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for permission in refused {
        places
            .entry(permission.namespace.as_ref())
            .or_default()
            .entry(&permission.resource)
            .or_default()
            .push(permission.verb);
    }
    places
        .into_iter()
        .map(|(namespace, resources)| {
            let list: Vec<String> = resources
                .into_iter()
                .map(|(resource, verbs)| format!("{} {resource}", verbs.join("/")))
                .collect();
            let (place, help) = match namespace {
                Some(namespace) => (
                    format!("in namespace `{namespace}`"),
                    "ask for a Role that allows it; `rbac.yaml` of netplan has a minimal one",
                ),
                None => (
                    "in the cluster".to_owned(),
                    "ask for the namespace to be created, or name an existing one with `--namespace`",
                ),
            };
            Problem::without_place(format!("you may not {} {place}", list.join(", "))).help(help.to_owned())
        })
        .collect()
}
