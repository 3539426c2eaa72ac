//! What is known of a sample beside its figures: what was asked for, and where it ran.

use super::vanished_segment::VanishedSegment;
use crate::results::environment::host_metrics::End;
use crate::results::environment::{OFFLOADS, WorkerEnvironment};

/// Which traffic the counters of an end's interfaces cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interfaces {
    /// Traffic may bypass them, as on a node whose eBPF programs connect two sockets.
    #[default]
    MayBeBypassed,
    /// All traffic crosses them: the node is emulated.
    CarryAll,
}

/// What is known of a sample beside its figures.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Circumstances {
    pub asked_s: f64,
    /// Wall time of the client.
    pub wall_s: f64,
    /// Warm-up that an end observes together with the sample: at the client only a tool's own.
    pub client_warmup_s: f64,
    pub server_warmup_s: f64,
    /// The test measures at several MSS.
    pub sweeps_mss: bool,
    /// Both ends are on the host network of one node.
    pub loopback: bool,
    /// Other traffic of the plan runs around the sample.
    pub loaded: bool,
    /// Both ends are one pod, so that each packet leaves and enters by the same interface.
    pub hairpin: bool,
    /// The larger MTU of the two ends; 0 when unknown.
    pub mtu: u32,
    /// CPUs of the ends' nodes; 0 when unknown.
    pub client_cores: u32,
    pub server_cores: u32,
    /// Whether all traffic crosses interfaces that count it.
    pub interfaces: Interfaces,
    /// The rate of the link between the ends in bits a second, headers included; `None` when there is none, or when it is
    /// unknown.
    pub link_bps: Option<f64>,
    /// What got lost on the path before the first sample.
    pub vanished: Vec<VanishedSegment>,
    /// Offloads that are on and let larger packets cross the path than the MSS allows.
    pub offloads: Vec<String>,
}

impl Circumstances {
    /// Adds what both ends report of their hosts.
    #[must_use]
    pub fn seen(mut self, client: &WorkerEnvironment, server: &WorkerEnvironment) -> Self {
        self.mtu = client.mtu.max(server.mtu);
        (self.client_cores, self.server_cores) = (client.cores, server.cores);
        if client.emulated && server.emulated {
            self.interfaces = Interfaces::CarryAll;
        }
        let mut on: Vec<(&str, Vec<&str>)> = Vec::new();
        for (end, seen) in [(End::Client, client), (End::Server, server)] {
            for (long, short) in OFFLOADS {
                if seen.offloads.get(long) != Some(&true) {
                    continue;
                }
                match on.iter_mut().find(|(name, _)| *name == short) {
                    Some((_, ends)) => ends.push(end.name()),
                    None => on.push((short, vec![end.name()])),
                }
            }
        }
        self.offloads = on
            .into_iter()
            .map(|(short, ends)| format!("{short} at {}", ends.join(" and ")))
            .collect();
        self
    }
}
