//! Whether a run's objects fit into the namespace's quotas all together. The API server judges each object by
//! itself, so that a quota would stop a run half-way.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::Value;

use crate::cluster::Finding;
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::objects::apply::pod_spec;
use crate::diag::{Problem, count};
use crate::plan::quantity;
use crate::render::Manifest;

/// Compares the run with the quotas of the namespace; `None` if it does not exist yet. What netplan may not view is
/// assumed to be right.
pub async fn check(
    connection: &Connection,
    namespace: Option<&str>,
    manifests: &[Manifest],
) -> Finding {
    let finding = |state: String, problems| Finding::new("quotas", state, problems);
    let Some(namespace) = namespace else {
        return finding("a new namespace has none of its own".to_owned(), Vec::new());
    };
    let quotas: Api<ResourceQuota> = Api::namespaced(connection.client.clone(), namespace);
    let ranges: Api<LimitRange> = Api::namespaced(connection.client.clone(), namespace);
    let params = ListParams::default();
    let (quotas, ranges) = tokio::join!(
        connection.ask(quotas.list(&params)),
        connection.ask(ranges.list(&params)),
    );
    let Ok(quotas) = quotas else {
        return finding("you may not view them".to_owned(), Vec::new());
    };
    let ranges = ranges.map(|list| list.items).unwrap_or_default();
    let state = match quotas.items.len() {
        0 => "the namespace has none".to_owned(),
        all => format!("{}, the run fits", count(all, "quota")),
    };
    finding(state, exceeded(&quotas.items, &ranges, manifests))
}

/// What a run needs, in thousandths, by the resource's name in a quota.
type Needs = BTreeMap<String, u128>;

/// One problem for each resource of a quota that the run would exceed.
fn exceeded(
    quotas: &[ResourceQuota],
    ranges: &[LimitRange],
    manifests: &[Manifest],
) -> Vec<Problem> {
    let (needs, without) = needs(manifests, ranges);
    let mut problems = Vec::new();
    for quota in quotas.iter().filter(|quota| is_for_all_pods(quota)) {
        let status = quota.status.clone().unwrap_or_default();
        let hard = status
            .hard
            .or_else(|| quota.spec.clone().unwrap_or_default().hard)
            .unwrap_or_default();
        let used = status.used.unwrap_or_default();
        for (resource, Quantity(hard)) in &hard {
            let name = quota.name_any();
            if let Some(pod) = without.get(resource) {
                let what = format!(
                    "quota `{name}` limits `{resource}`, and pod `{pod}` does not say how much it takes"
                );
                let help = "set it in the plan's `kubernetes: resources`";
                problems.push(Problem::without_place(what).help(help));
                continue;
            }
            let used = used
                .get(resource)
                .map_or("0", |Quantity(used)| used.as_str());
            let (Some(need), Ok(limit), Ok(taken)) =
                (needs.get(resource), quantity(hard), quantity(used))
            else {
                continue;
            };
            if taken + need > limit {
                let what = format!(
                    "the run needs {} of `{resource}`, and of quota `{name}` {used} of {hard} are in use",
                    amount(resource, *need)
                );
                let help = "ask for less in the plan's `kubernetes: resources`, remove other runs (`netplan status`), \
                            or ask for a larger quota";
                problems.push(Problem::without_place(what).help(help));
            }
        }
    }
    problems
}

/// Whether a quota counts the pods of a run; one with scopes counts some pods only.
fn is_for_all_pods(quota: &ResourceQuota) -> bool {
    let Some(spec) = &quota.spec else {
        return true;
    };
    spec.scope_selector.is_none() && spec.scopes.as_ref().is_none_or(Vec::is_empty)
}

/// What all objects need together, and for each resource that some pod leaves open the first such pod.
fn needs<'m>(
    manifests: &'m [Manifest],
    ranges: &[LimitRange],
) -> (Needs, BTreeMap<String, &'m str>) {
    const ONE: u128 = 1_000;
    let mut needs = Needs::new();
    let mut without = BTreeMap::new();
    let mut add = |resource: &str, amount: u128| {
        *needs.entry(resource.to_owned()).or_default() += amount;
    };
    for manifest in manifests {
        let counted = match manifest.kind() {
            "Job" => &["count/jobs.batch"][..],
            "Service" => &["services", "count/services"],
            "Secret" => &["secrets", "count/secrets"],
            "ConfigMap" => &["configmaps", "count/configmaps"],
            "NetworkPolicy" => &["count/networkpolicies.networking.k8s.io"],
            _ => &[],
        };
        for resource in counted {
            add(resource, ONE);
        }
        let Some(spec) = pod_spec(&manifest.object) else {
            continue;
        };
        add("pods", ONE);
        add("count/pods", ONE);
        for container in spec["containers"].as_array().into_iter().flatten() {
            for resource in ["cpu", "memory"] {
                let written = |kind: &str| text(&container["resources"][kind][resource]);
                let limit = written("limits").or_else(|| default(ranges, resource, false));
                // A request that is not written is the limit, where that is written.
                let request = written("requests")
                    .or_else(|| written("limits"))
                    .or_else(|| default(ranges, resource, true))
                    .or_else(|| limit.clone());
                let asked = [
                    (
                        vec![format!("requests.{resource}"), resource.to_owned()],
                        request,
                    ),
                    (vec![format!("limits.{resource}")], limit),
                ];
                for (names, value) in asked {
                    let value = value.and_then(|value| quantity(&value).ok());
                    for name in names {
                        match value {
                            Some(value) => add(&name, value),
                            None => drop(without.entry(name).or_insert_with(|| manifest.name())),
                        }
                    }
                }
            }
        }
    }
    (needs, without)
}

