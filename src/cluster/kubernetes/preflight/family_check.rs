//! Checks whether a cluster has the address families that a plan names.
//!
//! Nodes say which ranges their pods get; for Services the API server is asked by a dry run. Where neither says
//! anything, the cells do.

use std::collections::BTreeSet;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{DynamicObject, ListParams, PostParams};
use serde_json::Value;

use crate::cluster::kubernetes::api_error::{cause, code};
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::objects::apply::resource;
use crate::cluster::{FamilyNeed, Finding, needed_families};
use crate::diag::Problem;
use crate::plan::{Family, Plan};
use crate::render::Manifest;

impl Connection {
    /// Whether the cluster has the families that the plan names; `None` for a plan that names none.
    pub async fn family_check(
        &self,
        namespace: &str,
        plan: &Plan,
        manifests: &[Manifest],
    ) -> Option<Finding> {
        let needs = needed_families(plan);
        if needs.is_empty() {
            return None;
        }
        let nodes: Api<Node> = Api::all(self.client.clone());
        let nodes = self.ask(nodes.list(&ListParams::default())).await;
        let of_pods = nodes.ok().and_then(|list| pod_families(&list.items));
        let mut problems = Vec::new();
        for need in &needs {
            let problem = match missing_pods(need, of_pods.as_ref()) {
                Some(problem) => Some(problem),
                None => self.missing_service(namespace, need, manifests).await,
            };
            problems.extend(problem);
        }
        let names: BTreeSet<&str> = needs.iter().map(|need| need.family.name()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let state = format!("{} for the paths that name a family", names.join(" and "));
        Some(Finding::new("address families", state, problems))
    }

    /// Asks with a dry run of the worker's Service.
    async fn missing_service(
        &self,
        namespace: &str,
        need: &FamilyNeed,
        manifests: &[Manifest],
    ) -> Option<Problem> {
        let worker = need.service_of.as_deref()?;
        let service = manifests.iter().find(|manifest| {
            let labels = &manifest.object["spec"]["selector"];
            manifest.kind() == "Service" && labels["netplan/worker"] == worker
        })?;
        let service: DynamicObject = serde_json::from_value(service.object.clone()).ok()?;
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource("v1", "Service"));
        let params = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        match self.ask(api.create(&params, &service)).await {
            Ok(admitted) => missing_in(need, &admitted.data["spec"]),
            // Also a namespace that does not exist, a missing permission, and a quota: others say so.
            Err(error) => match (code(&error), cause(&error)) {
                (Some(422), cause) if cause.contains("ipFamil") => Some(need.problem(&cause)),
                _ => None,
            },
        }
    }
}

/// The families of the ranges that nodes have for pods; `None` when they have none, because the network
/// plugin assigns addresses by itself.
fn pod_families(nodes: &[Node]) -> Option<BTreeSet<Family>> {
    let specs = nodes.iter().filter_map(|node| node.spec.as_ref());
    let ranges = specs.flat_map(|spec| {
        let many = spec.pod_cidrs.iter().flatten();
        many.chain(&spec.pod_cidr)
    });
    let families: BTreeSet<Family> = ranges
        .filter_map(|range| family_of(range.split('/').next().unwrap_or_default()))
        .collect();
    (!families.is_empty()).then_some(families)
}

fn missing_pods(need: &FamilyNeed, of_pods: Option<&BTreeSet<Family>>) -> Option<Problem> {
    let families = of_pods.filter(|families| !families.contains(&need.family))?;
    let known: Vec<&str> = families.iter().map(|family| family.name()).collect();
    Some(need.problem(&format!(
        "the nodes' `spec.podCIDRs` have only {} ranges",
        known.join(" and ")
    )))
}

/// What the API server would give the Service.
fn missing_in(need: &FamilyNeed, spec: &Value) -> Option<Problem> {
    let names = spec["ipFamilies"].as_array();
    let names: Vec<&str> = names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    // An API server that does not know the field leaves it out.
    let from_address = spec["clusterIP"].as_str().and_then(family_of);
    let has = match (names.is_empty(), from_address) {
        (false, _) => names.contains(&need.family.name()),
        (true, Some(family)) => family == need.family,
        (true, None) => true,
    };
    let why = "the API server would give its Service no such address";
    (!has).then(|| need.problem(why))
}

fn family_of(address: &str) -> Option<Family> {
    let address: IpAddr = address.parse().ok()?;
    Some(Family::from_address(address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn nodes(ranges: &[Vec<&str>]) -> Vec<Node> {
        let node = |ranges: &Vec<&str>| {
            let spec = json!({ "podCIDRs": ranges, "podCIDR": ranges.first() });
            serde_json::from_value(json!({ "metadata": {}, "spec": spec })).unwrap()
        };
        ranges.iter().map(node).collect()
    }

    fn need(family: Family) -> FamilyNeed {
        FamilyNeed {
            family,
            key: "`family` of path `v6`".to_owned(),
            service_of: Some("w2".to_owned()),
        }
    }

    #[test]
    fn ranges_of_nodes_say_what_pods_get() {
        let missing = |ranges: &[Vec<&str>], family| {
            missing_pods(&need(family), pod_families(&nodes(ranges)).as_ref())
                .map(|problem| problem.to_string())
        };
        let dual = [vec!["10.1.0.0/24", "fd00:1::/64"], vec![]];
        assert_eq!(missing(&dual, Family::Ipv6), None);
        assert_eq!(missing(&dual, Family::Ipv4), None);
        // Plugins with an address management of their own.
        assert_eq!(missing(&[vec![], vec![]], Family::Ipv6), None);
        let text = missing(&[vec!["10.1.0.0/24"]], Family::Ipv6).unwrap();
        assert!(
            text.starts_with(
                "`family` of path `v6` needs IPv6: the nodes' `spec.podCIDRs` have only IPv4 ranges"
            ),
            "{text}"
        );
        assert!(missing(&[vec!["fd00:1::/64"]], Family::Ipv4).is_some());
    }

    #[test]
    fn a_dry_run_says_what_services_get() {
        let has = |spec: &Value| missing_in(&need(Family::Ipv6), spec).is_none();
        assert!(has(
            &json!({ "ipFamilies": ["IPv4", "IPv6"], "clusterIP": "10.96.0.1" })
        ));
        assert!(!has(&json!({ "ipFamilies": ["IPv4"] })));
        assert!(!has(&json!({ "clusterIP": "10.96.0.1" })));
        assert!(has(&json!({ "clusterIP": "fd00::1" })));
        assert!(has(&json!({})));
    }

    proptest! {
        #[test]
        fn any_range_is_read_without_a_panic(ranges in prop::collection::vec(".{0,20}", 0..4)) {
            let ranges: Vec<&str> = ranges.iter().map(String::as_str).collect();
            let _ = pod_families(&nodes(&[ranges]));
        }
    }
}
