//! The metrics that netplan knows.

use super::better::Better;
use super::unit::Unit;

/// The names of metrics in journals, files and JSON. A name carries its unit.
pub mod name {
    pub const THROUGHPUT_BPS: &str = "throughput_bps";
    pub const THROUGHPUT_FORWARD_BPS: &str = "throughput_bps.forward";
    pub const THROUGHPUT_REVERSE_BPS: &str = "throughput_bps.reverse";
    pub const THROUGHPUT_LOWEST_BPS: &str = "throughput_bps.lowest";
    pub const FOUND_RATE_BPS: &str = "found_rate_bps";
    pub const SENT_BPS: &str = "sent_bps";
    pub const RETRANSMITS: &str = "retransmits";
    pub const RTT_US: &str = "rtt_us";
    pub const PACKETS_PER_S: &str = "packets_per_s";
    pub const JITTER_US: &str = "jitter_us";
    pub const LOST_PERCENT: &str = "lost_percent";
    pub const LATENCY_MEAN_US: &str = "latency_us.mean";
    pub const LATENCY_P50_US: &str = "latency_us.p50";
    pub const LATENCY_P90_US: &str = "latency_us.p90";
    pub const LATENCY_P99_US: &str = "latency_us.p99";
    pub const LATENCY_P99_9_US: &str = "latency_us.p99.9";
    pub const LATENCY_P99_99_US: &str = "latency_us.p99.99";
    pub const LATENCY_MAX_US: &str = "latency_us.max";
    pub const TCP_LATENCY_P50_US: &str = "tcp_latency_us.p50";
    pub const TCP_LATENCY_P99_US: &str = "tcp_latency_us.p99";
    pub const TCP_LATENCY_MAX_US: &str = "tcp_latency_us.max";
    pub const CONNECT_LATENCY_P50_US: &str = "connect_latency_us.p50";
    pub const CONNECT_LATENCY_P99_US: &str = "connect_latency_us.p99";
    pub const CONNECT_LATENCY_MAX_US: &str = "connect_latency_us.max";
    pub const OUTAGE_LONGEST_US: &str = "outage_us.longest";
    pub const OUTAGE_TOTAL_US: &str = "outage_us.total";
    pub const OUTAGE_COUNT: &str = "outage.count";
    pub const UDP_OUTAGE_LONGEST_US: &str = "udp_outage_us.longest";
    pub const UDP_OUTAGE_TOTAL_US: &str = "udp_outage_us.total";
    pub const TCP_OUTAGE_LONGEST_US: &str = "tcp_outage_us.longest";
    pub const TCP_OUTAGE_TOTAL_US: &str = "tcp_outage_us.total";
    pub const CONNECT_OUTAGE_LONGEST_US: &str = "connect_outage_us.longest";
    pub const CONNECT_OUTAGE_TOTAL_US: &str = "connect_outage_us.total";
    pub const CONNECTIONS_BROKEN: &str = "connections.broken";
    pub const CONNECTIONS_SURVIVED: &str = "connections.survived";
    pub const CONNECTIONS_FAILED: &str = "connections.failed";
    pub const REORDERED: &str = "reordered";
    pub const DUPLICATES: &str = "duplicates";
    pub const STALL_LONGEST_US: &str = "stall_us.longest";
    pub const STALL_TOTAL_US: &str = "stall_us.total";
    pub const DELAY_CLIENT_US: &str = "delay_us.client";
    pub const DELAY_SERVER_US: &str = "delay_us.server";
    pub const MTU_FORWARD_BYTES: &str = "mtu_bytes.forward";
    pub const MTU_REVERSE_BYTES: &str = "mtu_bytes.reverse";
    pub const TRANSACTIONS_PER_S: &str = "transactions_per_s";
    pub const TRANSACTIONS_LOWEST_PER_S: &str = "transactions_per_s.lowest";
    pub const EFFECTIVE_MSS: &str = "effective_mss";
    pub const CPU_PERCENT_CLIENT: &str = "cpu_percent.client";
    pub const CPU_PERCENT_SERVER: &str = "cpu_percent.server";
    /// How long a built-in tool measured, in seconds by its own clock. It describes the sample, so
    /// no plan expects it and no table shows it.
    pub const ELAPSED_S: &str = "elapsed_s";
}

