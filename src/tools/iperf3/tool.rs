//! iperf3 as a tool.

use std::time::Duration;

use super::options::Iperf3;
use super::{command, intervals, parse};
use crate::catalog::{IPERF3, Program, Transport};
use crate::diag::Problem;
use crate::tools::failure::Failure;
use crate::tools::installed::{Installed, Use, VersionQuery, is_older};
use crate::tools::metrics::Metrics;
use crate::tools::output::process_end::Ended;
use crate::tools::series::Series;
use crate::tools::tool::{Client, Job, Port, Server, Tool};

/// The oldest version that measures what is asked of it. 3.9 lacks `--snd-timeout` and `--idle-timeout`, and
/// of UDP its client reports only what was sent.
const OLDEST: &str = "3.12";

impl Tool for Iperf3 {
    fn name(&self) -> &'static str {
        IPERF3.name
    }

    fn programs(&self) -> Vec<Program<'_>> {
        IPERF3.programs.to_vec()
    }

    fn package_note(&self) -> &'static str {
        IPERF3.package_note
    }

    fn version_query(&self) -> Option<VersionQuery> {
        Some(VersionQuery {
            argv: ["iperf3", "--version"],
            // Up to 3.0 it calls itself `iperf version 3.0.7`.
            before: &["iperf version ", "iperf "],
        })
    }

    fn unfit(&self, installed: &Installed<'_>, _used: Use<'_>) -> Option<Problem> {
        let version = installed
            .version
            .filter(|version| is_older(version, OLDEST))?;
        Some(Problem::without_place(format!("iperf3 {version} is too old; {OLDEST} is required")).help(format!(
                "install iperf3 {OLDEST} or later: Debian 12 and Ubuntu 24.04 have it as a package"
            )))
    }

    fn ports(&self, _slot: u16) -> Vec<Port> {
        // A UDP test's control connection is TCP on the same port.
        [Transport::Tcp, Transport::Udp]
            .into_iter()
            .map(|transport| Port {
                number: self.port,
                transport,
            })
            .collect()
    }

    fn server(&self, job: &Job<'_>) -> Server {
        command::server(self, job)
    }

    fn client(&self, job: &Job<'_>) -> Client {
        command::client(self, job)
    }

    fn flow_signs(&self) -> Vec<String> {
        command::FLOWS.map(str::to_owned).to_vec()
    }

    fn overhead(&self) -> Duration {
        self.mode.overhead
    }

    fn has_warmup(&self) -> bool {
        IPERF3.warms_up
    }

    fn longest_wait(&self) -> Duration {
        if self.is_udp() {
            command::OPENING
        } else {
            Duration::ZERO
        }
    }

    fn read(&self, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
        let tool = self;
        parse::read(parse::Invocation { tool, job, ended })
    }

    fn series(&self, job: &Job<'_>, ended: &Ended) -> Vec<Series> {
        intervals::series(self, job, ended)
    }

    fn headline(&self) -> &'static str {
        self.mode.headline()
    }
}
