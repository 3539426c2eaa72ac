//! What netperf's `-k` output says: one `KEY=VALUE` a line.

use std::collections::HashMap;

use super::mode::Netperf;
use super::protocols;
use crate::catalog::{Direction, name};
use crate::schedule::Param;
use crate::tools::failure::{Cause, Failure};
use crate::tools::metrics::Metrics;
use crate::tools::output::byte_counts::{more_received, packets_per_s, received_allowed};
use crate::tools::output::process_end::{Ended, How};
use crate::tools::output::sample_time::too_short;
use crate::tools::output::{exit_failure, tool_text};
use crate::tools::tool::Job;

/// Messages of netperf and the kernel, in lower case, and their cause; the first match counts.
const KNOWN: &[(&[&str], Cause)] = &[
    // netperf says the same of every reason for which the control connection fails.
    (&["establish_control", "timed out"], Cause::ConnectTimeout),
    (&["establish_control", "no route"], Cause::NoRoute),
    (
        &["establish control", "netserver listening"],
        Cause::Refused,
    ),
    (&["establish_control could not"], Cause::Refused),
    (&["no response received"], Cause::NoResponse),
    (&["not configured into this netperf"], Cause::OptionRefused),
    (&["connect_data_socket failed"], Cause::DataPortUnreachable),
    (&["refused"], Cause::DataPortUnreachable),
    (&["network is unreachable"], Cause::NoRoute),
    (&["no route to host"], Cause::NoRoute),
    (&["connection reset"], Cause::ServerTerminated),
    (&["broken pipe"], Cause::ServerTerminated),
    (&["timed out"], Cause::ServerTerminated),
    (&["message too long"], Cause::OptionRefused),
    (&["is unknown to this netperf"], Cause::OptionRefused),
    (&["invalid option"], Cause::OptionRefused),
    (&["unrecognized option"], Cause::OptionRefused),
    (&["unable to start netserver"], Cause::ServerFailed),
    (&["address already in use"], Cause::ServerFailed),
];

/// The keys of the end that sends, and of the one that receives.
struct EndKeys {
    sent: &'static str,
    received: &'static str,
    bytes_sent: &'static str,
    bytes_received: &'static str,
    retransmits: &'static str,
}

impl EndKeys {
    const fn of(direction: Direction) -> Self {
        match direction {
            // netperf does not send both ways at once.
            Direction::Forward | Direction::Both => Self {
                sent: "LOCAL_SEND_THROUGHPUT",
                received: "REMOTE_RECV_THROUGHPUT",
                bytes_sent: "LOCAL_BYTES_SENT",
                bytes_received: "REMOTE_BYTES_RECVD",
                retransmits: "LOCAL_TRANSPORT_RETRANS",
            },
            Direction::Reverse => Self {
                sent: "REMOTE_SEND_THROUGHPUT",
                received: "LOCAL_RECV_THROUGHPUT",
                bytes_sent: "REMOTE_BYTES_SENT",
                bytes_received: "LOCAL_BYTES_RECVD",
                retransmits: "REMOTE_TRANSPORT_RETRANS",
            },
        }
    }
}

