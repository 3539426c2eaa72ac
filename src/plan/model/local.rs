//! What the local cluster emulates.

use std::fmt;

use serde::Serialize;

use crate::plan::model::choice::Choice;
use crate::plan::model::family::Family;
use crate::plan::model::queue::Queue;
use crate::plan::model::units::{BitRate, Duration, Percent};

/// The local cluster has no more nodes.
pub const MOST_EMULATED_NODES: u32 = 32;

/// The MTU of emulated interfaces where a plan names none, in bytes.
pub const DEFAULT_MTU: u32 = 1500;

/// Bytes of an Ethernet header, which a link's rate and queue count.
pub const ETHERNET_BYTES: u64 = 14;
/// A segmented packet of 64 KiB at the smallest MSS has 107 KB of headers and payload.
const SUPER_PACKET_BYTES: u64 = 128 * 1024;

/// The smallest MTU of a link that carries IPv6, in bytes (RFC 8200, section 5).
pub const LEAST_IPV6_MTU: u32 = 1280;

/// An emulated node, by its number from 1. Written `node-1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct EmulatedNode(pub u32);

impl fmt::Display for EmulatedNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node-{}", self.0)
    }
}

impl From<EmulatedNode> for String {
    fn from(node: EmulatedNode) -> String {
        node.to_string()
    }
}

/// The emulated nodes and links of the local cluster. The keys are described in
/// `describe/keys/local.rs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Local {
    /// How many nodes to emulate.
    pub nodes: u32,
    /// What every link between two nodes is like.
    pub links: Link,
    pub offloads: Offloads,
    #[serde(skip_serializing_if = "LocalPods::is_empty")]
    pub pods: LocalPods,
    /// The families of addresses, the cluster's first one first; empty for all that the machine has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip_families: Vec<Family>,
}

impl Default for Local {
    fn default() -> Local {
        Local {
            nodes: 2,
            links: Link::default(),
            offloads: Offloads::default(),
            pods: LocalPods::default(),
            ip_families: Vec::new(),
        }
    }
}

/// An emulated link between two nodes, the same in both directions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Link {
    /// On the wire, Ethernet header included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<BitRate>,
    /// One-way delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// What may wait where there is a rate; `None` is 20 ms and more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// Packets lost at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Percent>,
    /// Maximum transmission unit in bytes, of links and pods alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

/// What the interfaces of pods are like, where it differs from the links.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LocalPods {
    /// Maximum transmission unit in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offloads: Option<Offloads>,
}

impl LocalPods {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Local {
    /// The MTU of pods' interfaces in bytes; `None` is the default of emulated interfaces.
    #[must_use]
    pub fn pod_mtu(&self) -> Option<u32> {
        self.pods.mtu.or(self.links.mtu)
    }

    /// The offloads of pods' interfaces.
    #[must_use]
    pub fn pod_offloads(&self) -> Offloads {
        self.pods.offloads.unwrap_or(self.offloads)
    }

    /// The least MTU of pods and links; `None` is the default of emulated interfaces.
    #[must_use]
    pub fn least_mtu(&self) -> Option<u32> {
        let named = [self.pods.mtu, self.links.mtu];
        named.into_iter().flatten().min()
    }
}

/// The largest packet of a link, in bytes on the wire.
#[must_use]
pub fn largest_packet(mtu: u64, offloads: Offloads) -> u64 {
    match offloads {
        Offloads::Off => mtu + ETHERNET_BYTES,
        Offloads::Kernel => SUPER_PACKET_BYTES.max(mtu + ETHERNET_BYTES),
    }
}

/// Segmentation offloads of the emulated interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Offloads {
    #[default]
    Off,
    Kernel,
}

impl Offloads {
    /// Whether they are left as the kernel sets them.
    #[must_use]
    pub fn is_kernel(&self) -> bool {
        *self == Self::Kernel
    }
}

impl Choice for Offloads {
    const ALL: &'static [(Self, &'static str)] = &[
        (
            Self::Off,
            "Every segment crosses the path by itself, so that an MSS sweep measures the MSS.",
        ),
        (
            Self::Kernel,
            "As the kernel sets new interfaces up: segments cross in packets of up to 64 KiB, whatever the MSS.",
        ),
    ];
}
