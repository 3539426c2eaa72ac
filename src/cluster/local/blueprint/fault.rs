//! A fault → what the sandbox does in each namespace.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::layout::{Layout, PlacedService, Transport, node_name};
use super::link;
use super::nat::{self, CLUSTER_IPS, SERVICE_IPS, endpoints, other_target, service_chain};
use super::network::Step;
use crate::cluster::Error;
use crate::plan::{EmulatedNode, Family, Fault, LossyLink};

/// What a fault takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultPlan {
    Rules(RuleChange),
    /// Stop the processes of this pod.
    Freeze(String),
}

/// Elements of nftables sets that are added or removed when the fault begins, and the reverse when it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChange {
    /// What makes the sets, by namespace. To be done once; until elements are added it has no effect.
    pub prepare: Vec<(String, Step)>,
    pub begin: Direction,
    /// By namespace.
    pub elements: Vec<(String, Vec<Element>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Add,
    Remove,
}

/// An element of an nftables set or map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    pub family: TableFamily,
    pub table: String,
    pub set: String,
    /// As the kernel has it: each part padded to four bytes.
    pub key: Vec<u8>,
    /// Of a map.
    pub verdict: Option<Verdict>,
}

/// The family of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableFamily {
    Both,
    Ipv4,
    Ipv6,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Drop,
    Goto(String),
}

const TABLE: &str = "netplan-faults";
const CUTS: &str = "cuts";
const LOSSES: &str = "losses";

/// The length of a key that is the name of an interface (`IFNAMSIZ`).
const INTERFACE_NAME: usize = 16;

impl FaultPlan {
    /// Works out what a fault takes on this cluster. Its worker is named by its pod.
    ///
    /// # Errors
    /// A node or a worker that the cluster does not have.
    pub fn new(fault: &Fault, layout: &Layout) -> Result<Self, Error> {
        let rules = match fault {
            Fault::Cut(between) => incoming(layout, *between, CUTS, &Verdict::Drop, "")?,
            Fault::Loss(LossyLink { between, percent }) => {
                let share = link::loss_share(*percent);
                let (chain, rule) = (format!("lose-{share}"), link::drop_by_chance(share));
                let text = format!("table inet {TABLE} {{ chain {chain} {{ {rule}; }}; }}\n");
                incoming(layout, *between, LOSSES, &Verdict::Goto(chain), &text)?
            }
            Fault::RemoveService(pod) => service_rules(layout, pod)?,
            Fault::Freeze(pod) => {
                let mut pods = layout.pods.iter();
                return match pods.find(|placed| placed.object.pod.name == *pod) {
                    Some(_) => Ok(Self::Freeze(pod.clone())),
                    None => Err(Error::NoSuchPod { pod: pod.clone() }),
                };
            }
        };
        Ok(Self::Rules(rules))
    }
}

/// The table of faults.
///
/// Packets that come over a link meet the faults of that link before anything else, connection tracking included.
/// Neighbor discovery passes, as ARP does, which these tables do not see: a neighbor that had to be found again would
/// make the fault seem up to a second longer than it is.
fn table() -> String {
    format!(
        "table inet {TABLE} {{
  map {CUTS} {{ type ifname : verdict; }}
  map {LOSSES} {{ type ifname : verdict; }}
  chain incoming {{ type filter hook prerouting priority -450;
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept; iifname vmap @{CUTS}; iifname vmap @{LOSSES}; }}
}}
"
    )
}

/// What drops packets at both ends of a link, where they come in: a sender sees no error.
fn incoming(
    layout: &Layout,
    between: [EmulatedNode; 2],
    set: &str,
    verdict: &Verdict,
    text: &str,
) -> Result<RuleChange, Error> {
    let occupied = layout.occupied();
    let number = |node: EmulatedNode| {
        let number = occupied
            .iter()
            .find(|number| node_name(**number) == node.to_string());
        number.copied().ok_or_else(|| {
            let names: Vec<String> = occupied.iter().map(|number| node_name(*number)).collect();
            let help = format!("nodes with pods: {}", names.join(", "));
            Error::cannot(
                format!("break the link of {node}"),
                "no pod runs there",
                &help,
            )
        })
    };
    let [near, far] = between;
    let (near, far) = (number(near)?, number(far)?);
    let nft = |text: &str| Step::new("nft", "-f -", text.to_owned());
    let mut change = RuleChange {
        prepare: Vec::new(),
        begin: Direction::Add,
        elements: Vec::new(),
    };
    for (node, other) in [(near, far), (far, near)] {
        let namespace = node_name(node);
        change.prepare.push((namespace.clone(), nft(&table())));
        if !text.is_empty() {
            change.prepare.push((namespace.clone(), nft(text)));
        }
        let mut key = link::device(other).into_bytes();
        key.resize(INTERFACE_NAME, 0);
        let element = Element {
            family: TableFamily::Both,
            table: TABLE.to_owned(),
            set: set.to_owned(),
            key,
            verdict: Some(verdict.clone()),
        };
        change.elements.push((namespace, vec![element]));
    }
    Ok(change)
}

/// The rules of a pod's Service on all nodes.
fn service_rules(layout: &Layout, pod: &str) -> Result<RuleChange, Error> {
    let services = layout.services.iter();
    let elements: Vec<Element> = services
        .filter(|service| service.name == pod)
        .flat_map(service_elements)
        .collect();
    if elements.is_empty() {
        let what = format!("remove the rules of Service `{pod}`");
        let help = "name a worker that runs the server of some test";
        return Err(Error::cannot(what, "there are none", help));
    }
    let nodes = layout.occupied().into_iter().map(node_name);
    Ok(RuleChange {
        prepare: Vec::new(),
        begin: Direction::Remove,
        elements: nodes.map(|node| (node, elements.clone())).collect(),
    })
}

fn service_elements(service: &PlacedService) -> Vec<Element> {
    let mut elements = Vec::new();
    for address in &service.addresses {
        let family = Family::from_address(*address);
        let bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let element = |set: &str, key, verdict| Element {
            family: match family {
                Family::Ipv4 => TableFamily::Ipv4,
                Family::Ipv6 => TableFamily::Ipv6,
            },
            table: nat::TABLE.to_owned(),
            set: set.to_owned(),
            key,
            verdict,
        };
        if !endpoints(service, family).is_empty() {
            for rule in &service.ports {
                let mut key = bytes.clone();
                let transport = match rule.transport {
                    Transport::Tcp => 6,
                    Transport::Udp => 17,
                };
                key.extend([transport, 0, 0, 0]);
                key.extend(rule.port.to_be_bytes());
                key.extend([0; 2]);
                let chain = service_chain(service, other_target(*rule));
                elements.push(element(SERVICE_IPS, key, Some(Verdict::Goto(chain))));
            }
        }
        elements.push(element(CLUSTER_IPS, bytes, None));
    }
    elements
}
