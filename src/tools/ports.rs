//! The ports that each worker's Service carries.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::loads::loads;
use super::registry::from_spec;
use super::tool::Port;
use crate::catalog::Transport;
use crate::plan::{Plan, PortProtocol, WorkerPort};
use crate::schedule::slots;

/// The ports on which workers are reached, over all tests and paths of a plan.
#[derive(Clone, Debug, Default)]
pub struct Ports<'a>(HashMap<&'a str, BTreeSet<Port>>);

impl<'a> Ports<'a> {
    /// The ports of a plan's workers.
    #[must_use]
    pub fn for_plan(plan: &'a Plan) -> Self {
        let slots = slots(plan);
        let mut ports: HashMap<&str, BTreeSet<Port>> = HashMap::new();
        for test in &plan.tests {
            let tool = from_spec(&test.tool);
            // A mesh leads to each worker by many paths, all of one slot.
            let mut seen = HashSet::new();
            for path in plan.paths_of(test) {
                let (to, slot) = (plan.paths[path].to.as_str(), slots[path]);
                if seen.insert((to, slot)) {
                    ports.entry(to).or_default().extend(tool.ports(slot));
                }
            }
        }
        for (name, placement) in &plan.workers {
            let own = match placement.pods.ports.as_slice() {
                [] => &plan.kubernetes.ports,
                own => own,
            };
            if !own.is_empty() {
                let ports = ports.entry(name).or_default();
                ports.extend(own.iter().copied().flat_map(with_transports));
            }
        }
        for test in &plan.tests {
            for variant in 0..plan.variants.len().max(1) {
                for load in loads(plan, test, variant) {
                    let to = plan.paths[load.path].to.as_str();
                    // A load has one port, whatever the slot.
                    ports.entry(to).or_default().extend(load.tool.ports(0));
                }
            }
        }
        Self(ports)
    }

    /// The ports of a worker: in order, each once; none for a worker that no measured path leads to, and that has none
    /// of its own.
    #[must_use]
    pub fn worker(&self, name: &str) -> Vec<Port> {
        let ports = self.0.get(name).into_iter().flatten();
        ports.copied().collect()
    }
}

/// A port in each of its protocols.
fn with_transports(port: WorkerPort) -> impl Iterator<Item = Port> + use<> {
    let number = port.port;
    let transports: &[Transport] = match port.protocol {
        PortProtocol::Tcp => &[Transport::Tcp],
        PortProtocol::Udp => &[Transport::Udp],
        PortProtocol::Both => &[Transport::Tcp, Transport::Udp],
    };
    transports.iter().map(move |transport| Port {
        number,
        transport: *transport,
    })
}
