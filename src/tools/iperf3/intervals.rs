//! The intervals of a sample, as iperf3's server reports them to its client (`--get-server-output`).
//!
//! The server prints a line for each interval of each stream, and of several streams one for their sum
//! (`iperf_locale.c`):
//!
//! ```text
//! [  5]   0.10-0.20   sec   224 KBytes  18347 Kbits/sec  0.007 ms  0/7 (0%)
//! [SUM]   0.10-0.20   sec   448 KBytes  36694 Kbits/sec  0.006 ms  0/14 (0%)
//! ```

use serde::Deserialize;

use super::options::Iperf3;
use crate::catalog::{DATAGRAM_BYTES, name};
use crate::schedule::Param;
use crate::tools::output::process_end::Ended;
use crate::tools::series::Series;
use crate::tools::tool::Job;

/// The payload of a TCP segment where the plan sets no MSS: that of a link with an MTU of 1500.
const SEGMENT_BYTES: u64 = 1_460;

#[derive(Deserialize)]
struct Document {
    server_output_text: String,
}

/// The intervals that the server received; `None` where the plan asks for none, or the output lacks them.
pub(super) fn series(tool: &Iperf3, job: &Job<'_>, ended: &Ended) -> Option<Series> {
    job.timing.intervals?;
    let document: Document = serde_json::from_slice(&ended.stdout).ok()?;
    let bytes = if tool.is_udp() {
        job.params.get(Param::Datagram).unwrap_or(DATAGRAM_BYTES)
    } else {
        job.params.get(Param::Mss).unwrap_or(SEGMENT_BYTES)
    };
    let step = u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
    let mut lines = intervals(&document.server_output_text);
    let mut start_s = 0.0;
    if !job.timing.warmup.0.is_zero() && !lines.is_empty() {
        // It spans the end of the warm-up: its bytes are counted from there, and its time from before.
        start_s = lines.remove(0).end_s;
    }
    let intervals = lines.iter().map(|line| (line.end_s, line.bps));
    Series::new(name::THROUGHPUT_BPS, step, start_s, intervals)
}

/// The lines of the measured intervals, those of all streams together.
fn intervals(text: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = text.lines().filter_map(Line::parse).collect();
    if lines.iter().any(|line| line.stream == "SUM") {
        lines.retain(|line| line.stream == "SUM");
    }
    lines
}

/// The line of an interval.
struct Line<'a> {
    /// The number of the stream, or `SUM`.
    stream: &'a str,
    end_s: f64,
    bps: f64,
}

impl<'a> Line<'a> {
    /// `None` for another line, for an interval of the warm-up, and for the whole sample.
    fn parse(line: &'a str) -> Option<Self> {
        let (stream, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
        let mut words = rest.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let start: f64 = start.parse().ok()?;
        let end_s: f64 = end.parse().ok()?;
        if words.next()? != "sec" {
            return None;
        }
        let (_amount, _unit) = (words.next()?, words.next()?);
        let rate: f64 = words.next()?.parse().ok()?;
        let unit = match words.next()? {
            "bits/sec" => 1.0,
            "Kbits/sec" => 1e3,
            "Mbits/sec" => 1e6,
            "Gbits/sec" => 1e9,
            _ => return None,
        };
        let is_other = matches!(words.last(), Some("(omitted)" | "receiver" | "sender"));
        (!is_other && end_s >= start).then_some(Self {
            stream: stream.trim(),
            end_s,
            bps: rate * unit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::units::Duration;
    use crate::plan::{BuiltInUse, Timing};
    use crate::schedule::Params;
    use crate::tools::output::process_end::How;

    fn series_of(file: &str, protocol: &str) -> Option<Series> {
        series_after(file, protocol, 0)
    }

    fn series_after(file: &str, protocol: &str, warmup_s: u64) -> Option<Series> {
        let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
        let ended = Ended::new(How::Code(0), std::fs::read(path).unwrap(), "");
        let timing = Timing {
            intervals: Some(Duration(std::time::Duration::from_millis(100))),
            warmup: Duration(std::time::Duration::from_secs(warmup_s)),
            ..Timing::default()
        };
        let job = Job {
            params: &Params(Vec::new()),
            timing: &timing,
            target: "10.96.0.12",
            slot: 1,
        };
        let tool = Iperf3::from(&BuiltInUse::new("iperf3", protocol).unwrap());
        series(&tool, &job, &ended)
    }

    #[test]
    fn intervals_are_those_of_all_streams_without_the_warm_up() {
        let file = "iperf3-3.12/udp-ok-intervals-parallel2-omit1.json";
        let series = series_after(file, "udp", 1).unwrap();
        assert_eq!((series.metric(), series.step()), ("throughput_bps", 11_680));
        let intervals: Vec<_> = series.intervals().collect();
        // Without the one that spans the warm-up's end, which iperf3 3.12 gives half of the rate.
        assert_eq!(intervals.len(), 9);
        assert_eq!((intervals[0].start_s, intervals[0].end_s), (0.1, 0.2));
        let rates = intervals.iter().map(|one| one.rate);
        assert!(
            rates.clone().all(|rate| (38e6..42e6).contains(&rate)),
            "{intervals:?}"
        );
    }

    #[test]
    fn intervals_of_one_stream_over_a_link_of_20_mbit_are_below_its_rate() {
        let series = series_of("iperf3-3.12/tcp-ok-intervals-tbf20m.json", "tcp").unwrap();
        let rates: Vec<f64> = series.intervals().skip(3).map(|one| one.rate).collect();
        assert!(rates.len() > 25, "{}", rates.len());
        assert!(
            rates.iter().all(|rate| (12e6..27e6).contains(rate)),
            "{rates:?}"
        );
    }

    #[test]
    fn other_units_and_an_interval_of_no_length_are_read() {
        let udp = series_of("iperf3-3.12/udp-ok-get-server-output.json", "udp").unwrap();
        assert_eq!(udp.lowest(), Some(91.9e6));
        let tcp = series_of("iperf3-3.12/tcp-ok-get-server-output.json", "tcp").unwrap();
        let rates: Vec<f64> = tcp.intervals().map(|one| one.rate).collect();
        assert_eq!(rates, [8.4e9]);
        assert_eq!(series_of("iperf3-3.12/tcp-ok-remote-vip.json", "tcp"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(\\[ *(5|SUM|ID)\\] *[0-9.]{0,4}-[0-9.]{0,4} (sec )?[0-9a-zA-Z/() ]{0,40}\n?){0,9}") {
            for line in intervals(&text) {
                proptest::prop_assert!(line.end_s >= 0.0 && line.bps >= 0.0);
            }
        }
    }
}
