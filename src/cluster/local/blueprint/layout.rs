//! Objects and settings → the node and the addresses of each pod, and the addresses of each Service.

use std::collections::BTreeSet;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Node, NodeCondition, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;

use super::addresses;
use super::service_families::service_families;
use crate::cluster::Error;
use crate::cluster::local::manifests::{Objects, PodObject, name, namespace};
use crate::cluster::placement::{Misfit, Placement, PodToPlace, has_labels, place};
use crate::plan::{
    DEFAULT_MTU, EmulatedNode, Family, LEAST_IPV6_MTU, Link, Local, MOST_EMULATED_NODES, Offloads,
    Qdisc,
};
use crate::render::policy::Policy;

/// The whole local cluster, before any of it exists.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Nodes are numbered from 0; [`node_name`] counts from 1.
    pub nodes: u32,
    pub pods: Vec<PlacedPod>,
    pub services: Vec<PlacedService>,
    pub links: Link,
    /// In bytes.
    pub link_mtu: u32,
    /// Of the nodes' interfaces.
    pub offloads: Offloads,
    /// The families of all addresses; the first is the cluster's first.
    pub families: Vec<Family>,
    /// Those that are enforced.
    pub policies: Vec<Policy>,
}

#[derive(Clone, Debug)]
pub struct PlacedPod {
    pub object: PodObject,
    pub node: u32,
    /// One of each family, in the cluster's order.
    pub addresses: Vec<IpAddr>,
    pub interface: Interface,
}

/// The interface of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// In bytes.
    pub mtu: u32,
    pub offloads: Offloads,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qdisc: Option<Qdisc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion: Option<String>,
}

#[derive(Clone, Debug)]
pub struct PlacedService {
    pub name: String,
    pub namespace: String,
    /// One of each family that the Service has, in its own order.
    pub addresses: Vec<IpAddr>,
    pub ports: Vec<PortRule>,
    /// Addresses of the pods behind it, of all families.
    pub endpoints: Vec<IpAddr>,
}

/// The protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    Tcp,
    Udp,
}

/// What a Service does with one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortRule {
    pub transport: Transport,
    pub port: u16,
    pub target: u16,
}

/// The label of a worker's pod with the worker's name.
const WORKER: &str = "netplan/worker";

const FIRST_HOST: u32 = 11;
const PODS_A_NODE: usize = 240;
const SERVICES: usize = 60_000;

/// The families of a cluster with these settings: those that the settings name, else both, but IPv4 alone
/// on links that are too small for IPv6.
pub fn families(settings: &Local) -> Vec<Family> {
    if !settings.ip_families.is_empty() {
        return settings.ip_families.clone();
    }
    if settings.least_mtu().is_some_and(|mtu| mtu < LEAST_IPV6_MTU) {
        return vec![Family::Ipv4];
    }
    vec![Family::Ipv4, Family::Ipv6]
}

/// Places the pods and assigns the addresses.
///
/// # Errors
/// A pod that no node can take, or a Service of a family that the cluster does not have.
pub fn layout(objects: &Objects, settings: &Local) -> Result<Layout, Error> {
    let nodes = settings.nodes.clamp(1, MOST_EMULATED_NODES);
    let families = families(settings);
    let mut taken = vec![0_u32; nodes as usize];
    let mut pods = Vec::with_capacity(objects.pods.len());
    for (object, node) in objects.pods.iter().zip(place_pods(objects, nodes)?) {
        let count = &mut taken[node as usize];
        if *count as usize >= PODS_A_NODE {
            return Err(Error::unplaceable(
                &object.pod.name,
                &format!("{} has {PODS_A_NODE} pods already", node_name(node)),
                "set `local.nodes` higher",
            ));
        }
        pods.push(PlacedPod {
            object: object.clone(),
            node,
            addresses: families
                .iter()
                .map(|family| addresses::pod(*family, node, FIRST_HOST + *count))
                .collect(),
            interface: Interface::new(object, settings),
        });
        *count += 1;
    }
    let services = objects.services.iter().take(SERVICES).zip(FIRST_HOST..);
    let services = services
        .map(|(service, number)| {
            let families = service_families(service, &families)?;
            let addresses = families.iter();
            let addresses = addresses.map(|family| addresses::service(*family, number));
            Ok(PlacedService::new(service, addresses.collect(), &pods))
        })
        .collect::<Result<_, Error>>()?;
    let of_pods = settings.interfaces().filter_map(|pods| pods.mtu);
    let largest = of_pods.max().unwrap_or_default().max(DEFAULT_MTU);
    Ok(Layout {
        nodes,
        pods,
        services,
        links: settings.links.clone(),
        link_mtu: settings.links.mtu.unwrap_or(largest),
        offloads: settings.offloads,
        families,
        policies: objects.policies.clone(),
    })
}

/// For each pod its node.
fn place_pods(objects: &Objects, nodes: u32) -> Result<Vec<u32>, Error> {
    let pods: Vec<PodToPlace> = objects.pods.iter().map(|one| one.pod.clone()).collect();
    let place_on = |nodes| place(&(0..nodes).map(node).collect::<Vec<_>>(), &pods);
    let (pod, what) = match place_on(nodes) {
        Placement::Found(placed) => {
            let numbers = placed.into_iter().map(u32::try_from);
            return Ok(numbers.map(Result::unwrap_or_default).collect());
        }
        Placement::Impossible(misfits) => {
            let first = misfits.into_iter().next();
            let first = first.map(|Misfit { pod, why, .. }| (pod, why));
            first.unwrap_or_default()
        }
        Placement::Unknown => {
            let last = pods.last().map(|pod| pod.name.clone());
            let what = format!("no placement of all pods on {nodes} nodes was found");
            (last.unwrap_or_default(), what)
        }
    };
    let mut more = nodes + 1..=MOST_EMULATED_NODES;
    let enough = more.find(|&nodes| matches!(place_on(nodes), Placement::Found(_)));
    Err(Error::unplaceable(
        &pod,
        &what,
        match enough {
            Some(enough) => format!(
                "set `local.nodes` to {enough} or more, or change the placement of the workers"
            ),
            None => "change the placement of the workers".to_owned(),
        },
    ))
}

