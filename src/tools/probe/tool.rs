//! The probe as a tool.

use std::time::Duration;

use super::mode::Probe;
use super::output::{BlackHole, Outages};
use super::{command, intervals, parse};
use crate::catalog::{OWN_PROGRAM, PROBE, Program, Transport};
use crate::tools::failure::Failure;
use crate::tools::installed::VersionQuery;
use crate::tools::metrics::Metrics;
use crate::tools::output::process_end::Ended;
use crate::tools::series::Series;
use crate::tools::tool::{Client, Job, Port, Server, Tool};

impl Tool for Probe {
    fn name(&self) -> &'static str {
        PROBE.name
    }

    fn programs(&self) -> Vec<Program<'_>> {
        PROBE.programs.to_vec()
    }

    fn version_query(&self) -> Option<VersionQuery> {
        Some(VersionQuery {
            argv: [OWN_PROGRAM, "--version"],
            before: &["netplan "],
        })
    }

    fn ports(&self, slot: u16) -> Vec<Port> {
        let packets = command::port(slot);
        let port = |number, transport| Port { number, transport };
        vec![
            port(packets, Transport::Udp),
            port(packets, Transport::Tcp),
            port(packets.saturating_add(1), Transport::Tcp),
        ]
    }

    fn server(&self, job: &Job<'_>) -> Server {
        command::server(job)
    }

    fn client(&self, job: &Job<'_>) -> Client {
        command::client(*self, job)
    }

    fn overhead(&self) -> Duration {
        self.mode.overhead
    }

    fn has_warmup(&self) -> bool {
        PROBE.warms_up
    }

    /// An outage may also cut the connection to the orchestrator.
    fn outlives_session(&self) -> bool {
        true
    }

    fn read(&self, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
        parse::read(job, ended)
    }

    fn series(&self, job: &Job<'_>, ended: &Ended) -> Vec<Series> {
        intervals::series(job, ended)
    }

    fn outages(&self, ended: &Ended) -> Vec<Outages> {
        parse::outages(ended)
    }

    fn black_holes(&self, ended: &Ended) -> Vec<BlackHole> {
        parse::black_holes(ended)
    }

    fn headline(&self) -> &'static str {
        self.mode.headline()
    }
}