/// A metric that netplan knows: each fact about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownMetric {
    /// As journals and files write it.
    pub name: &'static str,
    /// As plans write it; `None` for a metric that no plan names.
    pub word: Option<&'static str>,
    pub unit: Unit,
    /// Which way it changes for the better.
    pub better: Better,
    /// Whether a good sample has 0 of it, which has no ratio to another figure.
    pub may_be_zero: bool,
    /// What it means, in a sentence.
    pub text: &'static str,
    /// Its column in the tables of tests that measure it beside their headline metric.
    pub column: Option<Column>,
    /// The caption of its own table where a test sweeps a size; `None` for no such table.
    pub sweep_caption: Option<&'static str>,
}

/// How a table shows a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The two lines of its heading.
    pub heading: [&'static str; 2],
    /// Figures have at most this many decimals.
    pub decimals: usize,
}

/// The metrics, in the order in which tables and messages show them.
pub const METRICS: [KnownMetric; 49] = [
    known("throughput", name::THROUGHPUT_BPS, Unit::BitsPerSecond)
        .text("Bits a second that arrived."),
    known("throughput.forward", name::THROUGHPUT_FORWARD_BPS, Unit::BitsPerSecond)
        .text("Bits a second that arrived at the path's `to` while both directions were measured.")
        .column(["forward", "Mbit/s"], 2)
        .sweep("forward"),
    known("throughput.reverse", name::THROUGHPUT_REVERSE_BPS, Unit::BitsPerSecond)
        .text("Bits a second that arrived at the path's `from` while both directions were measured.")
        .column(["reverse", "Mbit/s"], 2)
        .sweep("reverse"),
    known("throughput.lowest", name::THROUGHPUT_LOWEST_BPS, Unit::BitsPerSecond)
        .text("The lowest throughput of an interval within the sample, where the test has `intervals`; of `direction: both` that of the slower direction.")
        .column(["lowest", "Mbit/s"], 2)
        .sweep("lowest interval"),
    known("sent", name::SENT_BPS, Unit::BitsPerSecond)
        .neither_better()
        .text("Bits a second that were sent."),
    KnownMetric {
        word: None,
        ..known("found_rate", name::FOUND_RATE_BPS, Unit::BitsPerSecond)
    }
    .text("The rate that `find` finds: the highest sending rate of each stream that keeps its condition.")
    .column(["found rate", "Mbit/s"], 2)
    .sweep("found rate of each stream"),
    known("packets_per_s", name::PACKETS_PER_S, Unit::PerSecond)
        .text("Packets a second that arrived: the datagrams of UDP; of TCP what the receiver's interface counted, where no offload joins segments.")
        .column(["packets", "a second"], 0)
        .sweep("packets"),
    known("lost_percent", name::LOST_PERCENT, Unit::Percent)
        .may_be_zero()
        .text("Datagrams that did not arrive, in percent of those sent.")
        .column(["lost", "%"], 2)
        .sweep("lost"),
    known("jitter", name::JITTER_US, Unit::Microseconds)
        .text("Inter-arrival jitter of UDP (RFC 3550).")
        .column(["jitter", "µs"], 1)
        .sweep("jitter"),
    known("retransmits", name::RETRANSMITS, Unit::Count)
        .may_be_zero()
        .text("TCP segments sent again.")
        .column(["retrans", ""], 0),
    known("rtt", name::RTT_US, Unit::Microseconds)
        .text("TCP's smoothed round-trip time, the mean over the streams.")
        .column(["RTT", "µs"], 1),
    known("latency.mean", name::LATENCY_MEAN_US, Unit::Microseconds)
        .text("Mean time of a request and its response.")
        .column(["mean", "µs"], 1),
    known("latency.p50", name::LATENCY_P50_US, Unit::Microseconds)
        .text("Half of the requests took no longer.")
        .column(["p50", "µs"], 1)
        .sweep("latency p50"),
    known("latency.p90", name::LATENCY_P90_US, Unit::Microseconds)
        .text("90 % of the requests took no longer.")
        .column(["p90", "µs"], 1),
    known("latency.p99", name::LATENCY_P99_US, Unit::Microseconds)
        .text("99 % of the requests took no longer.")
        .column(["p99", "µs"], 1)
        .sweep("latency p99"),
    known("latency.p99.9", name::LATENCY_P99_9_US, Unit::Microseconds)
        .text("99.9 % of the requests took no longer."),
    known("latency.p99.99", name::LATENCY_P99_99_US, Unit::Microseconds)
        .text("99.99 % of the requests took no longer."),
    known("latency.max", name::LATENCY_MAX_US, Unit::Microseconds)
        .text("The longest time of a request and its response.")
        .column(["max", "µs"], 0),
    known("tcp_latency.p50", name::TCP_LATENCY_P50_US, Unit::Microseconds)
        .text("Half of the round trips over the TCP connection took no longer."),
    known("tcp_latency.p99", name::TCP_LATENCY_P99_US, Unit::Microseconds)
        .text("99 % of the round trips over the TCP connection took no longer.")
        .column(["TCP p99", "µs"], 1),
    known("tcp_latency.max", name::TCP_LATENCY_MAX_US, Unit::Microseconds)
        .text("The longest round trip over the TCP connection."),
    known("connect_latency.p50", name::CONNECT_LATENCY_P50_US, Unit::Microseconds)
        .text("Half of the new connections were made in no longer."),
    known("connect_latency.p99", name::CONNECT_LATENCY_P99_US, Unit::Microseconds)
        .text("99 % of the new connections were made in no longer.")
        .column(["connect p99", "µs"], 1),
    known("connect_latency.max", name::CONNECT_LATENCY_MAX_US, Unit::Microseconds)
        .text("The longest time that a new connection took."),
    known("outage.longest", name::OUTAGE_LONGEST_US, Unit::Microseconds)
        .may_be_zero()
        .text("The longest time without an answer, of any kind of traffic.")
        .column(["longest gap", "µs"], 0),
    known("outage.total", name::OUTAGE_TOTAL_US, Unit::Microseconds)
        .may_be_zero()
        .text("The time without an answer, of the kind of traffic with the most.")
        .column(["all gaps", "µs"], 0),
    known("outage.count", name::OUTAGE_COUNT, Unit::Count)
        .may_be_zero()
        .text("Gaps, of the kind of traffic with the most."),
    known("udp_outage.longest", name::UDP_OUTAGE_LONGEST_US, Unit::Microseconds)
        .may_be_zero()
        .text("The longest time without an answer over UDP."),
    known("udp_outage.total", name::UDP_OUTAGE_TOTAL_US, Unit::Microseconds)
        .may_be_zero()
        .text("The time without an answer over UDP."),
    known("tcp_outage.longest", name::TCP_OUTAGE_LONGEST_US, Unit::Microseconds)
        .may_be_zero()
        .text("The longest time without an answer over the TCP connection."),
    known("tcp_outage.total", name::TCP_OUTAGE_TOTAL_US, Unit::Microseconds)
        .may_be_zero()
        .text("The time without an answer over the TCP connection."),
    known("connect_outage.longest", name::CONNECT_OUTAGE_LONGEST_US, Unit::Microseconds)
        .may_be_zero()
        .text("The longest time in which no new connection was made."),
    known("connect_outage.total", name::CONNECT_OUTAGE_TOTAL_US, Unit::Microseconds)
        .may_be_zero()
        .text("The time in which no new connection was made."),
    known("connections.broken", name::CONNECTIONS_BROKEN, Unit::Count)
        .may_be_zero()
        .text("How often the TCP connection broke.")
        .column(["broken", ""], 0),
    known("connections.survived", name::CONNECTIONS_SURVIVED, Unit::Count)
        .neither_better()
        .text("Gaps after which the same TCP connection went on."),
    known("connections.failed", name::CONNECTIONS_FAILED, Unit::Count)
        .may_be_zero()
        .text("New connections that were refused, or not made in time."),
    known("reordered", name::REORDERED, Unit::Count)
        .may_be_zero()
        .text("Answers that came after one to a later packet."),
    known("duplicates", name::DUPLICATES, Unit::Count)
        .may_be_zero()
        .text("Answers that had come before."),
    known("stall.longest", name::STALL_LONGEST_US, Unit::Microseconds)
        .neither_better()
        .text("The longest time in which the probe's client did not run."),
    known("stall.total", name::STALL_TOTAL_US, Unit::Microseconds)
        .neither_better()
        .text("The time in which the probe's client did not run."),
    known("delay.client", name::DELAY_CLIENT_US, Unit::Microseconds)
        .neither_better()
        .text("How late the probe's client sent: 99 % of the packets no later."),
    known("delay.server", name::DELAY_SERVER_US, Unit::Microseconds)
        .neither_better()
        .text("How long packets waited for the probe's server: 99 % no longer. A part of their latency."),
    known("mtu.forward", name::MTU_FORWARD_BYTES, Unit::Bytes)
        .text("The largest IP packet that arrives unfragmented at the path's `to`.")
        .column(["MTU forward", "bytes"], 0),
    known("mtu.reverse", name::MTU_REVERSE_BYTES, Unit::Bytes)
        .text("The largest IP packet that arrives unfragmented at the path's `from`.")
        .column(["MTU reverse", "bytes"], 0),
    known("transactions_per_s", name::TRANSACTIONS_PER_S, Unit::PerSecond)
        .text("Requests that were answered, or connections that were made, a second."),
    known("transactions_per_s.lowest", name::TRANSACTIONS_LOWEST_PER_S, Unit::PerSecond)
        .text("The lowest rate of an interval within the sample, where the test has `intervals`.")
        .column(["lowest", "a second"], 0)
        .sweep("lowest interval"),
    known("effective_mss", name::EFFECTIVE_MSS, Unit::Bytes)
        .neither_better()
        .text("Payload bytes of a full TCP segment, by the kernel or the tool.")
        .column(["effective", "MSS"], 0),
    known("cpu.client", name::CPU_PERCENT_CLIENT, Unit::Percent)
        .neither_better()
        .text("CPU at the client, as the tool says it.")
        .column(["client", "CPU %"], 0),
    known("cpu.server", name::CPU_PERCENT_SERVER, Unit::Percent)
        .neither_better()
        .text("CPU at the server, as the tool says it.")
        .column(["server", "CPU %"], 0),
];

