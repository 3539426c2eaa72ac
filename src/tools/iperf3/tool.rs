//! iperf3 as a tool.

use std::time::Duration;

use super::{command, parse};
use crate::plan::{self, Protocol};
use crate::tools::installed::is_older;
use crate::tools::{
    Client, Ended, Failure, Installed, Job, Metrics, Port, Program, Server, Tool, Transport, Unfit,
    Use, VersionQuery, name,
};

/// The oldest version that measures what is asked of it. 3.9 lacks `--snd-timeout` and `--idle-timeout`, and
/// of UDP its client reports only what was sent.
const OLDEST: &str = "3.12";

/// iperf3 with those options of a test that do not sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Iperf3 {
    pub(super) protocol: Protocol,
    /// Bytes.
    pub(super) window: Option<u64>,
    pub(super) congestion: Option<String>,
    pub(super) zerocopy: bool,
}

impl From<&plan::Iperf3> for Iperf3 {
    fn from(spec: &plan::Iperf3) -> Self {
        Self {
            protocol: spec.protocol,
            window: spec.window.map(u64::from),
            congestion: spec.congestion.clone(),
            zerocopy: spec.zerocopy,
        }
    }
}

impl Tool for Iperf3 {
    fn name(&self) -> &'static str {
        "iperf3"
    }

    fn programs(&self) -> Vec<Program<'_>> {
        vec![Program {
            name: "iperf3",
            package: "iperf3",
        }]
    }

    fn version_query(&self) -> Option<VersionQuery> {
        Some(VersionQuery {
            argv: ["iperf3", "--version"],
            // Up to 3.0 it calls itself `iperf version 3.0.7`.
            before: &["iperf version ", "iperf "],
        })
    }

    fn unfit(&self, installed: &Installed<'_>, _used: Use<'_>) -> Option<Unfit> {
        let version = installed
            .version
            .filter(|version| is_older(version, OLDEST))?;
        Some(Unfit {
            what: format!("iperf3 {version} is too old; {OLDEST} is required"),
            help: format!(
                "install iperf3 {OLDEST} or later: Debian 12 and Ubuntu 24.04 have it as a package"
            ),
        })
    }

    fn ports(&self, _slot: u16) -> Vec<Port> {
        // A UDP test's control connection is TCP on the same port.
        [Transport::Tcp, Transport::Udp]
            .into_iter()
            .map(|transport| Port {
                number: command::PORT,
                transport,
            })
            .collect()
    }

    fn server(&self, _job: &Job<'_>) -> Server {
        command::server()
    }

    fn client(&self, job: &Job<'_>) -> Client {
        command::client(self, job)
    }

    fn overhead(&self) -> Duration {
        Duration::ZERO
    }

    fn has_warmup(&self) -> bool {
        true
    }

    fn longest_wait(&self) -> Duration {
        match self.protocol {
            Protocol::Tcp => Duration::ZERO,
            Protocol::Udp => command::OPENING,
        }
    }

    fn read(&self, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
        let tool = self;
        parse::read(parse::Invocation { tool, job, ended })
    }

    fn headline(&self) -> &'static str {
        name::THROUGHPUT_BPS
    }
}
