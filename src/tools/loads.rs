//! The loads of a test: the tools that send while it measures, and the ports that their servers get.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::iperf3::Iperf3;
use super::registry::from_spec;
use super::timing::{LOAD_TAIL, measuring};
use super::tool::{Job, Tool};
use crate::plan::units;
use crate::plan::{LoadPath, Plan, Test, Timing, ToolSpec};
use crate::schedule::{Params, slots};

/// The first port of loads.
const FIRST_PORT: u16 = 5301;

/// A load of a test, ready to be run.
pub struct LoadTool {
    /// Index into the plan's paths.
    pub path: usize,
    pub tool: Box<dyn Tool>,
    pub params: Params,
    pub timing: Timing,
    pub port: u16,
}

impl LoadTool {
    /// What it is to do. `target` is the address that its client dials.
    #[must_use]
    pub fn job<'a>(&'a self, target: &'a str) -> Job<'a> {
        Job {
            params: &self.params,
            timing: &self.timing,
            target,
            // A load has a port of its own.
            slot: 0,
        }
    }
}

impl fmt::Debug for LoadTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoadTool")
            .field(&self.tool.name())
            .field(&self.port)
            .finish()
    }
}

/// The loads of a test in a variant, each with a port that no test of the plan uses.
#[must_use]
pub fn loads(plan: &Plan, test: &Test, variant: usize) -> Vec<LoadTool> {
    let loads = plan.loads_of(test, variant);
    if loads.is_empty() {
        return Vec::new();
    }
    let taken = test_ports(plan);
    let free = (FIRST_PORT..=u16::MAX).filter(|port| !taken.contains(port));
    let timing = timing_around(plan, test, variant);
    let load = |(load, port): (LoadPath<'_>, u16)| {
        let ToolSpec::BuiltIn(used) = load.tool else {
            return None;
        };
        Some(LoadTool {
            path: load.path,
            tool: Box::new(Iperf3::load(used, port)) as Box<dyn Tool>,
            params: Params::fixed(load.tool),
            timing: timing.clone(),
            port,
        })
    };
    loads.into_iter().zip(free).filter_map(load).collect()
}

/// The time for which a load sends: in whole seconds, those of the measured sample and some more.
fn timing_around(plan: &Plan, test: &Test, variant: usize) -> Timing {
    let measured = from_spec(plan.tool(test, variant));
    let time = measuring(measured.as_ref(), &test.timing).saturating_add(LOAD_TAIL);
    let whole = Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0));
    Timing {
        duration: units::Duration(whole),
        warmup: units::Duration(Duration::ZERO),
        timeout: None,
        intervals: None,
        ..test.timing.clone()
    }
}

/// All ports that tests of the plan use, on whatever worker.
fn test_ports(plan: &Plan) -> BTreeSet<u16> {
    let slots: BTreeSet<u16> = slots(plan).into_iter().collect();
    let tools = plan.tests.iter().map(|test| from_spec(&test.tool));
    let ports = tools.flat_map(|tool| {
        let of_slots = slots.iter().flat_map(|slot| tool.ports(*slot));
        of_slots.map(|port| port.number).collect::<Vec<_>>()
    });
    ports.chain(crate::catalog::WORKER_CONTROL_PORTS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::tools::Ports;

    const PLAN: &str = "
version: 1
name: p
workers: { w1: {}, w2: { other_node_than: w1 } }
variants: { plain: {}, other: {} }
paths:
  - { name: there, from: w1, to: w2, via: pod_ip }
  - { name: back, from: w2, to: w1, via: pod_ip }
tests:
  - netperf: { test: UDP_RR }
    paths: [there]
    duration: 1s
    warmup: 1s
    load: [{ iperf3: { streams: 4 }, paths: [there, back] }, { iperf3: { protocol: udp, rate: 5 Mbit/s }, paths: [there] }]
";

    #[test]
    fn each_load_has_a_port_of_its_own_that_its_worker_is_reached_at() {
        let plan = plan::load(Source::new("p", PLAN), &[]).unwrap();
        let test = &plan.tests[0];
        let loads_of = |variant| loads(&plan, test, variant);
        let found: Vec<_> = loads_of(1)
            .iter()
            .map(|load| {
                (
                    plan.paths[load.path].name.clone(),
                    load.port,
                    load.timing.duration.0.as_secs(),
                )
            })
            .collect();
        let path = |name: &str| format!("{name}@other");
        assert_eq!(
            found,
            [
                (path("there"), 5301, 4),
                (path("back"), 5302, 4),
                (path("there"), 5303, 4)
            ]
        );
        let ports = Ports::for_plan(&plan);
        for (worker, expected) in [("w1", vec![5302]), ("w2-other", vec![5301, 5303])] {
            let numbers: BTreeSet<u16> = ports
                .worker(worker)
                .iter()
                .map(|port| port.number)
                .collect();
            let of_loads: Vec<u16> = numbers
                .into_iter()
                .filter(|port| (5301..5400).contains(port))
                .collect();
            assert_eq!(of_loads, expected, "{worker}");
        }
        assert_eq!(loads_of(0)[0].params.0.len(), 1);
    }
}
