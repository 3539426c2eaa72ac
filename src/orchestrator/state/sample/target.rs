//! The address that the client of a path dials.

use std::net::IpAddr;

use super::super::Present;
use super::super::message::Place;
use super::outcome::why_unfit;
use crate::plan::{Family, Path, Plan, Via};
use crate::results::Outcome;
use crate::schedule::Params;
use crate::tools::{Cause, Failure, Tool, Use};

/// The address that the client of a tool dials, if the workers of the path, client and server, can run the tool.
///
/// # Errors
/// The outcome of a cell that needs this.
pub(in super::super) fn target(
    tool: &dyn Tool,
    params: &Params,
    plan: &Plan,
    path: &Path,
    [from, to]: [&Present; 2],
) -> Result<String, Outcome> {
    let ends = [
        (&path.to, to, Use::Server),
        (&path.from, from, Use::Client(params)),
    ];
    for (name, present, used) in ends {
        let environment = &present.place.environment;
        if let Some(reason) = why_unfit(tool, name, environment, used) {
            return Err(Outcome::Skipped { reason });
        }
    }
    address(path, plan.family_of(path), &from.place, &to.place).map_err(Outcome::Failed)
}

/// The address of the destination, of this family or of the cluster's first.
///
/// # Errors
/// When the destination has no such address, or the client's pod none of its family.
pub(in super::super) fn address(
    path: &Path,
    family: Option<Family>,
    from: &Place,
    to: &Place,
) -> Result<String, Failure> {
    let no_route = |words: String| Failure {
        cause: Cause::NoRoute,
        words,
        note: String::new(),
    };
    let pod_ips = |place: &Place| [Some(place.pod_ip.clone()), place.other_pod_ip.clone()];
    if let Some(family) = family
        && path.family.is_some()
        && of_family(pod_ips(from), Some(family)).is_none()
    {
        return Err(no_route(no_address(&path.from, "pod", family)));
    }
    let (addresses, kind) = match path.via {
        // On the host network the pod's address is its node's.
        Via::PodIp | Via::Host => (pod_ips(to), "pod"),
        Via::ClusterIp => (
            [to.cluster_ip.clone(), to.other_cluster_ip.clone()],
            "Service",
        ),
    };
    let has_any = addresses.iter().any(Option::is_some);
    of_family(addresses, family).ok_or_else(|| {
        no_route(match family {
            Some(family) if has_any => no_address(&path.to, kind, family),
            _ => format!(
                "worker `{}` has no cluster IP: see whether its Service exists",
                path.to
            ),
        })
    })
}

fn no_address(worker: &str, kind: &str, family: Family) -> String {
    format!(
        "the {kind} of worker `{worker}` has no {} address; run the path on a cluster that has them for pods and \
         Services, or change its `family`",
        family.name()
    )
}

/// The first address of a family; without one the first address.
pub(in super::super) fn of_family(
    addresses: [Option<String>; 2],
    family: Option<Family>,
) -> Option<String> {
    let is_wanted = |address: &String| {
        family.is_none_or(|family| {
            let address = address.parse::<IpAddr>();
            address.is_ok_and(|address| Family::from_address(address) == family)
        })
    };
    addresses.into_iter().flatten().find(is_wanted)
}
