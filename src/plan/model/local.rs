//! What the local cluster emulates.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::model::units::{BitRate, Duration, Percent};

/// The emulated nodes and links of the local cluster. Kubernetes does not look at them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Local {
    /// How many nodes to emulate, 1 to 32. Default: 2.
    #[schemars(range(min = 1, max = 32))]
    pub nodes: u32,
    /// What every link between two nodes is like. Default: as fast as the machine.
    pub links: Link,
    /// Segmentation offloads of the emulated interfaces. Default: off.
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Link {
    /// Bits a second on the wire, Ethernet header included, as in `1 Gbit/s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<BitRate>,
    /// One-way delay, as in `1ms`. Needs the kernel's netem queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// Packets lost at random, as in `0.1%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<Percent>,
    /// Maximum transmission unit in bytes, 576 to 65535, of links and pods alike. Default: 1500.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 576, max = 65_535))]
    pub mtu: Option<u32>,
}

/// Segmentation offloads of the emulated interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offloads {
    /// Every segment crosses the path by itself, so that an MSS sweep measures the MSS.
    #[default]
    Off,
    /// As the kernel sets new interfaces up: segments cross in packets of up to 64 KiB, whatever
    /// the MSS.
    Kernel,
}
