//! What the local cluster emulates.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::diag::{Problem, quote};
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
    /// By the name of a worker, what its interface is like where its variant says so. Plan files have it in their
    /// variants.
    #[serde(skip)]
    pub pods_of: IndexMap<String, LocalPods>,
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
            pods_of: IndexMap::new(),
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
    /// The queueing discipline of what a pod sends; `None` for none, as veth pairs have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qdisc: Option<Qdisc>,
    /// TCP's congestion control in the pod; `None` is the kernel's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion: Option<String>,
}

impl LocalPods {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These settings where they say something, else those of `wider`.
    #[must_use]
    pub fn over(&self, wider: &Self) -> Self {
        Self {
            mtu: self.mtu.or(wider.mtu),
            offloads: self.offloads.or(wider.offloads),
            qdisc: self.qdisc.or(wider.qdisc),
            congestion: self.congestion.clone().or_else(|| wider.congestion.clone()),
        }
    }
}

/// A queueing discipline (tc(8)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Qdisc {
    Pfifo,
    FqCodel,
    Fq,
    Sfq,
}

impl Choice for Qdisc {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Pfifo, "One queue of packets."),
        (
            Self::FqCodel,
            "Fair queues that drop by delay (tc-fq_codel(8)).",
        ),
        (
            Self::Fq,
            "Fair queues with pacing, e.g. for BBR (tc-fq(8)).",
        ),
        (Self::Sfq, "Fair queues by a hash of the flow (tc-sfq(8))."),
    ];
}

/// Checks the name of a congestion control: at most 15 characters (`TCP_CA_NAME_MAX` of Linux, without the zero at its
/// end).
///
/// # Errors
/// What is wrong with it.
pub fn congestion_control(text: &str) -> Result<(), Problem> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=15).contains(&text.len()) && text.chars().all(is_name) {
        return Ok(());
    }
    let what = format!("{} is not the name of a congestion control", quote(text));
    Err(Problem::without_place(what)
        .help("`sysctl net.ipv4.tcp_available_congestion_control` lists them, e.g. `cubic`"))
}

impl Local {
    /// What the interface of a worker's pod is like; `None` for a pod that is no worker's.
    #[must_use]
    pub fn interface(&self, worker: Option<&str>) -> &LocalPods {
        let own = worker.and_then(|worker| self.pods_of.get(worker));
        own.unwrap_or(&self.pods)
    }

    /// The settings of pods: those of the plan, and those of its variants.
    pub fn interfaces(&self) -> impl Iterator<Item = &LocalPods> {
        std::iter::once(&self.pods).chain(self.pods_of.values())
    }

    /// The offloads of the interfaces of pods with these settings.
    #[must_use]
    pub fn offloads_of(&self, pods: &LocalPods) -> Offloads {
        pods.offloads.unwrap_or(self.offloads)
    }

    /// The least MTU of pods and links; `None` is the default of emulated interfaces.
    #[must_use]
    pub fn least_mtu(&self) -> Option<u32> {
        let of_pods = self.interfaces().filter_map(|pods| pods.mtu);
        of_pods.chain(self.links.mtu).min()
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
