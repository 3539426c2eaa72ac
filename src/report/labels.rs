//! Names of tools and metrics, and descriptions of tests, for people.

use crate::plan::{Iperf3, Netperf, NetperfTest, Protocol, ToolSpec, Via};
use crate::schedule::Param;
use crate::tools;

/// The tool's name.
pub fn tool_name(tool: &ToolSpec) -> &str {
    match tool {
        ToolSpec::Iperf3(_) => "iperf3",
        ToolSpec::Netperf(_) => "netperf",
        ToolSpec::Declared(used) => &used.tool.name,
    }
}

/// The metric that represents a cell of this tool.
pub fn headline(tool: &ToolSpec) -> String {
    tools::of(tool).headline().to_owned()
}

/// Whether a metric is in bits a second.
pub fn is_rate(metric: &str) -> bool {
    unit_of(metric) == "bit/s"
}

/// The unit that a metric's name carries, for people.
pub fn unit_of(metric: &str) -> &'static str {
    let head = metric.split('.').next().unwrap_or_default();
    let units = [
        ("_bps", "bit/s"),
        ("_us", "µs"),
        ("_percent", "%"),
        ("_bytes", "bytes"),
        ("_per_s", "a second"),
    ];
    let unit = units.iter().find(|(suffix, _)| head.ends_with(suffix));
    unit.map_or("", |(_, unit)| unit)
}

/// A metric's name without its unit: `latency p99` of `latency_us.p99`.
pub fn short(metric: &str) -> String {
    let (head, rest) = metric.split_once('.').unwrap_or((metric, ""));
    let bare = ["_bps", "_us", "_percent", "_bytes", "_per_s"]
        .iter()
        .find_map(|suffix| head.strip_suffix(suffix))
        .unwrap_or(head);
    format!("{bare} {rest}").trim_end().replace('_', " ")
}

/// What a test does: `iperf3 TCP, 8 streams`.
pub fn describe(tool: &ToolSpec) -> String {
    use crate::plan::sweep::Sweep;
    let mut words = Vec::new();
    match tool {
        ToolSpec::Iperf3(Iperf3 {
            protocol,
            streams,
            datagram,
            rate,
            ..
        }) => {
            words.push(match protocol {
                Protocol::Tcp => "iperf3 TCP".to_owned(),
                Protocol::Udp => "iperf3 UDP".to_owned(),
            });
            if let Sweep::One(streams @ 2..) = streams {
                words.push(format!("{streams} streams"));
            }
            if let Some(Sweep::One(bytes)) = datagram {
                words.push(format!("{bytes}-byte datagrams"));
            }
            match (rate, protocol) {
                (Some(Sweep::One(rate)), _) => words.push(format!("{rate} a stream")),
                // It explains the loss.
                (None, Protocol::Udp) => words.push("as fast as it can".to_owned()),
                _ => {}
            }
        }
        ToolSpec::Netperf(Netperf { test, datagram, .. }) => {
            words.push(format!(
                "netperf {}",
                match test {
                    NetperfTest::TcpStream => "TCP_STREAM",
                    NetperfTest::TcpRr => "TCP_RR",
                    NetperfTest::TcpCrr => "TCP_CRR",
                    NetperfTest::UdpStream => "UDP_STREAM",
                    NetperfTest::UdpRr => "UDP_RR",
                }
            ));
            if let Some(Sweep::One(bytes)) = datagram {
                words.push(format!("{bytes}-byte datagrams"));
            }
        }
        ToolSpec::Declared(used) => {
            words.push(used.tool.name.clone());
            let set = used
                .values
                .iter()
                .filter_map(|(name, values)| match values {
                    Sweep::One(value) => {
                        Some(format!("{name} {}", Param::named(name).in_words(*value)))
                    }
                    _ => None,
                });
            words.extend(set);
        }
    }
    words.join(", ")
}

/// Of what the tool's CPU figures are a share: iperf3 asks for the time of its own process, netperf
/// for that of all processors.
pub fn cpu_of(tool: &ToolSpec) -> &'static str {
    match tool {
        ToolSpec::Iperf3(_) => "CPU of iperf3 alone, in % of a core",
        ToolSpec::Netperf(_) => "CPU of the whole node",
        ToolSpec::Declared(_) => "CPU as the tool says it",
    }
}

/// By which address, as the plan writes it.
pub fn via(via: Via) -> &'static str {
    match via {
        Via::PodIp => "pod_ip",
        Via::ClusterIp => "cluster_ip",
        Via::Host => "host",
    }
}
