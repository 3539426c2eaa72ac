//! What one pod found when it dialled another one, from its answer over gRPC.

use std::net::IpAddr;

use crate::cluster::PodAddresses;
use crate::connectivity::{Answer, Endpoint, Evidence, Name};
use crate::rpc::answer;
use crate::rpc::pb::{DialResponse, DialledHost};

/// A pod that could not be asked what it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Unasked {
    /// For sentences, e.g. "`probe-1`".
    pub name: String,
    pub why: String,
}

/// A pod with its addresses.
pub(in crate::cli) fn endpoint(name: String, addresses: PodAddresses) -> Endpoint {
    Endpoint {
        name,
        node: addresses.node,
        ips: addresses.pod_ips,
    }
}

/// Sorts the answers of a pod that dialled `host` and the addresses of the pod behind it.
pub(in crate::cli) fn evidence(
    from: Endpoint,
    to: (String, PodAddresses),
    host: String,
    response: DialResponse,
) -> Evidence {
    let (name, addresses) = to;
    let service_ips = addresses.service_ips.clone();
    let mut pod = Vec::new();
    let mut service = Vec::new();
    let mut found = Err("it was not asked for".to_owned());
    for dialled in response.hosts {
        let ip = dialled.host.parse::<IpAddr>().ok();
        if dialled.host == host {
            found = resolved(dialled);
        } else if ip.is_some_and(|ip| service_ips.contains(&ip)) {
            service.extend(answers(&dialled));
        } else if ip.is_some() {
            pod.extend(answers(&dialled));
        }
    }
    Evidence {
        from,
        to: endpoint(name, addresses),
        pod,
        service,
        name: Some(Name {
            host,
            resolved: found,
        }),
        name_servers: response.name_servers,
        is_listening: false,
        is_host: false,
    }
}

fn resolved(dialled: DialledHost) -> Result<Vec<(IpAddr, Answer)>, String> {
    if dialled.unresolved.is_empty() {
        Ok(answers(&dialled).collect())
    } else {
        Err(dialled.unresolved)
    }
}

fn answers(dialled: &DialledHost) -> impl Iterator<Item = (IpAddr, Answer)> {
    dialled.addresses.iter().filter_map(answer)
}
