//! The network as data: which namespaces, and what `ip`, `ethtool`, `tc` and `nft` are told there.
//!
//! Every node and every pod is a network namespace. A veth pair leads from each pod to its node,
//! where the pod's address is a host route; a veth pair joins every two nodes. Nodes forward and
//! translate; nothing is bridged, so no bridge filter and no hairpin flag are needed. It is the
//! layout of the `ptp` plugin and of the clouds' routed networks. A node without pods has nothing
//! to do and is left out.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::addresses::{bits, gateway, node_address, node_pod_range, service_range};
use super::layout::{Layout, node_name, pod_device, pod_namespace};
use super::{link, nat, policies};
use crate::plan::{Family, Offloads, word};

/// All steps that make the network. Namespaces come first, then the links, then the stages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub namespaces: Vec<Namespace>,
    /// Makes all veth pairs; runs outside of all of them.
    pub links: Vec<Step>,
    /// What each namespace then needs. Namespaces know nothing of each other: these can run side
    /// by side.
    pub inside: Vec<(String, Vec<Step>)>,
}

/// A network namespace, and its settings below `/proc/sys/net/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub name: String,
    /// Those that must be there, and those that some kernels lack.
    pub settings: Vec<(String, String)>,
    pub optional_settings: Vec<(String, String)>,
}

/// One program run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub program: String,
    pub args: Vec<String>,
    pub input: String,
}

impl Step {
    pub(super) fn new(program: &str, args: &str, input: String) -> Self {
        Self {
            program: program.to_owned(),
            args: args.split_whitespace().map(str::to_owned).collect(),
            input,
        }
    }
}

/// The whole network of a layout.
pub fn network(layout: &Layout) -> Network {
    let mut network = Network::default();
    let mtu = layout.link_mtu;
    let mut pairs = String::new();
    let nodes = layout.occupied();
    for (index, &node) in nodes.iter().enumerate() {
        network
            .namespaces
            .push(namespace(layout, node_name(node), true));
        for &other in &nodes[index + 1..] {
            let _ = writeln!(
                pairs,
                "link add {} mtu {mtu} netns {} type veth peer name {} mtu {mtu} netns {}",
                link::device(other),
                node_name(node),
                link::device(node),
                node_name(other),
            );
        }
    }
    for (index, pod) in layout.pods.iter().enumerate() {
        let name = pod_namespace(&pod.object.pod.name);
        let pod_mtu = pod.interface.mtu;
        let _ = writeln!(
            pairs,
            "link add {} mtu {pod_mtu} netns {} type veth peer name eth0 mtu {pod_mtu} netns {name}",
            pod_device(index),
            node_name(pod.node),
        );
        let mut namespace = namespace(layout, name, false);
        if let Some(congestion) = &pod.interface.congestion {
            let key = "ipv4/tcp_congestion_control".to_owned();
            namespace.settings.push((key, congestion.clone()));
        }
        network.namespaces.push(namespace);
    }
    network.links.push(Step::new("ip", "-batch -", pairs));
    for node in nodes {
        network
            .inside
            .push((node_name(node), node_steps(layout, node)));
    }
    for pod in &layout.pods {
        let mut ip = "link set lo up\nlink set eth0 up\n".to_owned();
        for (family, address) in layout.families.iter().zip(&pod.addresses) {
            let gateway = gateway(*family, pod.node);
            let bits = bits(*address);
            let _ = write!(
                ip,
                "addr add {address}/{bits} dev eth0\n\
                 route add {gateway}/{bits} dev eth0\n\
                 route add default via {gateway} dev eth0\n"
            );
        }
        let mut steps = vec![Step::new("ip", "-batch -", ip)];
        steps.extend(offloads_off(pod.interface.offloads, "eth0"));
        if let Some(qdisc) = pod.interface.qdisc {
            let args = format!("qdisc replace dev eth0 root {}", word(&qdisc));
            steps.push(Step::new("tc", &args, String::new()));
        }
        network
            .inside
            .push((pod_namespace(&pod.object.pod.name), steps));
    }
    network
}

