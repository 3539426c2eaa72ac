//! Which metrics of a test are compared, and how.

use std::collections::BTreeMap;

use super::CellReport;
use crate::catalog::{Better, KnownMetric, Metric, Unit, better, name};
use crate::report::cpu_per_gbit;
use crate::statistics::judge::Scale;

/// TCP segments sent again per gigabyte received. Of a cell without any it counts one.
pub const RETRANSMITS_PER_GB: &str = "retransmits_per_gb";
/// What the tool says of the client's CPU, per Gbit/s received.
pub const CPU_PER_GBIT_CLIENT: &str = "cpu_percent_per_gbps.client";
/// The same of the server's CPU.
pub const CPU_PER_GBIT_SERVER: &str = "cpu_percent_per_gbps.server";

/// A metric of the tool's, and the derived metric for each Gbit/s.
const PER_GBIT: [(&str, &str); 2] = [
    (name::CPU_PERCENT_CLIENT, CPU_PER_GBIT_CLIENT),
    (name::CPU_PERCENT_SERVER, CPU_PER_GBIT_SERVER),
];

/// Changes of throughput and other rates by at most this share are alike.
const MARGIN_OF_RATES: f64 = 0.03;
/// The same of all else.
const MARGIN: f64 = 0.05;
/// The same of loss: a tenth of a percentage point.
const MARGIN_OF_POINTS: f64 = 0.001;

/// The same of times without an answer, in microseconds: the probe reports no shorter gap.
const LEAST_OUTAGE_US: f64 = 10_000.0;
/// The same of events: one in two runs.
const LEAST_COUNT: f64 = 0.5;

/// What is often 0 is compared by differences, of which those of loss are percentage points; all else by ratios.
#[must_use]
pub fn scale(metric: &str) -> Scale {
    match KnownMetric::from_name(metric) {
        Some(known) if known.may_be_zero && known.unit == Unit::Percent => Scale::Points,
        Some(known) if known.may_be_zero => Scale::Difference,
        _ => Scale::Log,
    }
}

/// Which way it changes for the better.
#[must_use]
pub fn better_of(metric: &str) -> Better {
    match metric {
        RETRANSMITS_PER_GB | CPU_PER_GBIT_CLIENT | CPU_PER_GBIT_SERVER => Better::Less,
        metric => better(metric),
    }
}

/// Changes by at most this share are alike, see [`Scale`]; of what is compared by differences, a share of the figure.
#[must_use]
pub fn margin(metric: &str) -> f64 {
    let (.., unit) = Unit::split_name(metric);
    match (scale(metric), unit) {
        (Scale::Points, _) => MARGIN_OF_POINTS,
        (Scale::Log, Unit::BitsPerSecond | Unit::PerSecond) => MARGIN_OF_RATES,
        (Scale::Log | Scale::Difference, _) => MARGIN,
    }
}

/// Changes by at most this share on the metric's scale are alike, where the figure is `level`.
#[must_use]
pub fn margin_at(metric: &str, level: f64) -> f64 {
    limit_at(metric, margin(metric), level)
}

/// A share on the metric's scale from a share of the figure, which is `level`. Of an outage of 0 each change would be beyond: a
/// difference is at least what counts as one.
#[must_use]
pub fn limit_at(metric: &str, share: f64, level: f64) -> f64 {
    let (.., unit) = Unit::split_name(metric);
    match (scale(metric), unit) {
        (Scale::Log | Scale::Points, _) => share,
        (Scale::Difference, Unit::Microseconds) => (share * level).max(LEAST_OUTAGE_US),
        (Scale::Difference, _) => (share * level).max(LEAST_COUNT),
    }
}

/// The metrics that decide about a test in a comparison: those that decide by ratios, and whether traffic stopped.
pub fn decisive(headline: &str, is_measured: impl Fn(&str) -> bool) -> Vec<String> {
    let mut decisive = decisive_ratios(headline, &is_measured);
    for metric in [name::OUTAGE_LONGEST_US, name::CONNECTIONS_BROKEN] {
        if is_measured(metric) && metric != headline {
            decisive.push(metric.to_owned());
        }
    }
    decisive
}

