//! `NetworkPolicies` as nftables rules, one after the other, as an enforcer without compiled sets evaluates them.
//!
//! A node filters what its pods send and receive, where it forwards it: egress at the node of the origin, ingress at
//! that of the destination. A connection is decided by its first packet. A hairpin is always let through: no
//! policy keeps a pod from itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::layout::{Layout, PlacedPod, pod_device};
use super::nat::names;
use crate::plan::Family;
use crate::render::policy::{Direction, IpBlock, Peer, Policy, Rule};

/// Rules of one input. What `nft` sends at once has to fit into the buffer of a socket, which without privileges is small.
const RULES_AT_ONCE: usize = 200;

/// The inputs for `nft -f -` of a node, in their order; none where no policy isolates a pod on it.
pub fn rulesets(layout: &Layout, node: u32) -> Vec<String> {
    let tables = layout.families.iter();
    tables
        .flat_map(|family| table(layout, node, *family))
        .collect()
}

/// First the sets and the chains, then their rules, and last where packets come to them.
fn table(layout: &Layout, node: u32, family: Family) -> Vec<String> {
    let (ip, address_type) = names(family);
    let mut sets = Sets::default();
    let mut chains = String::new();
    let mut rules = Vec::new();
    let mut ways: [Vec<String>; 2] = Default::default();
    let on_node = layout.pods.iter().enumerate();
    for (index, pod) in on_node.filter(|(_, pod)| pod.node == node) {
        for (direction, ways) in Direction::ALL.into_iter().zip(&mut ways) {
            let Some(isolating) = isolating_rules(layout, pod, direction) else {
                continue;
            };
            let device = pod_device(index);
            let chain = format!("{}-{device}", direction.name());
            let _ = writeln!(chains, "  chain {chain} {{ }}");
            let mut add = |rule: &str| {
                rules.push(format!("add rule {ip} network-policies {chain} {rule}\n"));
            };
            for address in of_family(&pod.addresses, family) {
                add(&format!("{} {address} return", side(ip, direction)));
            }
            for rule in isolating {
                let lines = statements(rule, direction, layout, family, &mut sets);
                for line in &lines {
                    add(line);
                }
            }
            add("drop");
            ways.push(format!("{device} : jump {chain}"));
        }
    }
    if rules.is_empty() {
        return Vec::new();
    }
    let mut text = format!("table {ip} network-policies {{\n");
    for (addresses, name) in &sets.0 {
        let _ = writeln!(
            text,
            "  set {name} {{ type {address_type}; elements = {{ {addresses} }}; }}"
        );
    }
    text += &chains;
    text += "}\n";
    let mut inputs = vec![text];
    inputs.extend(rules.chunks(RULES_AT_ONCE).map(<[String]>::concat));
    let mut text = format!(
        "table {ip} network-policies {{\n  chain forward {{\n    type filter hook forward priority filter;\n    \
         ct state established,related accept;\n"
    );
    let [ingress, egress] = ways;
    for (key, ways) in [("iifname", egress), ("oifname", ingress)] {
        if !ways.is_empty() {
            let _ = writeln!(text, "    {key} vmap {{ {} }};", ways.join(", "));
        }
    }
    text += "  }\n}\n";
    inputs.push(text);
    inputs
}

/// What is let through to or from a pod: what the policies of variants say, then netplan's own. `None` where none of
/// a variant isolates it.
fn isolating_rules<'l>(
    layout: &'l Layout,
    pod: &PlacedPod,
    direction: Direction,
) -> Option<impl Iterator<Item = &'l Rule> + use<'l>> {
    let labels = &pod.object.pod.labels;
    let policies = layout.policies.iter();
    let isolating = policies.filter_map(|policy| {
        let rules = policy.rules(direction)?;
        policy.selects.matches(labels).then_some((policy, rules))
    });
    let (of_variants, own): (Vec<_>, Vec<_>) =
        isolating.partition(|(policy, _): &(&Policy, _)| policy.variant.is_some());
    let rules = (!of_variants.is_empty()).then(|| of_variants.into_iter().chain(own));
    rules.map(|rules| rules.flat_map(|(_, rules)| rules))
}

/// The address of the other end.
fn side(ip: &str, direction: Direction) -> String {
    match direction {
        Direction::Ingress => format!("{ip} saddr"),
        Direction::Egress => format!("{ip} daddr"),
    }
}

/// A statement for each peer and port of a rule.
fn statements(
    rule: &Rule,
    direction: Direction,
    layout: &Layout,
    family: Family,
    sets: &mut Sets,
) -> Vec<String> {
    let (ip, _) = names(family);
    let side = side(ip, direction);
    let peers: Vec<String> = if rule.peers.is_empty() {
        vec![String::new()]
    } else {
        let peers = rule.peers.iter();
        peers
            .filter_map(|peer| peer_match(peer, &side, layout, family, sets))
            .collect()
    };
    let ports: Vec<String> = if rule.ports.is_empty() {
        vec![String::new()]
    } else {
        let ports = rule.ports.iter();
        let ports = ports.filter_map(|port| Some((port.protocol().to_lowercase(), port.range()?)));
        ports
            .map(|(protocol, range)| match range {
                (1, u16::MAX) => format!("meta l4proto {protocol} "),
                (first, last) if first == last => format!("{protocol} dport {first} "),
                (first, last) => format!("{protocol} dport {first}-{last} "),
            })
            .collect()
    };
    let of_peer = |peer: &String| -> Vec<String> {
        let ports = ports.iter();
        ports.map(|port| format!("{peer}{port}return")).collect()
    };
    peers.iter().flat_map(of_peer).collect()
}

/// `None` for a peer without addresses of the family.
fn peer_match(
    peer: &Peer,
    side: &str,
    layout: &Layout,
    family: Family,
    sets: &mut Sets,
) -> Option<String> {
    if let Some(selector) = &peer.pod_selector {
        let pods = layout.pods.iter();
        let pods = pods.filter(|pod| selector.matches(&pod.object.pod.labels));
        let addresses: Vec<String> = pods
            .flat_map(|pod| of_family(&pod.addresses, family))
            .map(ToString::to_string)
            .collect();
        return (!addresses.is_empty())
            .then(|| format!("{side} @{} ", sets.name(addresses.join(", "))));
    }
    let IpBlock { cidr, except } = peer.ip_block.as_ref()?;
    let address = cidr.split('/').next()?.parse().ok()?;
    if Family::from_address(address) != family {
        return None;
    }
    let mut matched = format!("{side} {cidr} ");
    for range in except {
        let _ = write!(matched, "{side} != {range} ");
    }
    Some(matched)
}

fn of_family(addresses: &[IpAddr], family: Family) -> impl Iterator<Item = &IpAddr> {
    let is_of = move |address: &&IpAddr| Family::from_address(**address) == family;
    addresses.iter().filter(is_of)
}

/// The names of sets of addresses, by their elements.
#[derive(Default)]
struct Sets(BTreeMap<String, String>);

impl Sets {
    fn name(&mut self, elements: String) -> &str {
        let next = format!("pods-{}", self.0.len() + 1);
        self.0.entry(elements).or_insert(next)
    }
}