/// What a stream test measures. The first is its headline.
pub(super) const RATES: &[&str] = &[name::THROUGHPUT_BPS, name::SENT_BPS, name::PACKETS_PER_S];

/// The parts of a stream test's headline where it measures both directions at once; no part of other tests.
pub const BOTH_WAYS: &[&str] = &[name::THROUGHPUT_FORWARD_BPS, name::THROUGHPUT_REVERSE_BPS];

/// What a request/response test measures. The first is its headline.
pub(super) const TRANSACTIONS: &[&str] = &[
    name::TRANSACTIONS_PER_S,
    name::LATENCY_MEAN_US,
    name::LATENCY_P50_US,
    name::LATENCY_P90_US,
    name::LATENCY_P99_US,
    name::LATENCY_MAX_US,
];

/// What tools say of the CPU at both ends.
pub(super) const CPU: &[&str] = &[name::CPU_PERCENT_CLIENT, name::CPU_PERCENT_SERVER];

const fn known(word: &'static str, name: &'static str, unit: Unit) -> KnownMetric {
    KnownMetric {
        name,
        word: Some(word),
        unit,
        better: unit.better(),
        may_be_zero: false,
        text: "",
        column: None,
        sweep_caption: None,
    }
}

impl KnownMetric {
    const fn neither_better(self) -> Self {
        Self {
            better: Better::Neither,
            ..self
        }
    }