fn namespace(layout: &Layout, name: String, forwards: bool) -> Namespace {
    let setting = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut settings = Vec::new();
    let mut optional_settings = Vec::new();
    let both = |settings: &mut Vec<_>, key: &str, value: &str| {
        settings.push(setting(&format!("ipv6/conf/all/{key}"), value));
        settings.push(setting(&format!("ipv6/conf/default/{key}"), value));
    };
    if layout.families.contains(&Family::Ipv6) {
        // Nobody else has these addresses: they are used at once, and no router is asked for others.
        both(&mut settings, "accept_dad", "0");
        both(&mut settings, "accept_ra", "0");
        both(&mut settings, "router_solicitations", "0");
        if forwards {
            settings.push(setting("ipv6/conf/all/forwarding", "1"));
        }
    } else {
        // Without addresses of its own, IPv6 would only send its announcements.
        both(&mut optional_settings, "disable_ipv6", "1");
    }
    if forwards {
        settings.push(setting("ipv4/ip_forward", "1"));
        // A hairpin leaves by the interface that it came in by; that is on purpose.
        settings.push(setting("ipv4/conf/all/send_redirects", "0"));
        settings.push(setting("ipv4/conf/default/send_redirects", "0"));
    }
    Namespace {
        name,
        settings,
        optional_settings,
    }
}

fn node_steps(layout: &Layout, node: u32) -> Vec<Step> {
    let mut ip = "link set lo up\n".to_owned();
    let mut devices = Vec::new();
    let mut queues = String::new();
    for other in layout.occupied().into_iter().filter(|other| *other != node) {
        let device = link::device(other);
        let _ = writeln!(ip, "link set {device} up");
        for &family in &layout.families {
            let (own, peer) = (node_address(family, node), node_address(family, other));
            let bits = bits(peer);
            // As two lines: the kernel takes no IPv6 gateway that is only known as an address's peer.
            let _ = writeln!(
                ip,
                "addr add {own}/{bits} dev {device}\n\
                 route add {peer}/{bits} dev {device}\n\
                 route add {} via {peer} dev {device}",
                node_pod_range(family, other),
            );
        }
        queues.push_str(&link::queue(
            &layout.links,
            layout.link_mtu,
            layout.largest_packets(),
            &device,
        ));
        devices.push(device);
    }
    let mut some_device = None;
    for (index, pod) in layout
        .pods
        .iter()
        .enumerate()
        .filter(|(_, pod)| pod.node == node)
    {
        let device = pod_device(index);
        let _ = writeln!(ip, "link set {device} up");
        for (&family, address) in layout.families.iter().zip(&pod.addresses) {
            let bits = bits(*address);
            let _ = writeln!(
                ip,
                "addr add {}/{bits} dev {device}\n\
                 route add {address}/{bits} dev {device}",
                gateway(family, node),
            );
        }
        some_device.get_or_insert_with(|| device.clone());
        devices.push(device);
    }
    if let Some(device) = some_device {
        // Nothing ever goes there: a declared port is translated before routing, and an
        // undeclared one is refused by the forward hook, which a packet without a route would
        // never reach.
        for &family in &layout.families {
            let _ = writeln!(ip, "route add {} dev {device}", service_range(family));
        }
    }
    let mut steps = vec![Step::new("ip", "-batch -", ip)];
    steps.extend(
        devices
            .iter()
            .filter_map(|device| offloads_off(layout.offloads, device)),
    );
    if !queues.is_empty() {
        steps.push(Step::new("tc", "-batch -", queues));
    }
    steps.push(Step::new("nft", "-f -", nat::ruleset(layout)));
    let policies = policies::rulesets(layout, node).into_iter();
    steps.extend(policies.map(|input| Step::new("nft", "-f -", input)));
    steps
}

/// Every segment becomes a packet of its own where it is made (`tso`, `gso`), and no two packets
/// are joined on the way (`gro`), so that rate, loss and the cost of a hop count packets as they
/// are on a wire. The links between nodes need it as well: a queue there would else meet, and
/// charge for, packets that some hop had joined. To leave `gso` or UDP segmentation on was measured
/// to be no faster on any path or segment size; `gro` on is, threefold, and makes the sweep flat.
fn offloads_off(offloads: Offloads, device: &str) -> Option<Step> {
    (offloads == Offloads::Off).then(|| {
        let args = format!("-K {device} tso off gso off gro off tx-udp-segmentation off");
        Step::new("ethtool", &args, String::new())
    })
}
