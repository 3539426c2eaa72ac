//! Figures that cannot be: counters that overflowed, more CPU than there is, times longer than the
//! sample. They are left out, so that no mean and no comparison takes them for measured.

use super::circumstances::Circumstances;
use super::warning::Warning;
use crate::catalog::{KnownMetric, Unit};
use crate::tools::{Cause, Failure, Metrics, name};

/// More than any network interface or memory carries, in bits per second.
const MOST_BPS: f64 = 1e14;
/// More than any processor starts and any interface carries, per second.
const MOST_PER_S: f64 = 1e9;
/// Half of what a counter of 32 bits holds: a difference beyond is one below 0 that wrapped.
const WRAPPED: f64 = 2_147_483_648.0;
/// The largest MSS that TCP can announce, in bytes (RFC 9293: 16 bits).
const MOST_MSS: f64 = 65_535.0;
/// The CPUs that Linux can have at most (`NR_CPUS`), where the number is unknown.
const MOST_CORES: f64 = 8_192.0;
/// A process's CPU time over its wall time may be off by so much: each has its own clock.
const CPU_SLACK: f64 = 1.1;
/// The largest datagram of UDP over IPv6, with its header, in bytes.
const MOST_PACKET: f64 = 65_575.0;

/// Removes the figures that cannot be, those that the tool's reader found included.
///
/// # Errors
/// When the headline is one of them: then nothing was measured.
pub fn remove_impossible(
    headline: &str,
    metrics: &mut Metrics,
    about: &Circumstances,
) -> Result<Vec<Warning>, Failure> {
    let rejected: Vec<(&str, f64, String)> = metrics
        .iter()
        .filter_map(|(metric, value)| {
            let (name, why) = limit(metric, value, about)?;
            Some((name, value, why))
        })
        .collect();
    for (metric, value, why) in rejected {
        metrics.reject(metric, &value, &why);
    }
    let rejected = metrics.take_rejected();
    if let Some(found) = rejected.iter().find(|found| found.metric == headline) {
        let words = format!("`{headline}` is {}: {}", found.value, found.why);
        return Err(Failure::new(Cause::ImpossibleFigure, &words));
    }
    let warnings = rejected.into_iter().map(|found| Warning::ImpossibleFigure {
        metric: found.metric,
        value: found.value,
        why: found.why,
    });
    Ok(warnings.collect())
}

