//! What a test is called that does not say so itself.

use std::collections::HashSet;

use crate::plan::model::tools::tool::{Iperf3, Netperf, NetperfTest, Protocol, ToolSpec};

/// The name, or with a number behind it where that is taken.
pub fn free_name(taken: &mut HashSet<String>, name: &str) -> String {
    let numbered = (2_u64..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_default();
    taken.insert(free.clone());
    free
}

/// The name of a test that gives none.
pub fn default_name(tool: &ToolSpec) -> &str {
    match tool {
        ToolSpec::Iperf3(Iperf3 { protocol, .. }) => match protocol {
            Protocol::Tcp => "iperf3-tcp",
            Protocol::Udp => "iperf3-udp",
        },
        ToolSpec::Netperf(Netperf { test, .. }) => match test {
            NetperfTest::TcpStream => "netperf-tcp-stream",
            NetperfTest::TcpRr => "netperf-tcp-rr",
            NetperfTest::TcpCrr => "netperf-tcp-crr",
            NetperfTest::UdpStream => "netperf-udp-stream",
            NetperfTest::UdpRr => "netperf-udp-rr",
        },
        ToolSpec::Declared(used) => &used.tool.name,
    }
}

/// nptest's words.
pub fn default_label(tool: &ToolSpec) -> String {
    let label = match tool {
        ToolSpec::Iperf3(Iperf3 { protocol, .. }) => match protocol {
            Protocol::Tcp => "iperf TCP.",
            Protocol::Udp => "iperf UDP.",
        },
        ToolSpec::Netperf(Netperf { test, .. }) => match test {
            NetperfTest::TcpStream => "netperf.",
            NetperfTest::TcpRr => "netperf TCP_RR.",
            NetperfTest::TcpCrr => "netperf TCP_CRR.",
            NetperfTest::UdpStream => "netperf UDP_STREAM.",
            NetperfTest::UdpRr => "netperf UDP_RR.",
        },
        ToolSpec::Declared(used) => return format!("{}.", used.tool.name),
    };
    label.to_owned()
}
