//! Services as nftables rules, in the shape that kube-proxy's nftables mode gives them.
//!
//! Every node has the same text, with a table for each family. A connection to a declared port of a virtual IP is
//! translated where it enters the node; one whose pod calls itself is masqueraded, so that the answer comes
//! back the same way; one to an undeclared port is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::addresses::{pod_range, service_range};
use super::layout::{Layout, PlacedService, PortRule, Transport};
use super::link;
use crate::plan::Family;

/// The table, in each family.
pub const TABLE: &str = "kube-proxy";
/// The set of the addresses of Services.
pub const CLUSTER_IPS: &str = "cluster-ips";
/// The map of the addresses and ports of Services to the chains that translate them.
pub const SERVICE_IPS: &str = "service-ips";

/// The text for `nft -f -`.
pub fn ruleset(layout: &Layout) -> String {
    let tables = layout.families.iter().map(|family| table(layout, *family));
    tables.collect()
}

/// The names of a family in nftables: of its table and of its addresses.
pub fn names(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Ipv4 => ("ip", "ipv4_addr"),
        Family::Ipv6 => ("ip6", "ipv6_addr"),
    }
}

fn table(layout: &Layout, family: Family) -> String {
    let (ip, address_type) = names(family);
    let service_range = service_range(family);
    let mut text = format!("table {ip} {TABLE} {{\n");
    let virtual_ips = |service: &PlacedService| {
        let mut all = service.addresses.iter();
        all.find(|ip| Family::from_address(**ip) == family).copied()
    };
    let services: Vec<(IpAddr, &PlacedService)> = layout
        .services
        .iter()
        .filter_map(|service| Some((virtual_ips(service)?, service)))
        .collect();
    let addresses: Vec<String> = services.iter().map(|(ip, _)| ip.to_string()).collect();
    if addresses.is_empty() {
        let _ = writeln!(text, "  set {CLUSTER_IPS} {{ type {address_type}; }}");
    } else {
        let _ = writeln!(
            text,
            "  set {CLUSTER_IPS} {{ type {address_type}; elements = {{ {} }}; }}",
            addresses.join(", ")
        );
    }
    text += "  chain mark-for-masquerade { meta mark set meta mark or 0x4000; }\n";
    text += "  chain masquerading { meta mark & 0x4000 == 0 return; \
             meta mark set meta mark xor 0x4000; masquerade fully-random; }\n";
    let mut elements = Vec::new();
    for (address, service) in services {
        service_chains(service, address, &mut text, &mut elements);
    }
    let _ = write!(
        text,
        "  map {SERVICE_IPS} {{ type {address_type} . inet_proto . inet_service : verdict;"
    );
    if !elements.is_empty() {
        let _ = write!(
            text,
            " elements = {{\n    {}\n  }};",
            elements.join(",\n    ")
        );
    }
    text += " }\n";
    let _ = write!(
        text,
        "  chain services {{ {ip} daddr . meta l4proto . th dport vmap @{SERVICE_IPS}; }}
  chain nat-prerouting {{ type nat hook prerouting priority dstnat; jump services; }}
  chain nat-postrouting {{ type nat hook postrouting priority srcnat; jump masquerading; }}
  chain cluster-ips-check {{
    {ip} daddr @{CLUSTER_IPS} meta l4proto tcp reject with tcp reset;
    {ip} daddr @{CLUSTER_IPS} reject;
    {ip} daddr {service_range} drop;
  }}
  chain filter-forward {{ type filter hook forward priority filter; ct state new jump cluster-ips-check; }}
"
    );
    if let Some(rule) = link::loss_rule(&layout.links) {
        // Without a neighbor's answer nothing passes for a second, which is not what a lost packet does.
        let before = match family {
            Family::Ipv4 => "",
            Family::Ipv6 => "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; ",
        };
        let _ = writeln!(
            text,
            "  chain link-loss {{ type filter hook prerouting priority -400; {before}{rule}; }}"
        );
    }
    text += "}\n";
    text
}

/// The chains of one Service, in the family of its address: a group for all ports that keep their number, and one for each port
/// that is given another.
fn service_chains(
    service: &PlacedService,
    address: IpAddr,
    text: &mut String,
    elements: &mut Vec<String>,
) {
    let family = Family::from_address(address);
    let (ip, _) = names(family);
    let endpoints = endpoints(service, family);
    if endpoints.is_empty() {
        return;
    }
    let mut groups: BTreeMap<Option<u16>, Vec<String>> = BTreeMap::new();
    for rule in &service.ports {
        let transport = match rule.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        let target = other_target(*rule);
        let key = format!("{address} . {transport} . {}", rule.port);
        groups.entry(target).or_default().push(key);
    }
    for (target, keys) in groups {
        let suffix = suffix(target);
        let name = service_chain(service, target);
        let mut picks = Vec::new();
        for (index, endpoint) in endpoints.iter().enumerate() {
            let chain = format!(
                "endpoint-{}/{}{suffix}/{index}",
                service.namespace, service.name
            );
            let _ = writeln!(
                text,
                "  chain {chain} {{ {ip} saddr {endpoint} jump mark-for-masquerade; \
                 meta l4proto {{ tcp, udp }} dnat to {}; }}",
                socket(*endpoint, target)
            );
            picks.push(format!("{index} : goto {chain}"));
        }
        let _ = writeln!(
            text,
            "  chain {name} {{ {ip} saddr != {} jump mark-for-masquerade; \
             numgen random mod {} vmap {{ {} }}; }}",
            pod_range(family),
            picks.len(),
            picks.join(", ")
        );
        elements.extend(keys.into_iter().map(|key| format!("{key} : goto {name}")));
    }
}

/// The pods of a family behind a Service. It has rules where there are some.
pub fn endpoints(service: &PlacedService, family: Family) -> Vec<IpAddr> {
    let endpoints = service.endpoints.iter().copied();
    endpoints
        .filter(|endpoint| Family::from_address(*endpoint) == family)
        .collect()
}

/// The port of the pods, where it is not that of the Service.
pub fn other_target(rule: PortRule) -> Option<u16> {
    (rule.port != rule.target).then_some(rule.target)
}

/// The chain of a Service's ports that have this target.
pub fn service_chain(service: &PlacedService, target: Option<u16>) -> String {
    let suffix = suffix(target);
    format!("service-{}/{}{suffix}", service.namespace, service.name)
}

fn suffix(target: Option<u16>) -> String {
    target.map(|port| format!("/{port}")).unwrap_or_default()
}

fn socket(address: IpAddr, port: Option<u16>) -> String {
    port.map_or_else(
        || address.to_string(),
        |port| SocketAddr::new(address, port).to_string(),
    )
}