/// The metrics that decide about a test by ratios: p50 and p99 of a latency test, else its headline.
pub fn decisive_ratios(headline: &str, is_measured: impl Fn(&str) -> bool) -> Vec<String> {
    let latencies = [name::LATENCY_P50_US, name::LATENCY_P99_US];
    let latencies: Vec<String> = latencies
        .into_iter()
        .filter(|metric| is_measured(metric))
        .map(str::to_owned)
        .collect();
    let (.., unit) = Unit::split_name(headline);
    match unit {
        Unit::BitsPerSecond => vec![headline.to_owned()],
        _ if !latencies.is_empty() => latencies,
        _ if better_of(headline) == Better::Neither => Vec::new(),
        _ => vec![headline.to_owned()],
    }
}

/// A cell's figures that can change for the better or the worse: means over its samples, and derived metrics.
#[must_use]
pub fn figures(cell: &CellReport) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let (mut events, mut gigabytes) = (None, 0.0);
    for sample in cell.counted() {
        let mut add = |metric, value| {
            let (sum, count) = sums.entry(metric).or_default();
            *sum += value;
            *count += 1.0;
        };
        for (metric, value) in sample.metrics.iter() {
            add(metric, value);
        }
        for (of, per_gbit) in PER_GBIT {
            if let Some(cost) = cpu_per_gbit(sample, &[of]) {
                add(per_gbit, cost);
            }
        }
        let get = |metric| sample.metrics.get(metric);
        if let (Some(retransmits), Some(rate)) = (get(name::RETRANSMITS), get(name::THROUGHPUT_BPS))
        {
            let seconds = get(name::ELAPSED_S).unwrap_or(sample.wall_s);
            events = Some(events.unwrap_or(0.0) + retransmits);
            gigabytes += rate * seconds / 8e9;
        }
    }
    let mean = |metric: &str| sums.get(metric).map(|(sum, count)| sum / count);
    let mut figures: BTreeMap<String, f64> = sums
        .keys()
        // Their number depends on how much was sent.
        .filter(|metric| **metric != name::RETRANSMITS)
        .filter(|metric| better_of(metric) != Better::Neither)
        .filter_map(|metric| Some(((*metric).to_owned(), mean(metric)?)))
        .collect();
    if let Some(events) = events.filter(|_| gigabytes > 0.0) {
        let per_gigabyte = f64::max(events, 1.0) / gigabytes;
        figures.insert(RETRANSMITS_PER_GB.to_owned(), per_gigabyte);
    }
    figures
}

