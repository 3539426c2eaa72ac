//! The `NetworkPolicies` that the local cluster enforces.
//!
//! Nobody else is on its network, so netplan's own policies alone would only cost: they are enforced, as on Kubernetes,
//! where a variant's policy isolates the same pod.

use std::net::IpAddr;

use super::origin::Origin;
use crate::cluster::Error;
use crate::render::Manifest;
use crate::render::policy::{Direction, IpBlock, Peer, Policy, PolicyPort, Rule};

/// Rules of one policy, each with its peers and ports.
const MOST_RULES: usize = 10_000;

/// All policies, if a variant has some.
///
/// # Errors
/// [`Error::Refused`] names the first field that the local cluster does not enforce.
pub(super) fn policies(manifests: &[Manifest]) -> Result<Vec<Policy>, Error> {
    let mut found = Vec::new();
    for manifest in manifests.iter().filter(|one| Policy::is(one)) {
        let origin = Origin {
            object: format!("{} {}", manifest.kind(), manifest.name()),
            template: manifest.template.clone(),
            spec_path: "spec",
        };
        let policy = Policy::from_manifest(manifest).map_err(|unread| {
            let help = "write it as `kubectl explain networkpolicy.spec` says";
            origin.refuse(&unread.field, unread.what, help)
        })?;
        found.push((origin, policy));
    }
    if found.iter().all(|(_, policy)| policy.variant.is_none()) {
        return Ok(Vec::new());
    }
    let policies = found.into_iter().map(|(origin, policy)| {
        check_policy(&policy, &origin)?;
        Ok(policy)
    });
    policies.collect()
}

fn check_policy(policy: &Policy, origin: &Origin) -> Result<(), Error> {
    for direction in Direction::ALL {
        let rules = policy.rules(direction).unwrap_or_default();
        let lines: usize = rules.iter().map(lines).sum();
        if lines > MOST_RULES {
            let what = format!("it has more than {MOST_RULES} rules, each with a peer and a port");
            return Err(origin.refuse_in_spec(direction.name(), what, "write fewer rules"));
        }
        for (index, rule) in rules.iter().enumerate() {
            let field = format!("{}[{index}]", direction.name());
            let peers = match direction {
                Direction::Ingress => "from",
                Direction::Egress => "to",
            };
            for (index, peer) in rule.peers.iter().enumerate() {
                check_peer(peer, &format!("{field}.{peers}[{index}]"), origin)?;
            }
            for (index, port) in rule.ports.iter().enumerate() {
                check_port(port, &format!("{field}.ports[{index}]"), origin)?;
            }
        }
    }
    Ok(())
}

fn lines(rule: &Rule) -> usize {
    rule.peers.len().max(1) * rule.ports.len().max(1)
}

fn check_peer(peer: &Peer, field: &str, origin: &Origin) -> Result<(), Error> {
    if peer.namespace_selector.is_some() {
        return Err(origin.refuse_in_spec(
            &format!("{field}.namespaceSelector"),
            "the local cluster has one namespace, without labels",
            "select pods alone, or run this plan on Kubernetes",
        ));
    }
    match (&peer.pod_selector, &peer.ip_block) {
        (Some(_), None) => Ok(()),
        (None, Some(block)) => check_block(block, &format!("{field}.ipBlock"), origin),
        _ => Err(origin.refuse_in_spec(
            field,
            "a peer is pods or a range of addresses",
            "write either `podSelector` or `ipBlock`",
        )),
    }
}

fn check_block(block: &IpBlock, field: &str, origin: &Origin) -> Result<(), Error> {
    let refuse = |below: &str, text: &str| {
        let what = format!("`{text}` is not a range of addresses");
        origin.refuse_in_spec(
            &format!("{field}.{below}"),
            what,
            "write e.g. `192.0.2.0/24`",
        )
    };
    let Some(of) = family(&block.cidr) else {
        return Err(refuse("cidr", &block.cidr));
    };
    match block
        .except
        .iter()
        .position(|text| family(text) != Some(of))
    {
        Some(index) => Err(refuse(&format!("except[{index}]"), &block.except[index])),
        None => Ok(()),
    }
}

/// Whether a range is one of IPv4; `None` where it is no range.
fn family(range: &str) -> Option<bool> {
    let (address, bits) = range.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let is_number = bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits: u8 = bits.parse().ok().filter(|_| is_number)?;
    (bits <= most).then_some(address.is_ipv4())
}

fn check_port(port: &PolicyPort, field: &str, origin: &Origin) -> Result<(), Error> {
    if !["TCP", "UDP"].contains(&port.protocol()) {
        return Err(origin.refuse_in_spec(
            &format!("{field}.protocol"),
            "the local cluster carries TCP and UDP",
            "write TCP or UDP, or run this plan on Kubernetes",
        ));
    }
    match port.range() {
        Some((first, last)) if first > 0 && first <= last => Ok(()),
        Some(_) => Err(origin.refuse_in_spec(
            field,
            "this is not a range of ports",
            "write a port from 1, and an `endPort` that is not less",
        )),
        None => Err(origin.refuse_in_spec(
            &format!("{field}.port"),
            "containers of the local cluster have no names for ports",
            "write the port's number",
        )),
    }
}
