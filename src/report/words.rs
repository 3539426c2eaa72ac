//! What reports call things, and how they write figures and lines.

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

/// The metric that stands for a cell of this tool.
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

/// `1 cell`, `3 cells`.
#[must_use]
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `w1, w2 and w3`.
pub fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A span of time for people: `850 ms`, `12.3 s`, `6 min 2 s`, `1 h 4 min`.
#[must_use]
pub fn elapsed(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = std::time::Duration::from_secs_f64(seconds.min(1e15).round()).as_secs();
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// Stands for a space at which [`wrap`] does not break.
pub const TIE: char = '\u{a0}';

/// Breaks text at spaces into lines of at most `width` characters; a longer word stays whole. Each
/// line but the first begins with `indent`.
pub fn wrap(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut empty = true;
    let words = text.split(|c: char| c.is_whitespace() && c != TIE);
    for word in words.filter(|word| !word.is_empty()) {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word.replace(TIE, " "));
        empty = false;
    }
    if !empty {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_read_well() {
        let said = [0.0, 0.85, 0.9996, 12.34, 59.96, 362.0, 3840.0].map(elapsed);
        assert_eq!(
            said,
            [
                "0 ms",
                "850 ms",
                "1.0 s",
                "12.3 s",
                "1 min 0 s",
                "6 min 2 s",
                "1 h 4 min"
            ]
        );
    }

    proptest! {
        #[test]
        fn wrapping_keeps_every_word_and_the_width(
            words in prop::collection::vec("[a-z]{1,10}", 0..30),
            width in 20usize..100,
        ) {
            let lines = wrap(&words.join(" "), width, "  ");
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let back: Vec<String> =
                lines.iter().flat_map(|l| l.split_whitespace()).map(str::to_owned).collect();
            prop_assert_eq!(back, words);
        }
    }
}
