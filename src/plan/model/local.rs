//! What the local cluster emulates.

use serde::Serialize;

use crate::plan::model::choice::Choice;
use crate::plan::model::units::{BitRate, Duration, Percent};

/// The local cluster has no more nodes.
pub const MOST_EMULATED_NODES: u32 = 32;

/// The emulated nodes and links of the local cluster. The keys are described in
/// `describe/keys/local.rs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Local {
    /// How many nodes to emulate.
    pub nodes: u32,
    /// What every link between two nodes is like.
    pub links: Link,
    pub offloads: Offloads,
}

impl Default for Local {
    fn default() -> Local {
        Local {
            nodes: 2,
            links: Link::default(),
            offloads: Offloads::default(),
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
    /// Packets lost at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Percent>,
    /// Maximum transmission unit in bytes, of links and pods alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

/// Segmentation offloads of the emulated interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Offloads {
    #[default]
    Off,
    Kernel,
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
