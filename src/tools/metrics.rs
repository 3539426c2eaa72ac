//! Measured figures, by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The names of the metrics that the tools here yield. A name carries its unit.
pub mod name {
    /// Bits per second that arrived.
    pub const THROUGHPUT_BPS: &str = "throughput_bps";
    /// Of a cell whose test has a `find`: the highest sending rate of each stream that keeps its
    /// condition, in bits per second.
    pub const FOUND_RATE_BPS: &str = "found_rate_bps";
    /// Bits per second that were sent.
    pub const SENT_BPS: &str = "sent_bps";
    /// TCP segments sent again.
    pub const RETRANSMITS: &str = "retransmits";
    /// Smoothed round-trip time, mean over the streams, in microseconds.
    pub const RTT_US: &str = "rtt_us";
    /// Inter-arrival jitter (RFC 3550) in microseconds.
    pub const JITTER_US: &str = "jitter_us";
    /// Datagrams that did not arrive, in percent of those sent.
    pub const LOST_PERCENT: &str = "lost_percent";
    pub const LATENCY_MEAN_US: &str = "latency_us.mean";
    pub const LATENCY_P50_US: &str = "latency_us.p50";
    pub const LATENCY_P90_US: &str = "latency_us.p90";
    pub const LATENCY_P99_US: &str = "latency_us.p99";
    pub const LATENCY_MAX_US: &str = "latency_us.max";
    pub const TRANSACTIONS_PER_S: &str = "transactions_per_s";
    /// CPU at the client and at the server, as the tool says it: with iperf3 the time of its own
    /// process, 100 being one core; with netperf the whole machine's, 100 being all cores.
    pub const CPU_PERCENT_CLIENT: &str = "cpu_percent.client";
    pub const CPU_PERCENT_SERVER: &str = "cpu_percent.server";
    /// How long the tool measured, by its own clock.
    pub const ELAPSED_S: &str = "elapsed_s";
    /// Payload bytes of a full TCP segment, as the kernel or the tool found it.
    pub const EFFECTIVE_MSS: &str = "effective_mss";
}

/// Figures by metric name; every value is finite.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Sets a figure; a value that is not finite is left out, since it is none.
    pub fn set(&mut self, name: &str, value: f64) {
        if value.is_finite() {
            self.0.insert(name.to_owned(), value);
        }
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(k, v)| (k.as_str(), *v))
    }
}

#[cfg(test)]
mod tests {
    use super::name;
    use crate::plan::Metric;

    #[test]
    fn plans_and_tools_mean_the_same_names() {
        let names: Vec<&str> = Metric::KNOWN.iter().map(Metric::name).collect();
        assert_eq!(
            names,
            [
                name::THROUGHPUT_BPS,
                name::SENT_BPS,
                name::RETRANSMITS,
                name::RTT_US,
                name::JITTER_US,
                name::LOST_PERCENT,
                name::LATENCY_MEAN_US,
                name::LATENCY_P50_US,
                name::LATENCY_P90_US,
                name::LATENCY_P99_US,
                name::LATENCY_MAX_US,
                name::TRANSACTIONS_PER_S,
                name::CPU_PERCENT_CLIENT,
                name::CPU_PERCENT_SERVER,
                name::EFFECTIVE_MSS,
            ]
        );
    }
}
