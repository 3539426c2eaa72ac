//! The address families that a worker's pod and Service need.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::plan::{Family, Path, Plan, Via};

/// What the manifests of a worker say of address families; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkerFamilies {
    /// The worker needs to know its pod's addresses of all families, rather than the first one.
    pub all_pod_ips: bool,
    /// `ipFamilyPolicy` of its Service.
    pub service_policy: Option<&'static str>,
    /// `ipFamilies` of its Service, in order.
    pub service_families: Vec<&'static str>,
}

impl WorkerFamilies {
    /// The families of a worker of a plan.
    ///
    /// A Service that all paths dial by one family has this family alone. One with paths of both has both; a path
    /// that names none dials the cluster's first, which only the cluster knows. Then the Service prefers
    /// to be dual-stack: on a cluster of one family it has what that cluster has.
    #[must_use]
    pub fn new(plan: &Plan, worker: &str) -> Self {
        let of_all = plan.kubernetes.ip_family;
        let mut all_pod_ips = of_all.is_some();
        let mut dialed: Vec<Option<Family>> = Vec::new();
        for path in touching(plan, worker) {
            all_pod_ips |= path.family.is_some();
            if path.is_destination && path.via == Via::ClusterIp {
                dialed.push(path.family.or(of_all));
            }
        }
        if dialed.is_empty() {
            dialed.push(of_all);
        }
        let named: BTreeSet<Family> = dialed.iter().copied().flatten().collect();
        let leaves_open = dialed.contains(&None);
        let (service_policy, families) = match (leaves_open, named.len()) {
            (_, 0) => (None, Vec::new()),
            (false, 1) => (Some("SingleStack"), Vec::from_iter(named)),
            (true, 1) => (Some("PreferDualStack"), Vec::new()),
            (true, _) => (Some("RequireDualStack"), Vec::new()),
            (false, _) => {
                let first = of_all.or(dialed.first().copied().flatten());
                let mut families = Vec::from_iter(named);
                families.sort_by_key(|family| Some(*family) != first);
                (Some("RequireDualStack"), families)
            }
        };
        Self {
            all_pod_ips,
            service_policy,
            service_families: families.into_iter().map(Family::name).collect(),
        }
    }
}

/// What an item of `paths:` says of a worker at its ends.
struct Touching {
    via: Via,
    family: Option<Family>,
    is_destination: bool,
}

/// The items of `paths:` that the worker is an end of. Not path by path: a mesh has many.
fn touching(plan: &Plan, worker: &str) -> impl Iterator<Item = Touching> {
    let group = plan.workers.get(worker).and_then(|w| w.group.as_deref());
    let meshes = plan.meshes.iter();
    let meshes = meshes.filter(move |mesh| group == Some(mesh.mesh.workers.as_str()));
    let meshes = meshes.map(|mesh| Touching {
        via: mesh.mesh.via,
        family: mesh.mesh.family,
        is_destination: true,
    });
    let singles = plan.entries().filter(|(_, range)| range.len() == 1);
    let singles = singles.filter_map(|(_, range)| plan.paths.get(range.start));
    let singles = singles.filter_map(move |path: &Path| {
        (path.from == worker || path.to == worker).then_some(Touching {
            via: path.via,
            family: path.family,
            is_destination: path.to == worker,
        })
    });
    meshes.chain(singles)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diag::Source;

    /// A plan with paths from `a` to `b` of these families.
    fn plan(paths: &[(Via, Option<Family>)], of_all: Option<Family>) -> Plan {
        let text = "version: 1\nname: p\nworkers: { a: {}, b: {} }\n\
                    paths: [{ name: x, from: a, to: b, via: pod_ip }]\ntests: [{ iperf3: {} }]\n";
        let mut plan = crate::plan::load(Source::new("p.yaml", text), &[]).unwrap();
        let first = plan.paths.remove(0);
        for (index, (via, family)) in paths.iter().enumerate() {
            plan.paths.push(Path {
                name: format!("x{index}"),
                via: *via,
                family: *family,
                ..first.clone()
            });
        }
        plan.kubernetes.ip_family = of_all;
        plan
    }

    fn family() -> impl Strategy<Value = Option<Family>> {
        proptest::option::of(prop_oneof![Just(Family::Ipv4), Just(Family::Ipv6)])
    }

    proptest! {
        #[test]
        fn a_service_has_every_family_that_is_dialed(
            paths in prop::collection::vec((prop_oneof![Just(Via::PodIp), Just(Via::ClusterIp)], family()), 1..5),
            of_all in proptest::option::of(prop_oneof![Just(Family::Ipv4), Just(Family::Ipv6)]),
        ) {
            let plan = plan(&paths, of_all);
            let found = WorkerFamilies::new(&plan, "b");
            let dialed: Vec<_> = plan.paths.iter().filter(|path| path.via == Via::ClusterIp).map(|path| plan.family_of(path)).collect();
            for family in dialed.iter().flatten() {
                match found.service_policy {
                    Some("SingleStack") => prop_assert_eq!(&found.service_families, &[family.name()]),
                    Some("RequireDualStack" | "PreferDualStack") => {
                        prop_assert!(found.service_families.is_empty() || found.service_families.contains(&family.name()));
                    }
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            // The first family of a Service is that of paths which name none.
            if let (Some(of_all), Some(first)) = (of_all, found.service_families.first())
                && dialed.contains(&Some(of_all))
            {
                prop_assert_eq!(*first, of_all.name());
            }
            let names_none = paths.iter().all(|(_, family)| family.is_none());
            prop_assert_eq!(found.all_pod_ips, !names_none || of_all.is_some());
            if names_none {
                prop_assert_eq!(found.service_policy, of_all.map(|_| "SingleStack"));
            }
        }
    }
}