/// A metric as plans and people write it: `latency.p99` of `latency_us.p99`.
#[must_use]
pub fn word(metric: &str) -> String {
    match metric {
        CPU_PER_GBIT_CLIENT => "cpu_per_gbit.client".to_owned(),
        CPU_PER_GBIT_SERVER => "cpu_per_gbit.server".to_owned(),
        metric => Metric::from_name(metric)
            .map_or_else(|| metric.to_owned(), |known| known.word().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::CellState;
    use crate::results::Sample;
    use crate::schedule::{CellId, Params};

    fn cell(samples: &[&[(&str, f64)]]) -> CellReport {
        let id = CellId("t/p".to_owned());
        let sample = |metrics: &&[(&str, f64)]| {
            let mut sample = Sample::example(&id);
            for (metric, value) in *metrics {
                sample.metrics.set(metric, *value);
            }
            sample
        };
        CellReport {
            samples: samples.iter().map(sample).collect(),
            id,
            row: 0,
            params: Params::default(),
            state: CellState::Measured,
            reached: None,
            condition: None,
            found: None,
            loads: Vec::new(),
            failed_attempts: Vec::new(),
        }
    }

    #[test]
    fn figures_are_means_and_derived_metrics() {
        let sample: &[(&str, f64)] = &[
            (name::THROUGHPUT_BPS, 8e9),
            (name::ELAPSED_S, 2.0),
            (name::RETRANSMITS, 4.0),
            (name::CPU_PERCENT_CLIENT, 40.0),
            (name::SENT_BPS, 9e9),
        ];
        // CPU per Gbit/s as the page has it: the mean over the samples, not of the means.
        let slower: &[(&str, f64)] = &[
            (name::THROUGHPUT_BPS, 4e9),
            (name::ELAPSED_S, 4.0),
            (name::RETRANSMITS, 4.0),
            (name::CPU_PERCENT_CLIENT, 60.0),
        ];
        let found = figures(&cell(&[sample, slower]));
        let expected = [
            (CPU_PER_GBIT_CLIENT, 10.0),
            (RETRANSMITS_PER_GB, 2.0),
            (name::THROUGHPUT_BPS, 6e9),
        ];
        let found: Vec<_> = found.iter().map(|(m, v)| (m.as_str(), *v)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn no_retransmit_counts_as_one() {
        let sample: &[(&str, f64)] = &[(name::THROUGHPUT_BPS, 8e9), (name::RETRANSMITS, 0.0)];
        let found = figures(&cell(&[sample]));
        assert_eq!(found.get(RETRANSMITS_PER_GB), Some(&1.0));
    }

    #[test]
    fn the_test_of_a_probe_is_decided_by_outages_too() {
        let latencies = [name::LATENCY_P50_US, name::LATENCY_P99_US];
        let all = |_: &str| true;
        let found = decisive(name::LATENCY_P50_US, all);
        let outages = [name::OUTAGE_LONGEST_US, name::CONNECTIONS_BROKEN];
        assert_eq!(found, [latencies, outages].concat());
        assert_eq!(decisive_ratios(name::LATENCY_P50_US, all), latencies);
        // A declared tool may have it as its headline.
        let found = decisive(name::OUTAGE_LONGEST_US, |metric| {
            metric == name::OUTAGE_LONGEST_US
        });
        assert_eq!(found, [name::OUTAGE_LONGEST_US]);
    }

    #[test]
    fn what_may_be_0_is_compared_by_differences() {
        assert_eq!(scale(name::OUTAGE_TOTAL_US), Scale::Difference);
        assert_eq!(scale(name::LOST_PERCENT), Scale::Points);
        assert_eq!(scale(name::LATENCY_MAX_US), Scale::Log);
        let near = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
        assert!(near(margin_at(name::OUTAGE_LONGEST_US, 0.0), 10_000.0));
        assert!(near(margin_at(name::OUTAGE_LONGEST_US, 1e6), 50_000.0));
        assert!(near(margin_at(name::CONNECTIONS_BROKEN, 0.0), 0.5));
        assert!(near(limit_at(name::CONNECTIONS_BROKEN, 0.1, 20.0), 2.0));
        assert!(near(margin_at(name::LATENCY_P99_US, 1e6), 0.05));
    }

    #[test]
    fn a_latency_test_is_decided_by_percentiles() {
        let all = |_: &str| true;
        assert_eq!(
            decisive_ratios(name::THROUGHPUT_BPS, all),
            [name::THROUGHPUT_BPS]
        );
        let latencies = [name::LATENCY_P50_US, name::LATENCY_P99_US];
        assert_eq!(decisive_ratios(name::TRANSACTIONS_PER_S, all), latencies);
        let none = |_: &str| false;
        let transactions = [name::TRANSACTIONS_PER_S];
        assert_eq!(
            decisive_ratios(name::TRANSACTIONS_PER_S, none),
            transactions
        );
        assert_eq!(
            decisive_ratios("latency_us.p50", |m| m.ends_with("p50")),
            ["latency_us.p50"]
        );
    }
}