/// The reason why a metric cannot have this value, with the metric's name.
fn limit(metric: &str, value: f64, about: &Circumstances) -> Option<(&'static str, String)> {
    let most = |name, most: f64, what: &str| (value > most).then(|| (name, what.to_owned()));
    let longest_us = 1e6 * about.wall_s.max(about.asked_s);
    let cpu = |name, cores: u32| {
        let cores = match cores {
            0 => MOST_CORES,
            // Of a container's quota, such as 1.5 CPUs, a worker counts the whole CPUs.
            cores => f64::from(cores) + 1.0,
        };
        most(
            name,
            100.0 * cores * CPU_SLACK,
            "the node's CPUs have less time",
        )
    };
    let known = KnownMetric::from_name(metric).filter(|known| known.word.is_some())?;
    match (known.name, known.unit) {
        (name @ name::PACKETS_PER_S, _) => most(name, MOST_PER_S, "no interface is that fast"),
        (name @ name::LOST_PERCENT, _) => most(name, 100.0, "more than all were lost"),
        (name @ name::EFFECTIVE_MSS, _) => most(name, MOST_MSS, "TCP cannot announce it"),
        (name @ name::CPU_PERCENT_CLIENT, _) => cpu(name, about.client_cores),
        (name @ name::CPU_PERCENT_SERVER, _) => cpu(name, about.server_cores),
        (name, Unit::BitsPerSecond) => most(name, MOST_BPS, "no network is that fast"),
        (name, Unit::PerSecond) => most(name, MOST_PER_S, "no processor is that fast"),
        (name, Unit::Count) => most(name, WRAPPED - 1.0, "a counter of 32 bits has wrapped"),
        (name, Unit::Bytes) => most(name, MOST_PACKET, "no IP packet is that large"),
        (name, Unit::Microseconds) => {
            let longer = most(name, longest_us, "it is longer than the sample");
            longer.filter(|_| longest_us > 0.0)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::Metric;

    fn about() -> Circumstances {
        Circumstances {
            asked_s: 1.0,
            wall_s: 1.1,
            client_cores: 2,
            server_cores: 4,
            ..Circumstances::default()
        }
    }

    fn rejected(metric: &str, value: f64) -> bool {
        let mut metrics = Metrics::default();
        metrics.set(metric, value);
        let warnings = remove_impossible("headline", &mut metrics, &about()).unwrap();
        assert_eq!(warnings.is_empty(), metrics.get(metric).is_some());
        !warnings.is_empty()
    }

    #[test]
    fn each_metric_has_its_limit() {
        for (metric, possible, impossible) in [
            (name::THROUGHPUT_BPS, 1e13, 1.476e20),
            (name::THROUGHPUT_FORWARD_BPS, 1e13, 1.476e20),
            (name::THROUGHPUT_REVERSE_BPS, 1e13, 1.476e20),
            (name::SENT_BPS, 1e13, 1.476e20),
            (name::TRANSACTIONS_PER_S, 1e7, 1e10),
            (name::PACKETS_PER_S, 1e8, 1e10),
            (name::RETRANSMITS, 5e6, 4_294_967_294.0),
            (name::LOST_PERCENT, 100.0, 106.0),
            (name::EFFECTIVE_MSS, 65_483.0, 65_536.0),
            (name::MTU_FORWARD_BYTES, 65_575.0, 65_576.0),
            (name::CPU_PERCENT_CLIENT, 299.0, 340.0),
            (name::CPU_PERCENT_SERVER, 499.0, 184_467_440_737.09),
            (name::JITTER_US, 1.0e6, 1.01e14),
            (name::RTT_US, 2e5, 2e6),
            (name::LATENCY_MEAN_US, 43.0, 1e7),
            (name::LATENCY_P50_US, 43.0, 1e7),
            (name::LATENCY_P90_US, 43.0, 1e7),
            (name::LATENCY_P99_US, 43.0, 1e7),
            (name::LATENCY_MAX_US, 1.05e6, 1e7),
        ] {
            assert!(!rejected(metric, possible), "{metric} {possible}");
            assert!(rejected(metric, impossible), "{metric} {impossible}");
        }
    }

    #[test]
    fn every_metric_that_netplan_knows_is_bounded() {
        for metric in Metric::all_known() {
            assert!(rejected(metric.name(), f64::MAX), "{}", metric.name());
        }
        assert!(!rejected("dropped", f64::MAX));
    }

    #[test]
    fn an_impossible_headline_is_a_failure() {
        let mut metrics = Metrics::default();
        metrics.set(name::THROUGHPUT_BPS, 1.5e20);
        metrics.set(name::RETRANSMITS, 3.0);
        let failure = remove_impossible(name::THROUGHPUT_BPS, &mut metrics, &about()).unwrap_err();
        assert_eq!(failure.cause, Cause::ImpossibleFigure);
        assert_eq!(
            failure.words,
            "`throughput_bps` is 150000000000000000000: no network is that fast"
        );
    }

    #[test]
    fn what_a_tools_reader_rejects_is_told() {
        let mut metrics = Metrics::default();
        metrics.reject(name::LATENCY_MEAN_US, &-41.93, "it is below 0");
        let warnings = remove_impossible("headline", &mut metrics, &about()).unwrap();
        assert_eq!(
            warnings,
            [Warning::ImpossibleFigure {
                metric: name::LATENCY_MEAN_US.to_owned(),
                value: "-41.93".to_owned(),
                why: "it is below 0".to_owned(),
            }]
        );
        assert_eq!(
            warnings[0].figures(),
            "`latency_us.mean` is -41.93: it is below 0"
        );
    }

    proptest! {
        /// What is left is possible, and looking again finds nothing.
        #[test]
        fn nothing_impossible_is_left(
            figures in prop::collection::vec((0_usize..15, any::<f64>()), 0..20), wall_s in 0.0..1e3_f64,
        ) {
            let known: Vec<Metric> = Metric::all_known().collect();
            let mut metrics = Metrics::default();
            for (metric, value) in figures {
                metrics.set(known[metric % known.len()].name(), value.abs());
            }
            let about = Circumstances { wall_s, ..about() };
            let before = metrics.iter().count();
            if let Ok(warnings) = remove_impossible("headline", &mut metrics, &about) {
                prop_assert_eq!(before, metrics.iter().count() + warnings.len());
                prop_assert_eq!(remove_impossible("headline", &mut metrics, &about), Ok(vec![]));
            }
        }
    }
}