/// A quantity of a manifest: YAML has `2` as a number.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What a `LimitRange` gives to containers that say nothing.
fn default(ranges: &[LimitRange], resource: &str, is_request: bool) -> Option<String> {
    let items = ranges
        .iter()
        .filter_map(|range| Some(&range.spec.as_ref()?.limits));
    let mut items = items.flatten().filter(|item| item.type_ == "Container");
    items.find_map(|item| {
        let defaults = if is_request {
            &item.default_request
        } else {
            &item.default
        };
        defaults
            .as_ref()?
            .get(resource)
            .map(|Quantity(text)| text.clone())
    })
}

/// Thousandths of a resource, for people.
fn amount(resource: &str, thousandths: u128) -> String {
    if resource.ends_with("memory") {
        return format!("{}Mi", thousandths.div_ceil(1_000 << 20));
    }
    if thousandths.is_multiple_of(1_000) {
        (thousandths / 1_000).to_string()
    } else {
        format!("{thousandths}m")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn quota(hard: &Value, used: &Value) -> ResourceQuota {
        serde_json::from_value(json!({
            "metadata": {"name": "q"},
            "status": {"hard": hard, "used": used},
        }))
        .unwrap()
    }

    fn pod(name: &str, resources: &Value) -> Manifest {
        Manifest {
            template: "t".to_owned(),
            text: String::new(),
            object: json!({
                "kind": "Job",
                "metadata": {"name": name},
                "spec": {"template": {"spec": {"containers": [{"resources": resources}]}}},
            }),
        }
    }

    fn problems(
        quota: ResourceQuota,
        ranges: &[LimitRange],
        manifests: &[Manifest],
    ) -> Vec<String> {
        let found = exceeded(&[quota], ranges, manifests);
        found.into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn the_sum_counts_and_not_each_pod() {
        let asked = json!({"requests": {"cpu": "400m", "memory": "64Mi"}, "limits": {"cpu": 1, "memory": "1Gi"}});
        let pods = [pod("a", &asked), pod("b", &asked), pod("c", &asked)];
        let none = json!({});
        for (hard, used, expected) in [
            (json!({"pods": "3"}), none.clone(), None),
            (
                json!({"pods": "3"}),
                json!({"pods": "1"}),
                Some("the run needs 3 of `pods`, and of quota `q` 1 of 3 are in use"),
            ),
            (json!({"requests.cpu": "1200m"}), none.clone(), None),
            (
                json!({"requests.cpu": "1"}),
                none.clone(),
                Some("the run needs 1200m of `requests.cpu`, and of quota `q` 0 of 1 are in use"),
            ),
            (
                json!({"cpu": "2"}),
                json!({"cpu": "900m"}),
                Some("the run needs 1200m of `cpu`, and of quota `q` 900m of 2 are in use"),
            ),
            (
                json!({"limits.memory": "2Gi"}),
                none.clone(),
                Some(
                    "the run needs 3072Mi of `limits.memory`, and of quota `q` 0 of 2Gi are in use",
                ),
            ),
            (
                json!({"count/jobs.batch": "3", "requests.memory": "192Mi"}),
                none.clone(),
                None,
            ),
            // It may be of a kind that this does not know.
            (
                json!({"requests.storage": "0", "pods": "1e3"}),
                none.clone(),
                None,
            ),
        ] {
            let found = problems(quota(&hard, &used), &[], &pods);
            assert_eq!(
                found,
                Vec::from_iter(expected.map(str::to_owned)),
                "{hard} {used}"
            );
        }
    }

    #[test]
    fn a_pod_that_says_nothing_needs_a_default_where_a_quota_counts() {
        let pods = [pod("a", &json!({"requests": {"cpu": "1"}}))];
        let limited = || quota(&json!({"limits.cpu": "2"}), &json!({}));
        let found = problems(limited(), &[], &pods);
        assert_eq!(
            found,
            ["quota `q` limits `limits.cpu`, and pod `a` does not say how much it takes"]
        );
        let range = |cpu: &str| -> LimitRange {
            serde_json::from_value(json!({
                "spec": {"limits": [{"type": "Container", "default": {"cpu": cpu}}]},
            }))
            .unwrap()
        };
        assert!(problems(limited(), &[range("2")], &pods).is_empty());
        assert_eq!(problems(limited(), &[range("3")], &pods).len(), 1);
    }

    #[test]
    fn a_quota_of_some_pods_is_left_to_the_api_server() {
        let mut some = quota(&json!({"pods": "0"}), &json!({}));
        some.spec = serde_json::from_value(json!({"scopes": ["BestEffort"]})).unwrap();
        assert!(problems(some, &[], &[pod("a", &json!({}))]).is_empty());
    }
}
