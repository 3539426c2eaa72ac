//! The intervals of a sample, from the end that receives: what a sender reports is what went into its socket's buffer.
//!
//! A client has them in its document (`-J`): for each interval `sum`, over all streams, and with `--bidir` also
//! `sum_bidir_reverse`, which it receives. A server's come to the client as text (`--get-server-output`), a line for each
//! interval of each stream, and of several streams one for their sum (`iperf_locale.c`). With `--bidir` a line says who
//! sends:
//!
//! ```text
//! [  5]   0.10-0.20   sec   224 KBytes  18347 Kbits/sec  0.007 ms  0/7 (0%)
//! [SUM]   0.10-0.20   sec   448 KBytes  36694 Kbits/sec  0.006 ms  0/14 (0%)
//! [  5][RX-S]   0.10-0.20   sec   128 KBytes  10479 Kbits/sec
//! [  8][TX-S]   0.10-0.20   sec   128 KBytes  10479 Kbits/sec    0   1.12 MBytes
//! ```

use serde::Deserialize;

use super::options::Iperf3;
use crate::catalog::{DATAGRAM_BYTES, Direction, name};
use crate::schedule::Param;
use crate::tools::output::process_end::Ended;
use crate::tools::series::Series;
use crate::tools::tool::Job;

/// The payload of a TCP segment where the plan sets no MSS: that of a link with an MTU of 1500.
const SEGMENT_BYTES: u64 = 1_460;

/// What a client prints.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    intervals: Vec<OfClient>,
    #[serde(default)]
    server_output_text: String,
}

/// An interval of a client: the sums over its streams. Without `--bidir` there is one of what it sends or receives.
#[derive(Deserialize)]
struct OfClient {
    sum: Option<Sum>,
    sum_bidir_reverse: Option<Sum>,
}

#[derive(Clone, Copy, Deserialize)]
struct Sum {
    /// `null` for what is not a number, as all that iperf3 writes.
    end: Option<f64>,
    bits_per_second: Option<f64>,
    /// Of the warm-up.
    #[serde(default)]
    omitted: bool,
}

/// A measured interval.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    end_s: f64,
    bps: f64,
}

/// The intervals that arrived; none where the plan asks for none, or the output lacks them. Where both directions were
/// measured, each has a series.
pub(super) fn series(tool: &Iperf3, job: &Job<'_>, ended: &Ended) -> Vec<Series> {
    if job.timing.intervals.is_none() {
        return Vec::new();
    }
    let Ok(document) = serde_json::from_slice::<Document>(&ended.stdout) else {
        return Vec::new();
    };
    let by_server = || of_server(&document.server_output_text);
    let by_client = |sum: fn(&OfClient) -> Option<Sum>| of_client(&document.intervals, sum);
    let directions = match job.params.direction() {
        Direction::Forward => vec![(name::THROUGHPUT_BPS, by_server())],
        Direction::Reverse => vec![(name::THROUGHPUT_BPS, by_client(|one| one.sum))],
        Direction::Both => vec![
            (name::THROUGHPUT_FORWARD_BPS, by_server()),
            (
                name::THROUGHPUT_REVERSE_BPS,
                by_client(|one| one.sum_bidir_reverse),
            ),
        ],
    };
    let bytes = if tool.is_udp() {
        job.params.get(Param::Datagram).unwrap_or(DATAGRAM_BYTES)
    } else {
        job.params.get(Param::Mss).unwrap_or(SEGMENT_BYTES)
    };
    let step = u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
    let has_warmup = !job.timing.warmup.0.is_zero();
    let series = directions.into_iter().filter_map(|(metric, intervals)| {
        // After a warm-up, the first one spans its end: the bytes are counted from there, and the time from before.
        let skipped = intervals.first().filter(|_| has_warmup);
        let start_s = skipped.map_or(0.0, |first| first.end_s);
        let intervals = intervals.iter().skip(usize::from(skipped.is_some()));
        let intervals = intervals.map(|one| (one.end_s, Some(one.bps)));
        Series::new(metric, step, start_s, intervals)
    });
    series.collect()
}

/// A sum of each measured interval of a client.
fn of_client(intervals: &[OfClient], sum: fn(&OfClient) -> Option<Sum>) -> Vec<Measured> {
    let sums = intervals.iter().filter_map(sum);
    let measured = sums.filter(|sum| !sum.omitted).filter_map(|sum| {
        Some(Measured {
            end_s: sum.end?,
            bps: sum.bits_per_second?,
        })
    });
    measured.collect()
}

/// The measured intervals of what a server received, those of all streams together.
fn of_server(text: &str) -> Vec<Measured> {
    let mut lines: Vec<Line<'_>> = text.lines().filter_map(Line::parse).collect();
    if lines.iter().any(|line| line.stream == "SUM") {
        lines.retain(|line| line.stream == "SUM");
    }
    lines.into_iter().map(|line| line.measured).collect()
}

/// A server's line about an interval.
struct Line<'a> {
    /// The number of the stream, or `SUM`.
    stream: &'a str,
    measured: Measured,
}

