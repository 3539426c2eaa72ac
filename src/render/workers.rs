//! The workers of a run, for its manifests.

use super::families::WorkerFamilies;
use crate::plan::Placement;
use crate::tools::Port;

/// A worker and the ports that traffic to it needs.
#[derive(Clone, Debug)]
pub struct WorkerPorts<'a> {
    pub name: &'a str,
    pub placement: &'a Placement,
    /// The variant that it belongs to; `None` in a plan without variants.
    pub variant: Option<&'a str>,
    /// The pod is on its node's network.
    pub host_network: bool,
    /// Empty for a worker that no path leads to: it gets no Service.
    pub ports: Vec<Port>,
    pub families: WorkerFamilies,
}
