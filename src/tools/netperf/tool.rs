//! netperf as a tool.

use std::time::Duration;

use super::{command, parse, protocols};
use crate::plan::{self, NetperfTest};
use crate::tools::{
    Client, Ended, Failure, Installed, Job, Metrics, Port, Program, Server, Tool, Transport, Unfit,
    Use, VersionQuery, name,
};

/// netperf with one of its tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Netperf {
    pub(super) test: NetperfTest,
}

impl From<&plan::Netperf> for Netperf {
    fn from(spec: &plan::Netperf) -> Self {
        Self { test: spec.test }
    }
}

impl Netperf {
    /// Whether the test counts transactions, not bytes.
    pub(super) fn transacts(self) -> bool {
        use NetperfTest::{TcpCrr, TcpRr, UdpRr};
        matches!(self.test, TcpRr | TcpCrr | UdpRr)
    }

    pub(super) fn is_udp(self) -> bool {
        matches!(self.test, NetperfTest::UdpStream | NetperfTest::UdpRr)
    }
}

impl Tool for Netperf {
    fn name(&self) -> &'static str {
        "netperf"
    }

    fn programs(&self) -> Vec<Program<'_>> {
        const PACKAGE: &str = "netperf";
        vec![
            Program {
                name: "netperf",
                package: PACKAGE,
            },
            Program {
                name: "netserver",
                package: PACKAGE,
            },
        ]
    }

    fn version_query(&self) -> Option<VersionQuery> {
        Some(VersionQuery {
            argv: ["netperf", "-V"],
            before: &["Netperf version "],
        })
    }

    fn unfit(&self, installed: &Installed<'_>, used: Use<'_>) -> Option<Unfit> {
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
        self.test.overhead()
    }

    fn read(&self, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
        parse::read(*self, job, ended)
    }

    fn headline(&self) -> &'static str {
        if self.transacts() {
            name::TRANSACTIONS_PER_S
        } else {
            name::THROUGHPUT_BPS
        }
    }
}
