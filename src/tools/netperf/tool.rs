//! netperf as a tool.

use std::time::Duration;

use super::mode::Netperf;
use super::{command, intervals, parse, protocols};
use crate::catalog::{NETPERF, Program, Transport};
use crate::diag::Problem;
use crate::tools::failure::Failure;
use crate::tools::installed::{Installed, Use, VersionQuery};
use crate::tools::metrics::Metrics;
use crate::tools::output::process_end::Ended;
use crate::tools::series::Series;
use crate::tools::tool::{Client, Job, Port, Server, Tool};

impl Tool for Netperf {
    fn name(&self) -> &'static str {
        NETPERF.name
    }

    fn programs(&self) -> Vec<Program<'_>> {
        NETPERF.programs.to_vec()
    }

    fn package_note(&self) -> &'static str {
        NETPERF.package_note
    }

    fn version_query(&self) -> Option<VersionQuery> {
        Some(VersionQuery {
            argv: ["netperf", "-V"],
            before: &["Netperf version "],
        })
    }

    fn unfit(&self, installed: &Installed<'_>, used: Use<'_>) -> Option<Problem> {
        protocols::unfit(installed, used)
    }

    fn ports(&self, slot: u16) -> Vec<Port> {
        let port = |number, transport| Port { number, transport };
        let data = command::data_port(slot);
        vec![
            port(command::CONTROL_PORT, Transport::Tcp),
            port(data, Transport::Tcp),
            port(data, Transport::Udp),
        ]
    }

    fn server(&self, _job: &Job<'_>) -> Server {
        command::server()
    }

    fn client(&self, job: &Job<'_>) -> Client {
        command::client(*self, job)
    }

    fn overhead(&self) -> Duration {
        self.mode.overhead
    }

    fn read(&self, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
        parse::read(*self, job, ended)
    }

    fn series(&self, job: &Job<'_>, ended: &Ended) -> Vec<Series> {
        intervals::series(*self, job, ended).into_iter().collect()
    }

    fn headline(&self) -> &'static str {
        self.mode.headline()
    }
}
