//! Which addresses a Service gets.

use k8s_openapi::api::core::v1::Service;

use crate::cluster::Error;
use crate::cluster::local::manifests::name;
use crate::diag::Problem;
use crate::plan::Family;

/// The families of a Service, as the API server assigns them (`ipFamilies` and `ipFamilyPolicy` of
/// `ServiceSpec`): the first one is that of its first virtual IP.
///
/// # Errors
/// A family that the cluster does not have.
pub fn service_families(service: &Service, cluster: &[Family]) -> Result<Vec<Family>, Error> {
    let spec = service.spec.as_ref();
    let policy = spec.and_then(|spec| spec.ip_family_policy.as_deref());
    let asked = spec.and_then(|spec| spec.ip_families.as_deref());
    let asked = asked.unwrap_or_default().iter();
    let asked = asked.map(|name| match name.as_str() {
        "IPv6" => Family::Ipv6,
        _ => Family::Ipv4,
    });
    let mut families: Vec<Family> = asked.collect();
    let name = name(&service.metadata);
    let is_both = policy.is_some_and(|policy| policy != "SingleStack") || families.len() > 1;
    if is_both || families.is_empty() {
        let more = cluster.iter().copied();
        let more: Vec<Family> = more.filter(|family| !families.contains(family)).collect();
        families.extend(more);
        families.truncate(if is_both { 2 } else { 1 });
    }
    let missing = families.iter().find(|family| !cluster.contains(family));
    let missing = missing.copied().or_else(|| {
        let both = [Family::Ipv4, Family::Ipv6];
        let missing = both.into_iter().find(|family| !cluster.contains(family));
        missing.filter(|_| policy == Some("RequireDualStack"))
    });
    match missing {
        None => Ok(families),
        Some(family) => Err(Error::from(
            Problem::without_place(format!(
                "Service `{name}` needs an {} address, and the local cluster has none",
                family.name()
            ))
            .help("remove `local.ip_families`, or set `mtu` in `local:` to 1280 or more, or remove the paths of this family"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::subsequence;
    use serde_json::json;

    use super::*;

    fn families() -> impl Strategy<Value = Vec<Family>> {
        let both = vec![Family::Ipv4, Family::Ipv6];
        subsequence(both, 0..=2).prop_shuffle()
    }

    proptest! {
        /// The rules of `ipFamilyPolicy` in Kubernetes' API reference.
        #[test]
        fn a_service_has_what_its_policy_says(
            cluster in families(),
            asked in families(),
            policy in proptest::option::of(prop::sample::select(vec!["SingleStack", "PreferDualStack", "RequireDualStack"])),
        ) {
            prop_assume!(!cluster.is_empty());
            let asked: Vec<Family> = asked.into_iter().take(if policy == Some("SingleStack") { 1 } else { 2 }).collect();
            let names: Vec<&str> = asked.iter().map(|family| family.name()).collect();
            let service: Service = serde_json::from_value(json!({
                "metadata": { "name": "s" },
                "spec": { "ipFamilyPolicy": policy, "ipFamilies": names },
            })).unwrap();
            let has_asked = asked.iter().all(|family| cluster.contains(family));
            match service_families(&service, &cluster) {
                Err(_) => prop_assert!(!has_asked || policy == Some("RequireDualStack") && cluster.len() == 1),
                Ok(found) => {
                    prop_assert!(has_asked);
                    prop_assert!(found.iter().all(|family| cluster.contains(family)));
                    prop_assert_eq!(found.first(), asked.first().or(cluster.first()));
                    let most = match policy {
                        Some("PreferDualStack") => cluster.len(),
                        Some("RequireDualStack") => 2,
                        _ => asked.len().max(1),
                    };
                    prop_assert_eq!(found.len(), most);
                }
            }
        }
    }
}