pub(super) fn read(tool: Netperf, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
    let text = String::from_utf8_lossy(&ended.stdout);
    let keys = key_values(&text);
    // Figures and banners are not messages.
    let said = tool_text::last_lines(&[&ended.stderr, &ended.stdout], |line| {
        key_value(line).is_some() || line.starts_with("MIGRATED ")
    });
    if let Some(failure) = exit_failure::aborted("netperf", ended, &said) {
        return Err(protocols::explained(failure, job));
    }
    if ended.how != How::Code(0) {
        return Err(exit_failure::without_result("netperf", ended, &said, KNOWN));
    }
    let number = |key: &str| figure(&keys, key).filter(|value| value.is_finite());
    let missing = |key: &str| {
        let lacks = match keys.get(key) {
            Some(value) => format!("netperf's `{key}` is `{value}`, which is not a number"),
            None => format!("netperf's output has no `{key}`"),
        };
        let cut = tool_text::cut_note(ended);
        match (exit_failure::known_cause(&said, KNOWN), said.as_str()) {
            (Some(cause), said) => Failure::from_tool_text("netperf", cause, said),
            (None, "") => Failure::new(Cause::Unparsable, &format!("{lacks}{cut}")),
            (None, said) => Failure::new(
                Cause::Unparsable,
                &format!("{lacks}{cut}; it ends in\n{said}"),
            ),
        }
    };
    if let Some((key, one, other)) = contradiction(&text) {
        let words = format!("netperf says both {key}={one} and {key}={other}");
        return Err(Failure::new(Cause::Unparsable, &words));
    }

    let ends = &EndKeys::of(job.params.direction());
    let said_throughput = number("THROUGHPUT").ok_or_else(|| missing("THROUGHPUT"))?;
    let throughput = if tool.transacts() {
        said_throughput
    } else {
        number(ends.received).unwrap_or(said_throughput)
    };
    if throughput <= 0.0 || said_throughput <= 0.0 {
        // Exit code 0, and nothing came over: the data connection was never made.
        let words = ["THROUGHPUT", ends.sent, ends.received]
            .iter()
            .filter_map(|key| Some(format!("{key}={}", keys.get(key)?)))
            .collect::<Vec<_>>()
            .join(" ");
        let words = format!("netperf exited with 0 and said {words}");
        return Err(Failure::new(Cause::DataPortUnreachable, &words));
    }
    let elapsed = number("ELAPSED_TIME").ok_or_else(|| missing("ELAPSED_TIME"))?;
    if let Some(units) = keys.get("THROUGHPUT_UNITS") {
        let expected = if tool.transacts() {
            "Trans/s"
        } else {
            "10^6bits/s"
        };
        if *units != expected {
            let words = format!("netperf gives `{units}` where `{expected}` was expected");
            return Err(Failure::new(Cause::Unparsable, &words));
        }
    }
    if too_short(elapsed, job.timing.duration.0) {
        let asked = job.timing.duration;
        let words = format!("netperf measured for {elapsed:.2} s instead of {asked}");
        return Err(Failure::new(Cause::Killed, &words));
    }
    let mss = number("TRANSPORT_MSS").filter(|mss| *mss > 0.0);
    if let (Some(asked), Some(mss)) = (job.params.get(Param::Mss), mss) {
        // netperf continues silently when the kernel refuses its -G.
        if mss > asked as f64 {
            let words = format!("netperf says TRANSPORT_MSS={mss}, and was asked for {asked}");
            return Err(Failure::new(Cause::MssRefused, &words));
        }
    }

    let out = number(ends.bytes_sent).filter(|bytes| *bytes > 0.0);
    let arrived = number(ends.bytes_received);
    if let (Some(out), Some(arrived)) = (out, arrived)
        && arrived > received_allowed(out)
    {
        return Err(more_received("netperf", arrived, out));
    }

    let mut metrics = Metrics::default();
    let mut set = |name, value: Option<f64>| match value {
        // What it does not know.
        Some(-1.0) | None => {}
        Some(value) if !value.is_finite() => metrics.reject(name, &value, "it is not a number"),
        Some(value) if value < 0.0 => metrics.reject(name, &value, "it is below 0"),
        Some(value) => metrics.set(name, value),
    };
    set(name::ELAPSED_S, Some(elapsed));
    set(name::EFFECTIVE_MSS, mss);
    // Those of one connection: of many, the last one's say nothing.
    let one_connection = tool.uses_one_connection();
    let retransmits = figure(&keys, ends.retransmits).filter(|_| one_connection);
    set(name::RETRANSMITS, retransmits);
    for (name, key) in [
        (name::CPU_PERCENT_CLIENT, "LOCAL_CPU_UTIL"),
        (name::CPU_PERCENT_SERVER, "REMOTE_CPU_UTIL"),
    ] {
        // For TCP_CRR the server counts the 4 s of padding too and says 300 %.
        let known = figure(&keys, key).filter(|percent| one_connection || *percent <= 100.0);
        set(name, known);
    }
    if tool.transacts() {
        set(name::TRANSACTIONS_PER_S, Some(throughput));
        for (name, key) in [
            (name::LATENCY_MEAN_US, "MEAN_LATENCY"),
            (name::LATENCY_P50_US, "P50_LATENCY"),
            (name::LATENCY_P90_US, "P90_LATENCY"),
            (name::LATENCY_P99_US, "P99_LATENCY"),
            (name::LATENCY_MAX_US, "MAX_LATENCY"),
        ] {
            set(name, figure(&keys, key));
        }
        check_latencies(&mut metrics);
    } else {
        let bits = |megabits: f64| megabits * 1e6;
        set(name::THROUGHPUT_BPS, Some(bits(throughput)));
        set(name::SENT_BPS, number(ends.sent).map(bits));
        if let (true, Some(out), Some(arrived)) = (tool.is_udp(), out, arrived)
            && arrived >= 0.0
        {
            let lost = (100.0 * (1.0 - arrived / out)).max(0.0);
            set(name::LOST_PERCENT, Some(lost));
            let datagram = job.params.get(Param::Datagram);
            set(
                name::PACKETS_PER_S,
                packets_per_s(bits(throughput), datagram),
            );
        }
    }
    if one_connection {
        for name in [name::CPU_PERCENT_CLIENT, name::CPU_PERCENT_SERVER] {
            if let Some(percent) = metrics.get(name).filter(|percent| *percent > 100.0) {
                metrics.reject(name, &percent, "all CPUs together are 100 %");
            }
        }
    }
    Ok(metrics)
}

/// Rejects latencies that cannot be: of no time at all, and percentiles that fall.
fn check_latencies(metrics: &mut Metrics) {
    let percentiles = [
        name::LATENCY_P50_US,
        name::LATENCY_P90_US,
        name::LATENCY_P99_US,
    ];
    for name in percentiles.into_iter().chain([name::LATENCY_MEAN_US]) {
        if metrics.get(name) == Some(0.0) {
            metrics.reject(name, &0, "a round trip takes time");
        }
    }
    let values = percentiles.map(|name| metrics.get(name));
    let known: Vec<f64> = values.into_iter().flatten().collect();
    if !known.is_sorted() {
        for (name, value) in percentiles.into_iter().zip(values) {
            if let Some(value) = value {
                metrics.reject(name, &value, "the percentiles are not in ascending order");
            }
        }
    }
}

fn figure(keys: &HashMap<&str, &str>, key: &str) -> Option<f64> {
    keys.get(key)?.parse().ok()
}

/// A key with two different values.
fn contradiction(text: &str) -> Option<(&str, &str, &str)> {
    let mut seen = HashMap::new();
    text.lines().filter_map(key_value).find_map(|(key, value)| {
        let before = *seen.entry(key).or_insert(value);
        (before != value).then_some((key, before, value))
    })
}

fn key_values(text: &str) -> HashMap<&str, &str> {
    text.lines().filter_map(key_value).collect()
}

fn key_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once('=')?;
    // Those of an interval have its number: `NETPERF_INTERVAL[3]`.
    let is_key = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_[]".contains(c);
    (!key.is_empty() && key.chars().all(is_key)).then_some((key, value.trim()))
}