impl<'a> Line<'a> {
    /// `None` for another line, for what the server sends, for an interval of the warm-up, and for the whole sample.
    fn parse(line: &'a str) -> Option<Self> {
        let (stream, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
        let rest = rest.strip_prefix("[RX-S]").unwrap_or(rest);
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
        let bps = rate * unit;
        (!is_other && end_s >= start).then_some(Self {
            stream: stream.trim(),
            measured: Measured { end_s, bps },
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
        let all = series_after(file, protocol, Direction::Forward, 0);
        assert!(all.len() <= 1, "{all:?}");
        all.into_iter().next()
    }

    fn series_after(
        file: &str,
        protocol: &str,
        direction: Direction,
        warmup_s: u64,
    ) -> Vec<Series> {
        let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
        let ended = Ended::new(How::Code(0), std::fs::read(path).unwrap(), "");
        let timing = Timing {
            intervals: Some(Duration(std::time::Duration::from_millis(100))),
            warmup: Duration(std::time::Duration::from_secs(warmup_s)),
            ..Timing::default()
        };
        let job = Job {
            params: &Params(vec![(Param::Direction, direction.number())]),
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
        let [series] = &series_after(file, "udp", Direction::Forward, 1)[..] else {
            panic!("not one series")
        };
        assert_eq!((series.metric(), series.step()), ("throughput_bps", 11_680));
        let intervals: Vec<_> = series.intervals().collect();
        // Without the one that spans the warm-up's end, which iperf3 3.12 gives half of the rate.
        assert_eq!(intervals.len(), 9);
        assert_eq!((intervals[0].start_s, intervals[0].end_s), (0.1, 0.2));
        let rates = intervals.iter().map(|one| one.value);
        assert!(
            rates.clone().all(|rate| (38e6..42e6).contains(&rate)),
            "{intervals:?}"
        );
    }

    #[test]
    fn intervals_of_one_stream_over_a_link_of_20_mbit_are_below_its_rate() {
        let series = series_of("iperf3-3.12/tcp-ok-intervals-tbf20m.json", "tcp").unwrap();
        let rates: Vec<f64> = series.intervals().skip(3).map(|one| one.value).collect();
        assert!(rates.len() > 25, "{}", rates.len());
        assert!(
            rates.iter().all(|rate| (12e6..27e6).contains(rate)),
            "{rates:?}"
        );
    }

    #[test]
    fn a_client_that_receives_has_what_arrived() {
        let file = "iperf3-3.12/tcp-ok-intervals-reverse-tbf20m.json";
        let [series] = &series_after(file, "tcp", Direction::Reverse, 0)[..] else {
            panic!("not one series")
        };
        assert_eq!(series.metric(), "throughput_bps");
        let intervals: Vec<_> = series.intervals().collect();
        assert_eq!(intervals.len(), 30);
        let bits: f64 = intervals.iter().map(|one| one.value * one.length_s()).sum();
        assert!((54e6..60e6).contains(&bits), "{bits}");
        // It was kept waiting for most of the interval from 0.8 s on, and read in the next one what had come.
        assert_eq!(series.lowest().map(f64::round), Some(2_084_620.0));
        assert!(intervals[9].value > 30e6);
        // What a server says of it is what it sent.
        assert_eq!(series_after(file, "tcp", Direction::Forward, 0), []);
    }

    #[test]
    fn each_direction_has_the_intervals_of_its_receiving_end() {
        for (file, protocol, warmup_s, count) in [
            ("iperf3-3.12/tcp-ok-intervals-bidir.json", "tcp", 0, 10),
            (
                "iperf3-3.12/udp-ok-intervals-bidir-parallel2-omit1.json",
                "udp",
                1,
                9,
            ),
        ] {
            let all = series_after(file, protocol, Direction::Both, warmup_s);
            let [forward, reverse] = &all[..] else {
                panic!("{all:?}")
            };
            assert_eq!(forward.metric(), "throughput_bps.forward");
            assert_eq!(reverse.metric(), "throughput_bps.reverse");
            let (low, high) = if protocol == "tcp" {
                (10e6, 11e6)
            } else {
                (19e6, 21e6)
            };
            for series in &all {
                let intervals: Vec<_> = series.intervals().collect();
                assert_eq!(intervals.len(), count, "{intervals:?}");
                assert!(
                    intervals.iter().all(|one| (low..high).contains(&one.value)),
                    "{intervals:?}"
                );
            }
            // Each end has a clock of its own.
            assert_ne!(forward.lowest(), reverse.lowest());
        }
    }

    #[test]
    fn other_units_and_an_interval_of_no_length_are_read() {
        let udp = series_of("iperf3-3.12/udp-ok-get-server-output.json", "udp").unwrap();
        assert_eq!(udp.lowest(), Some(91.9e6));
        let tcp = series_of("iperf3-3.12/tcp-ok-get-server-output.json", "tcp").unwrap();
        let rates: Vec<f64> = tcp.intervals().map(|one| one.value).collect();
        assert_eq!(rates, [8.4e9]);
        assert_eq!(series_of("iperf3-3.12/tcp-ok-remote-vip.json", "tcp"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(\\[ *(5|SUM|ID)\\](\\[(RX|TX)-[SC]\\])? *[0-9.]{0,4}-[0-9.]{0,4} (sec )?[0-9a-zA-Z/() ]{0,40}\n?){0,9}") {
            for line in of_server(&text) {
                proptest::prop_assert!(line.end_s >= 0.0 && line.bps >= 0.0);
            }
        }
    }
}
