//! The intervals of a sample, as netperf reports them (`-D`): some lines for each.
//!
//! ```text
//! NETPERF_INTERIM_RESULT[0]=81967.87
//! NETPERF_UNITS[0]=Trans/s
//! NETPERF_INTERVAL[0]=0.100
//! NETPERF_ENDING[0]=1795746446.964
//! ```

use super::mode::Netperf;
use crate::catalog::name;
use crate::tools::output::process_end::Ended;
use crate::tools::series::Series;
use crate::tools::tool::Job;

/// The intervals of a request/response test; `None` where the plan asks for none, or the output lacks them.
pub(super) fn series(tool: Netperf, job: &Job<'_>, ended: &Ended) -> Option<Series> {
    job.timing.intervals?;
    if !tool.transacts() {
        return None;
    }
    let (text, _) = ended.stdout_parts();
    let intervals = intervals(&String::from_utf8_lossy(text));
    let intervals = intervals
        .into_iter()
        .map(|(end_s, rate)| (end_s, Some(rate)));
    Series::new(name::TRANSACTIONS_PER_S, 1, 0.0, intervals)
}

/// The end of each interval in seconds from the first's start, and its transactions a second.
fn intervals(text: &str) -> Vec<(f64, f64)> {
    let mut end_s = 0.0;
    let mut rate = None;
    let mut intervals = Vec::new();
    for line in text.lines() {
        let Some((key, value)) = line.trim().split_once('=') else {
            continue;
        };
        let value = value.parse::<f64>().ok();
        if key.starts_with("NETPERF_INTERIM_RESULT[") {
            rate = value;
        } else if key.starts_with("NETPERF_INTERVAL[")
            && let (Some(rate), Some(length_s)) = (rate.take(), value)
            && length_s > 0.0
        {
            end_s += length_s;
            intervals.push((end_s, rate));
        }
    }
    intervals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::units::Duration;
    use crate::plan::{BuiltInUse, Timing};
    use crate::schedule::Params;
    use crate::tools::output::process_end::How;

    fn series_of(file: &str, test: &str) -> Option<Series> {
        let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
        let ended = Ended::new(How::Code(0), std::fs::read(path).unwrap(), "");
        let timing = Timing {
            intervals: Some(Duration(std::time::Duration::from_millis(100))),
            ..Timing::default()
        };
        let job = Job {
            params: &Params(Vec::new()),
            timing: &timing,
            target: "10.96.0.12",
            slot: 1,
        };
        series(
            Netperf::from(&BuiltInUse::new("netperf", test).unwrap()),
            &job,
            &ended,
        )
    }

    #[test]
    fn intervals_of_transactions_are_read() {
        let series = series_of("netperf-2.7.0/keyval-TCP_RR-intervals.txt", "TCP_RR").unwrap();
        assert_eq!(series.metric(), "transactions_per_s");
        let intervals: Vec<_> = series.intervals().collect();
        assert!((9..=11).contains(&intervals.len()), "{}", intervals.len());
        assert!(intervals.iter().all(|one| one.value > 1000.0));
        assert!(series.lowest().unwrap() <= intervals[0].value);
    }

    #[test]
    fn what_a_stream_sends_is_no_series() {
        assert_eq!(series_of("netperf-2.7.0/interim-D.txt", "TCP_STREAM"), None);
    }

    #[test]
    fn a_figure_that_is_cut_off_is_left_out() {
        let text = "NETPERF_INTERIM_RESULT[0]=5.5\nNETPERF_INTERVAL[0]=0.5\nNETPERF_INTERIM_RESULT[1]=7\n\
                    NETPERF_INTERVAL[1]=\nNETPERF_INTERVAL[2]=1\nNETPERF_INTERIM_RES";
        assert_eq!(intervals(text), [(0.5, 5.5)]);
    }
}