    const fn may_be_zero(self) -> Self {
        Self {
            may_be_zero: true,
            ..self
        }
    }

    const fn text(self, text: &'static str) -> Self {
        Self { text, ..self }
    }

    const fn column(self, heading: [&'static str; 2], decimals: usize) -> Self {
        Self {
            column: Some(Column { heading, decimals }),
            ..self
        }
    }

    const fn sweep(self, caption: &'static str) -> Self {
        Self {
            sweep_caption: Some(caption),
            ..self
        }
    }

    /// The known metric that journals write so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static KnownMetric> {
        METRICS.iter().find(|metric| metric.name == name)
    }
}

/// The metric of the lowest interval within a sample of this metric, both by the journal's names; `None` for a metric
/// that has none.
#[must_use]
pub fn lowest_interval(metric: &str) -> Option<&'static str> {
    match metric {
        name::THROUGHPUT_BPS | name::THROUGHPUT_FORWARD_BPS | name::THROUGHPUT_REVERSE_BPS => {
            Some(name::THROUGHPUT_LOWEST_BPS)
        }
        name::TRANSACTIONS_PER_S => Some(name::TRANSACTIONS_LOWEST_PER_S),
        _ => None,
    }
}

/// Which way the metric of this name in journals changes for the better: what the table of known metrics
/// says, else what the unit in its name says; neither for what describes a sample.
#[must_use]
pub fn better(name: &str) -> Better {
    match KnownMetric::from_name(name) {
        Some(known) => known.better,
        None if reserved_metric(name).is_some() => Better::Neither,
        None => {
            let (.., unit) = Unit::split_name(name);
            unit.better()
        }
    }
}

