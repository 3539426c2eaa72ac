//! Objects, settings and placement → who has which address.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::objects::Transport;
use super::read::{Objects, PodObject};
use super::scheduler::{place, selects};
use crate::cluster::Error;
use crate::plan::{Link, Local, Offloads};

/// The whole local cluster, before any of it exists.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Nodes are numbered from 0; [`node_name`] counts from 1.
    pub nodes: u32,
    pub pods: Vec<PlacedPod>,
    pub services: Vec<PlacedService>,
    pub links: Link,
    pub offloads: Offloads,
}

#[derive(Clone, Debug)]
pub struct PlacedPod {
    pub object: PodObject,
    pub node: u32,
    pub address: Ipv4Addr,
}

#[derive(Clone, Debug)]
pub struct PlacedService {
    pub name: String,
    pub namespace: String,
    pub address: Ipv4Addr,
    pub ports: Vec<PortRule>,
    /// Addresses of the pods behind it.
    pub endpoints: Vec<Ipv4Addr>,
}

/// What a Service does with one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortRule {
    pub transport: Transport,
    pub port: u16,
    pub target: u16,
}

/// Pods, by node, are `10.244.<node>.0/24`; Services are `10.96.0.0/16`, as with kubeadm.
pub const POD_RANGE: &str = "10.244.0.0/16";
pub const SERVICE_RANGE: &str = "10.96.0.0/16";

const FIRST_HOST: u32 = 11;
const PODS_A_NODE: usize = 240;
const SERVICES: usize = 60_000;

/// Places the pods and gives out the addresses.
///
/// # Errors
/// A pod that no node can take.
pub fn layout(objects: &Objects, settings: &Local) -> Result<Layout, Error> {
    let nodes = settings.nodes.clamp(1, 32);
    let mut taken = vec![0_u32; nodes as usize];
    let mut pods = Vec::with_capacity(objects.pods.len());
    for (object, node) in objects.pods.iter().zip(place(&objects.pods, nodes)?) {
        let count = &mut taken[node as usize];
        if *count as usize >= PODS_A_NODE {
            return Err(Error::Unplaceable {
                pod: object.name.clone(),
                what: format!("{} has {PODS_A_NODE} pods already", node_name(node)),
                help: "set `local.nodes` higher".to_owned(),
            });
        }
        pods.push(PlacedPod {
            object: object.clone(),
            node,
            address: offset(
                Ipv4Addr::new(10, 244, 0, 0),
                (node + 1) * 256 + FIRST_HOST + *count,
            ),
        });
        *count += 1;
    }
    let services = objects
        .services
        .iter()
        .take(SERVICES)
        .zip(FIRST_HOST..)
        .map(|(service, host)| {
            let mut ports: Vec<PortRule> = service
                .spec
                .ports
                .iter()
                .map(|port| PortRule {
                    transport: port.protocol,
                    port: port.port,
                    target: port.target_port.unwrap_or(port.port),
                })
                .collect();
            ports.sort_unstable();
            ports.dedup_by_key(|rule| (rule.transport, rule.port));
            PlacedService {
                name: service.metadata.name.clone(),
                namespace: service.metadata.namespace.clone(),
                address: offset(Ipv4Addr::new(10, 96, 0, 0), host),
                ports,
                endpoints: pods
                    .iter()
                    .filter(|pod| {
                        pod.object.namespace == service.metadata.namespace
                            && selects(&service.spec.selector, &pod.object.labels)
                    })
                    .map(|pod| pod.address)
                    .collect(),
            }
        })
        .collect();
    Ok(Layout {
        nodes,
        pods,
        services,
        links: settings.links.clone(),
        offloads: settings.offloads,
    })
}

impl Layout {
    /// The nodes that have pods, in order.
    pub fn occupied(&self) -> Vec<u32> {
        let nodes: BTreeSet<u32> = self.pods.iter().map(|pod| pod.node).collect();
        nodes.into_iter().collect()
    }

    /// What a run ran on, for `environment.json`.
    pub fn describe(&self) -> serde_json::Value {
        let pods: serde_json::Map<_, _> = self
            .pods
            .iter()
            .map(|pod| {
                let at = serde_json::json!({
                    "node": node_name(pod.node),
                    "address": pod.address.to_string(),
                });
                (pod.object.name.clone(), at)
            })
            .collect();
        let services: serde_json::Map<_, _> = self
            .services
            .iter()
            .map(|service| (service.name.clone(), service.address.to_string().into()))
            .collect();
        serde_json::json!({
            "kind": "local",
            "nodes": self.nodes,
            "network": "routed veth pairs",
            "proxy": "nftables",
            "links": self.links,
            "offloads": self.offloads,
            "pods": pods,
            "services": services,
        })
    }
}

/// `node-1` for node 0.
pub fn node_name(node: u32) -> String {
    format!("node-{}", node + 1)
}

/// The network namespace of a pod. No node's has such a name.
pub fn pod_namespace(pod: &str) -> String {
    format!("pod-{pod}")
}

/// The gateway of a node's pods, on the node.
pub fn gateway(node: u32) -> Ipv4Addr {
    offset(Ipv4Addr::new(10, 244, 0, 1), (node + 1) * 256)
}

/// A node's own address on its links.
pub fn node_address(node: u32) -> Ipv4Addr {
    offset(Ipv4Addr::new(192, 168, 77, 1), node)
}

fn offset(base: Ipv4Addr, by: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(base.to_bits() + by)
}