/// An emulated node, as the placement sees it.
fn node(number: u32) -> Node {
    let name = node_name(number);
    let ready = NodeCondition {
        type_: "Ready".to_owned(),
        status: "True".to_owned(),
        ..NodeCondition::default()
    };
    let mut node = Node::default();
    node.metadata.labels = Some([("kubernetes.io/hostname".to_owned(), name.clone())].into());
    node.metadata.name = Some(name);
    node.status.get_or_insert_default().conditions = Some(vec![ready]);
    node
}

impl Interface {
    fn new(pod: &PodObject, settings: &Local) -> Self {
        let worker = pod.pod.labels.get(WORKER).map(String::as_str);
        let pods = settings.interface(worker);
        Self {
            mtu: pods.mtu.or(settings.links.mtu).unwrap_or(DEFAULT_MTU),
            offloads: settings.offloads_of(pods),
            qdisc: pods.qdisc,
            congestion: pods.congestion.clone(),
        }
    }
}

impl PlacedService {
    fn new(service: &Service, addresses: Vec<IpAddr>, pods: &[PlacedPod]) -> Self {
        let namespace = namespace(&service.metadata);
        let spec = service.spec.as_ref();
        let selector = spec.and_then(|spec| spec.selector.as_ref());
        let endpoints = pods.iter().filter(|placed| {
            let pod = &placed.object.pod;
            let selects = selector.is_some_and(|selector| has_labels(selector, &pod.labels));
            pod.namespace == namespace && selects
        });
        let ports = spec.and_then(|spec| spec.ports.as_ref());
        let mut ports: Vec<PortRule> = ports
            .into_iter()
            .flatten()
            .filter_map(PortRule::from_port)
            .collect();
        ports.sort_unstable();
        ports.dedup_by_key(|rule| (rule.transport, rule.port));
        Self {
            name: name(&service.metadata).to_owned(),
            namespace: namespace.to_owned(),
            addresses,
            ports,
            endpoints: endpoints.flat_map(|pod| pod.addresses.clone()).collect(),
        }
    }
}

impl PortRule {
    /// `None` for numbers that are not ports, which the manifests' check refuses.
    fn from_port(port: &ServicePort) -> Option<Self> {
        let number = u16::try_from(port.port).ok()?;
        let target = match &port.target_port {
            Some(IntOrString::Int(target)) => u16::try_from(*target).ok()?,
            Some(IntOrString::String(_)) => return None,
            None => number,
        };
        let transport = match port.protocol.as_deref() {
            Some("UDP") => Transport::Udp,
            _ => Transport::Tcp,
        };
        Some(Self {
            transport,
            port: number,
            target,
        })
    }
}

impl Layout {
    /// The offloads that decide how large the packets are that cross a link.
    pub fn largest_packets(&self) -> Offloads {
        let of_pods = self.pods.iter().map(|pod| pod.interface.offloads);
        let mut all = of_pods.chain([self.offloads]);
        if all.any(|offloads| offloads.is_kernel()) {
            Offloads::Kernel
        } else {
            Offloads::Off
        }
    }

    /// The nodes that have pods, in order.
    pub fn occupied(&self) -> Vec<u32> {
        let nodes: BTreeSet<u32> = self.pods.iter().map(|pod| pod.node).collect();
        nodes.into_iter().collect()
    }

    /// What a run ran on, for `environment.json`.
    pub fn describe(&self) -> serde_json::Value {
        let plain = Interface {
            mtu: self.link_mtu,
            offloads: self.offloads,
            qdisc: None,
            congestion: None,
        };
        let pods: serde_json::Map<_, _> = self
            .pods
            .iter()
            .map(|pod| {
                let mut at = serde_json::json!({
                    "node": node_name(pod.node),
                    "address": joined(pod.addresses.get(..1).unwrap_or_default()),
                    "addresses": pod.addresses,
                });
                if pod.interface != plain {
                    at["interface"] = serde_json::json!(pod.interface);
                }
                (pod.object.pod.name.clone(), at)
            })
            .collect();
        let services: serde_json::Map<_, _> = self
            .services
            .iter()
            .map(|service| (service.name.clone(), joined(&service.addresses).into()))
            .collect();
        serde_json::json!({
            "kind": "local",
            "nodes": self.nodes,
            "network": "routed veth pairs",
            "proxy": "nftables",
            "links": self.links,
            "offloads": self.offloads,
            "ip_families": self.families,
            "pods": pods,
            "services": services,
        })
    }
}

/// `node-1` for node 0.
pub fn node_name(node: u32) -> String {
    EmulatedNode(node + 1).to_string()
}

/// The network namespace of a pod. No node's has such a name.
pub fn pod_namespace(pod: &str) -> String {
    format!("pod-{pod}")
}

/// The node's end of the veth pair of the pod with this index.
pub fn pod_device(index: usize) -> String {
    format!("pod{}", index + 1)
}

/// Addresses as `status.podIPs` has them in an environment variable.
pub fn joined(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    texts.join(",")
}
