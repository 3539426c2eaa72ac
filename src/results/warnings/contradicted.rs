//! A payload larger than what the network interfaces carried.
//!
//! Whatever a tool sends or receives crosses an interface of its network namespace, the loopback
//! interface included, with headers on top. A tool that reports more than that has measured
//! something else, or nothing. Where traffic may bypass the interfaces' counters (eBPF programs that
//! connect two sockets, shared memory, a peer redirect of a kernel before 6.8), it only speaks
//! against the figure.

use super::warning::Warning;
use crate::catalog::BOTH_WAYS;
use crate::results::environment::host_metrics::End;
use crate::tools::{Cause, Failure, Metrics, name};

/// By so much, in percent of what was carried, a payload may be above it: tools take the time for a
/// rate at either end.
pub const CONTRADICTED_PERCENT: f64 = 5.0;
/// The same for little traffic, in bytes.
const SLACK_BYTES: f64 = 64.0 * 1024.0;

/// The payload that a tool reports, held against what all interfaces of an end carried meanwhile:
/// the bytes of the busier direction. `None` when they agree, or either is unknown.
#[must_use]
pub fn contradiction(metrics: &Metrics, end: End, carried_bytes: Option<u64>) -> Option<Warning> {
    let carried_bytes = carried_bytes? as f64;
    // Over its own time: the product of both is what it counted.
    let payload_bytes = busier_bps(metrics)? / 8.0 * metrics.get(name::ELAPSED_S)?;
    let most = carried_bytes * (1.0 + CONTRADICTED_PERCENT / 100.0) + SLACK_BYTES;
    (payload_bytes > most).then_some(Warning::Contradicted {
        end,
        payload_bytes,
        carried_bytes,
    })
}

/// The rate of the payload in its busier direction.
fn busier_bps(metrics: &Metrics) -> Option<f64> {
    let of_direction = BOTH_WAYS.iter().filter_map(|part| metrics.get(part));
    let busier = of_direction.reduce(f64::max);
    busier.or_else(|| metrics.get(name::THROUGHPUT_BPS))
}

/// A contradiction as a failure, where no traffic can bypass the interfaces.
#[must_use]
pub fn contradicted(tool: &str, contradiction: &Warning) -> Failure {
    Failure::new(
        Cause::Contradicted,
        &format!("{tool} reports {}", contradiction.figures()),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn metrics(throughput_bps: f64, elapsed_s: f64) -> Metrics {
        let mut metrics = Metrics::default();
        metrics.set(name::THROUGHPUT_BPS, throughput_bps);
        metrics.set(name::ELAPSED_S, elapsed_s);
        metrics
    }

    #[test]
    fn a_payload_without_traffic_is_a_contradiction() {
        let found = contradiction(&metrics(8e9, 1.0), End::Server, Some(10_000)).unwrap();
        let failure = contradicted("iperf3", &found);
        assert_eq!(
            failure.to_string(),
            "contradicted: iperf3 reports 1000000000 bytes of payload, and all interfaces of the \
             server carried 10000"
        );
        // Of both directions each is held against the interfaces by itself.
        let mut both = metrics(8e9, 1.0);
        both.set(name::THROUGHPUT_FORWARD_BPS, 4e9);
        both.set(name::THROUGHPUT_REVERSE_BPS, 4e9);
        let carried = Some(500_000_000);
        assert_eq!(contradiction(&both, End::Client, carried), None);
        assert!(contradiction(&both, End::Client, Some(400_000_000)).is_some());
        // Headers and all else only add to what is carried; unknown counters say nothing.
        assert_eq!(
            contradiction(&metrics(8e9, 1.0), End::Client, Some(1 << 30)),
            None
        );
        assert_eq!(contradiction(&metrics(8e9, 1.0), End::Client, None), None);
        assert_eq!(
            contradiction(&Metrics::default(), End::Client, Some(0)),
            None
        );
    }

    proptest! {
        /// Payload that was carried, with any headers, is never contradicted.
        #[test]
        fn what_was_carried_is_no_contradiction(
            payload in 0_u64..1 << 50, headers in 0_u64..1 << 40, elapsed_s in 0.1..1e5_f64,
        ) {
            let metrics = metrics(payload as f64 * 8.0 / elapsed_s, elapsed_s);
            prop_assert_eq!(contradiction(&metrics, End::Client, Some(payload + headers)), None);
        }
    }
}
