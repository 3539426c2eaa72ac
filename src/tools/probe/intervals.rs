//! The intervals of a sample of the probe, as series.

use super::output::{Intervals, KindIntervals, Traffic};
use crate::catalog::name;
use crate::tools::output::document;
use crate::tools::output::process_end::Ended;
use crate::tools::series::Series;
use crate::tools::tool::Job;

/// The names of what is known of an interval of a kind of traffic.
struct Names {
    p50: &'static str,
    max: &'static str,
}

const LATENCY: Names = Names {
    p50: name::LATENCY_P50_US,
    max: name::LATENCY_MAX_US,
};

/// The latency of each kind of traffic that was sent, by the names of the sample's figures, and what was lost; none where the
/// plan asks for no intervals, or the output lacks them.
pub(super) fn series(job: &Job<'_>, ended: &Ended) -> Vec<Series> {
    if job.timing.intervals.is_none() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&ended.stdout);
    let printed = document::last(&text, |value| {
        value.get("netplan_probe_intervals").is_some()
    });
    let intervals = printed.and_then(|value| serde_json::from_value(value).ok());
    let Some(Intervals {
        length_us,
        udp,
        tcp,
        connect,
        ..
    }) = intervals
    else {
        return Vec::new();
    };
    let kinds = [
        udp.map(|udp| (Traffic::Udp, udp)),
        tcp.map(|tcp| (Traffic::Tcp, tcp)),
        connect.map(|connect| (Traffic::Connect, connect)),
    ];
    let kinds: Vec<(Traffic, KindIntervals)> = kinds.into_iter().flatten().collect();
    let is_alone = kinds.len() == 1;
    let (length_s, ends_s) = (length_us as f64 / 1e6, job.timing.duration.0.as_secs_f64());
    let series = |metric: &str, figures: Vec<Option<f64>>| {
        let ends = (1_u32..).map(|number| (f64::from(number) * length_s).min(ends_s));
        Series::new(metric, 0, 0.0, ends.zip(figures))
    };
    let mut all = Vec::new();
    for (traffic, kind) in kinds {
        let names = names(traffic, is_alone);
        let missing = missing(traffic, &kind);
        all.extend(series(names.p50, kind.p50_us));
        all.extend(series(names.max, kind.max_us));
        all.extend(missing.and_then(|(metric, figures)| series(metric, figures)));
    }
    all
}

/// The headline is that of the only kind, or of UDP.
fn names(traffic: Traffic, is_alone: bool) -> Names {
    match traffic {
        _ if is_alone => LATENCY,
        Traffic::Udp => LATENCY,
        Traffic::Tcp => Names {
            p50: name::TCP_LATENCY_P50_US,
            max: name::TCP_LATENCY_MAX_US,
        },
        Traffic::Connect => Names {
            p50: name::CONNECT_LATENCY_P50_US,
            max: name::CONNECT_LATENCY_MAX_US,
        },
    }
}

/// What did not arrive, or was not made, in each interval in which something left. TCP sends again what is lost.
fn missing(traffic: Traffic, kind: &KindIntervals) -> Option<(&'static str, Vec<Option<f64>>)> {
    let counts = kind.sent.iter().zip(&kind.answered);
    let counts = counts.map(|(sent, answered)| (*sent, sent.saturating_sub(*answered)));
    let counts = counts.map(|(sent, missing)| (sent > 0).then_some((sent as f64, missing as f64)));
    match traffic {
        Traffic::Udp => {
            let percent = counts.map(|counts| counts.map(|(sent, lost)| 100.0 * lost / sent));
            Some((name::LOST_PERCENT, percent.collect()))
        }
        Traffic::Tcp => None,
        Traffic::Connect => {
            let failed = counts.map(|counts| counts.map(|(_, failed)| failed));
            Some((name::CONNECTIONS_FAILED, failed.collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Timing;
    use crate::plan::units::Duration;
    use crate::schedule::Params;
    use crate::tools::output::process_end::How;

    fn series_of(file: &str, intervals: bool) -> Vec<Series> {
        let path = format!("{}/tests/data/probe/{file}", env!("CARGO_MANIFEST_DIR"));
        let ended = Ended::new(How::Code(0), std::fs::read(path).unwrap(), "");
        let ms = |ms| Duration(std::time::Duration::from_millis(ms));
        let timing = Timing {
            intervals: intervals.then(|| ms(250)),
            duration: ms(1_600),
            ..Timing::default()
        };
        let job = Job {
            params: &Params::default(),
            timing: &timing,
            target: "127.0.0.1",
            slot: 0,
        };
        series(&job, &ended)
    }

    /// The figures of a metric, each with the begin of its interval in seconds.
    fn figures(all: &[Series], metric: &str) -> Vec<(f64, f64)> {
        let of_metric = all.iter().find(|series| series.metric() == metric).unwrap();
        let figures = of_metric.intervals();
        figures.map(|one| (one.start_s, one.value)).collect()
    }

    #[test]
    fn each_kind_of_traffic_has_its_latency_and_what_was_missing() {
        let all = series_of("all-cut.jsonl", true);
        let metrics: Vec<&str> = all.iter().map(Series::metric).collect();
        assert_eq!(
            metrics,
            [
                "latency_us.p50",
                "latency_us.max",
                "lost_percent",
                "tcp_latency_us.p50",
                "tcp_latency_us.max",
                "connect_latency_us.p50",
                "connect_latency_us.max",
                "connections.failed",
            ]
        );
        for series in &all {
            assert!((series.end_s() - 1.6).abs() < 1e-9);
        }
        // All packets of two intervals were dropped, and some of those beside them.
        let lost = figures(&all, "lost_percent");
        assert_eq!(lost.len(), 7);
        assert!(lost.iter().any(|(_, percent)| *percent > 99.0), "{lost:?}");
        assert!(lost[0].1 < 0.5);
        let latency = figures(&all, "latency_us.max");
        let silent = lost.iter().filter(|(_, percent)| *percent > 99.9).count();
        assert_eq!(latency.len(), 7 - silent);
        // TCP sends again: nothing is lost, and what left in the cut comes late.
        let tcp = figures(&all, "tcp_latency_us.max");
        assert!(tcp.iter().any(|(_, us)| *us > 200e3), "{tcp:?}");
        let p50 = figures(&all, "tcp_latency_us.p50");
        assert!(p50.iter().zip(&tcp).all(|(p50, max)| p50.1 <= max.1 * 1.01));
    }

    #[test]
    fn the_only_kind_has_the_names_of_the_headline() {
        let all = series_of("connect.jsonl", true);
        let metrics: Vec<&str> = all.iter().map(Series::metric).collect();
        assert_eq!(
            metrics,
            ["latency_us.p50", "latency_us.max", "connections.failed"]
        );
        assert_eq!(series_of("connect.jsonl", false), []);
        assert_eq!(series_of("without-intervals.jsonl", true), []);
    }
}
