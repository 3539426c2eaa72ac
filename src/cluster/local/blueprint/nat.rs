//! Services as nftables rules, in the shape that kube-proxy's nftables mode gives them.
//!
//! Every node has the same text. A connection to a declared port of a virtual IP is translated
//! where it enters the node; one whose pod calls itself is masqueraded, so that the answer comes
//! back the same way; one to an undeclared port is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::layout::{Layout, POD_RANGE, PlacedService, SERVICE_RANGE, Transport};
use super::link;

/// The text for `nft -f -`.
pub fn ruleset(layout: &Layout) -> String {
    let mut text = "table ip kube-proxy {\n".to_owned();
    let addresses: Vec<String> = layout
        .services
        .iter()
        .map(|service| service.address.to_string())
        .collect();
    if addresses.is_empty() {
        text += "  set cluster-ips { type ipv4_addr; }\n";
    } else {
        let _ = writeln!(
            text,
            "  set cluster-ips {{ type ipv4_addr; elements = {{ {} }}; }}",
            addresses.join(", ")
        );
    }
    text += "  chain mark-for-masquerade { meta mark set meta mark or 0x4000; }\n";
    text += "  chain masquerading { meta mark & 0x4000 == 0 return; \
             meta mark set meta mark xor 0x4000; masquerade fully-random; }\n";
    let mut elements = Vec::new();
    for service in layout
        .services
        .iter()
        .filter(|service| !service.endpoints.is_empty())
    {
        service_chains(service, &mut text, &mut elements);
    }
    text += "  map service-ips { type ipv4_addr . inet_proto . inet_service : verdict;";
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
        "  chain services {{ ip daddr . meta l4proto . th dport vmap @service-ips; }}
  chain nat-prerouting {{ type nat hook prerouting priority dstnat; jump services; }}
  chain nat-postrouting {{ type nat hook postrouting priority srcnat; jump masquerading; }}
  chain cluster-ips-check {{
    ip daddr @cluster-ips meta l4proto tcp reject with tcp reset;
    ip daddr @cluster-ips reject;
    ip daddr {SERVICE_RANGE} drop;
  }}
  chain filter-forward {{ type filter hook forward priority filter; ct state new jump cluster-ips-check; }}
"
    );
    if let Some(rule) = link::loss_rule(&layout.links) {
        let _ = writeln!(
            text,
            "  chain link-loss {{ type filter hook prerouting priority -400; {rule}; }}"
        );
    }
    text += "}\n";
    text
}

/// The chains of one Service: a group for all ports that keep their number, and one for each port
/// that is given another.
fn service_chains(service: &PlacedService, text: &mut String, elements: &mut Vec<String>) {
    let mut groups: BTreeMap<Option<u16>, Vec<String>> = BTreeMap::new();
    for rule in &service.ports {
        let transport = match rule.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        let target = (rule.port != rule.target).then_some(rule.target);
        let key = format!("{} . {transport} . {}", service.address, rule.port);
        groups.entry(target).or_default().push(key);
    }
    for (target, keys) in groups {
        let suffix = target.map(|port| format!("/{port}")).unwrap_or_default();
        let name = format!("service-{}/{}{suffix}", service.namespace, service.name);
        let mut picks = Vec::new();
        for (index, endpoint) in service.endpoints.iter().enumerate() {
            let chain = format!(
                "endpoint-{}/{}{suffix}/{index}",
                service.namespace, service.name
            );
            let _ = writeln!(
                text,
                "  chain {chain} {{ ip saddr {endpoint} jump mark-for-masquerade; \
                 meta l4proto {{ tcp, udp }} dnat to {}; }}",
                socket(*endpoint, target)
            );
            picks.push(format!("{index} : goto {chain}"));
        }
        let _ = writeln!(
            text,
            "  chain {name} {{ ip saddr != {POD_RANGE} jump mark-for-masquerade; \
             numgen random mod {} vmap {{ {} }}; }}",
            picks.len(),
            picks.join(", ")
        );
        elements.extend(keys.into_iter().map(|key| format!("{key} : goto {name}")));
    }
}

fn socket(address: Ipv4Addr, port: Option<u16>) -> String {
    port.map_or_else(|| address.to_string(), |port| format!("{address}:{port}"))
}