/// What netplan itself writes into journals by this name, which no declared tool may yield; `None`
/// for a name that is free.
#[must_use]
pub fn reserved_metric(name: &str) -> Option<&'static str> {
    /// What workers observe around samples, at each end.
    const OBSERVED: [&str; 9] = [
        "observed_s",
        "node_cpu_busy_percent",
        "node_cpu_steal_percent",
        "cgroup_throttled_periods",
        "cgroup_throttled_us",
        "interface_sent_bytes",
        "interface_received_bytes",
        "interface_sent_packets",
        "interface_received_packets",
    ];
    match name.split_once('.') {
        Some((head, "client" | "server")) if OBSERVED.contains(&head) => {
            Some("what workers observe around samples")
        }
        _ if name == self::name::FOUND_RATE_BPS => Some("the rate that `find` finds"),
        _ if name == self::name::ELAPSED_S => Some("how long a built-in tool measured"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_says_which_way_is_better() {
        for (name, expected) in [
            (name::THROUGHPUT_BPS, Better::More),
            (name::TRANSACTIONS_PER_S, Better::More),
            (name::PACKETS_PER_S, Better::More),
            (name::FOUND_RATE_BPS, Better::More),
            (name::LATENCY_P99_US, Better::Less),
            (name::RETRANSMITS, Better::Less),
            (name::LOST_PERCENT, Better::Less),
            (name::SENT_BPS, Better::Neither),
            (name::EFFECTIVE_MSS, Better::Neither),
            (name::CPU_PERCENT_CLIENT, Better::Neither),
            (name::ELAPSED_S, Better::Neither),
            ("node_cpu_busy_percent.server", Better::Neither),
            ("stall_us.p99", Better::Less),
            ("requests_per_s", Better::More),
            ("drops", Better::Less),
        ] {
            assert_eq!(better(name), expected, "{name}");
        }
    }
}
