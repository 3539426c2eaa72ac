//! What iperf3's `-J` output says. The exit code says little: 3.12 exits with 0 on most errors.

use serde_json::Value;

use super::command::OPENING;
use super::options::Iperf3;
use super::sums::Sums;
use crate::catalog::{DATAGRAM_BYTES, Direction, name};
use crate::schedule::Param;
use crate::tools::failure::{Cause, Failure};
use crate::tools::metrics::Metrics;
use crate::tools::output::byte_counts::{more_received, packets_per_s, received_allowed};
use crate::tools::output::process_end::{Ended, How};
use crate::tools::output::sample_time::too_short;
use crate::tools::output::{document, exit_failure, tool_text};
use crate::tools::tool::Job;

/// Messages of iperf3 and the kernel, in lower case, and their cause; the first match counts.
const KNOWN: &[(&[&str], Cause)] = &[
    (&["the client has terminated"], Cause::Killed),
    (&["the server is busy"], Cause::ServerBusy),
    (&["the server has terminated"], Cause::ServerTerminated),
    (&["control socket has closed"], Cause::ServerTerminated),
    (&["unable to set tcp/sctp mss"], Cause::MssRefused),
    (&["mss too large"], Cause::MssRefused),
    (&["socket buffer"], Cause::SocketBufferRefused),
    (&["tcp_congestion"], Cause::CongestionRefused),
    (&["congestion control"], Cause::CongestionRefused),
    (&["unable to connect to server", "refused"], Cause::Refused),
    (
        &["unable to connect to server", "timed out"],
        Cause::ConnectTimeout,
    ),
    (
        &["unable to connect to server", "in progress"],
        Cause::ConnectTimeout,
    ),
    (&["unable to connect to server", "no route"], Cause::NoRoute),
    (
        &["unable to connect to server", "unreachable"],
        Cause::NoRoute,
    ),
    (&["unable to connect stream"], Cause::DataPortUnreachable),
    // UDP streams are opened by an exchange of one datagram each way.
    (
        &["unable to read from stream socket", "refused"],
        Cause::DataPortUnreachable,
    ),
    (
        &["unable to read from stream socket", "temporarily"],
        Cause::FirstDatagramLost,
    ),
    (&["connection reset"], Cause::ServerTerminated),
    (&["broken pipe"], Cause::ServerTerminated),
    (&["control message"], Cause::ServerTerminated),
    (&["idle timeout"], Cause::ServerTerminated),
    (&["stream socket", "timed out"], Cause::ServerTerminated),
    (&["network is unreachable"], Cause::NoRoute),
    (&["no route to host"], Cause::NoRoute),
    (&["unable to start listener"], Cause::ServerFailed),
    (&["larger than server limit"], Cause::OptionRefused),
    (&["parameter error"], Cause::OptionRefused),
    (&["unrecognized option"], Cause::OptionRefused),
    (&["invalid option"], Cause::OptionRefused),
    (&["block size invalid"], Cause::OptionRefused),
    (&["zerocopy"], Cause::OptionRefused),
];

/// The invocation whose output is read.
#[derive(Clone, Copy)]
pub(super) struct Invocation<'a> {
    pub tool: &'a Iperf3,
    pub job: &'a Job<'a>,
    pub ended: &'a Ended,
}

pub(super) fn read(invocation: Invocation<'_>) -> Result<Metrics, Failure> {
    let ended = invocation.ended;
    let document = document_of(ended);
    let error = document.as_ref().ok().and_then(error_of);
    let said = match &error {
        Some(error) if !error.is_empty() => error.clone(),
        Some(_) | None => error_lines(ended),
    };
    if let Some(mut failure) = exit_failure::aborted("iperf3", ended, &said) {
        if ended.how == How::Deadline && opening_may_hang(invocation) {
            failure.words += "; a UDP stream whose first datagram is lost hangs for 30 s";
        }
        return Err(failure);
    }
    if error.is_some() {
        return Err(reported(invocation, document.as_ref().ok(), &said));
    }
    if ended.how != How::Code(0) {
        return Err(exit_failure::without_result("iperf3", ended, &said, KNOWN));
    }
    match (document, exit_failure::known_cause(&said, KNOWN)) {
        (Ok(document), _) => figures(invocation, &document),
        (Err(_), Some(cause)) => Err(Failure::from_tool_text("iperf3", cause, &said)),
        (Err(why), None) => Err(unparsable(&why, ended)),
    }
}

/// iperf3's document: the one with its result or its error, among whatever lines.
fn document_of(ended: &Ended) -> Result<Value, String> {
    let is_result = |document: &Value| {
        document.get("end").is_some_and(Value::is_object) || document.get("error").is_some()
    };
    match ended.stdout_parts() {
        (stdout, None) => {
            let text = String::from_utf8_lossy(stdout);
            document::last(&text, is_result).map_or_else(
                || {
                    serde_json::from_str(&text)
                        .map_err(|error| format!("not iperf3's JSON: {error}"))
                },
                Ok,
            )
        }
        (_, Some(end)) => {
            // The result comes last; what is missing are interval reports.
            let text = String::from_utf8_lossy(end);
            let result = text.rmatch_indices("\"end\"").find_map(|(at, _)| {
                let document = format!("{{{}", text.get(at..)?);
                document::last(&document, is_result)
            });
            result.ok_or_else(|| "the output has no result behind the cut".to_owned())
        }
    }
}

/// The word on an error inside a JSON document.
fn error_of(document: &Value) -> Option<String> {
    let error = document.get("error")?.as_str()?.trim();
    Some(error.trim_start_matches("error - ").to_owned())
}

/// The failure that a document reports.
fn reported(invocation: Invocation<'_>, document: Option<&Value>, said: &str) -> Failure {
    match exit_failure::known_cause(said, KNOWN) {
        Some(Cause::FirstDatagramLost) => {
            let streams = invocation.job.params.get(Param::Streams).unwrap_or(1);
            let open = document
                .and_then(|document| document.pointer("/start/connected")?.as_array())
                .map_or(0, Vec::len);
            Failure::new(
                Cause::FirstDatagramLost,
                &format!(
                    "stream {} of {streams} got no answer to its first datagram; \
                     iperf3 said: {said}",
                    open + 1
                ),
            )
        }
        Some(cause) => Failure::from_tool_text("iperf3", cause, said),
        None if said.is_empty() => Failure::new(
            Cause::UnexplainedError,
            "iperf3 reported an error without a message",
        ),
        None => Failure::from_tool_text("iperf3", Cause::ToolError, said),
    }
}

/// Whether iperf3 may have been killed while it waited for the answer to a first datagram.
fn opening_may_hang(invocation: Invocation<'_>) -> bool {
    let timeout = invocation.job.timing.timeout;
    invocation.tool.is_udp()
        && invocation.ended.stdout.is_empty()
        && timeout.is_some_and(|timeout| timeout.0 <= OPENING)
}

/// iperf3's own lines on stderr or stdout, else the end of stderr. The rest of stdout is a document
/// cut short, or the kilobytes of usage that 3.12 prints there.
fn error_lines(ended: &Ended) -> String {
    let mine = |line: &str| line.starts_with("iperf3: ") && line != "iperf3: exiting";
    let mut said = tool_text::last_lines(&[&ended.stderr, &ended.stdout], |line| !mine(line));
    if said.is_empty() {
        said = tool_text::last_lines(&[&ended.stderr], |line| line.starts_with("warning"));
    }
    said.trim_start_matches("iperf3: ")
        .trim_start_matches("error - ")
        .to_owned()
}

fn unparsable(why: &str, ended: &Ended) -> Failure {
    let head: String = String::from_utf8_lossy(&ended.stdout[..ended.stdout.len().min(400)])
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(60)
        .collect();
    let begins = match head.as_str() {
        "" => "it printed nothing".to_owned(),
        head => format!("it begins with `{head}`"),
    };
    let cut = tool_text::cut_note(ended);
    Failure::new(Cause::Unparsable, &format!("{why}; {begins}{cut}"))
}

/// The figures of a document without an error.
fn figures(invocation: Invocation<'_>, document: &Value) -> Result<Metrics, Failure> {
    let Invocation { tool, job, ended } = invocation;
    let missing = |what: &str| {
        Failure::new(
            Cause::Unparsable,
            &format!("iperf3's JSON has no `{what}`: it is not that of a client at its end"),
        )
    };
    let end = document.get("end").ok_or_else(|| missing("end"))?;
    // Of output that was cut only the end is read.
    if ended.cut.stdout == 0 && document.pointer("/start/connecting_to").is_none() {
        return Err(missing("start.connecting_to"));
    }
    let number = |pointer: &str| end.pointer(pointer).and_then(Value::as_f64);
    if end.get("sum_received").is_none() && end.pointer("/streams/0").is_some() {
        let version = document.pointer("/start/version").and_then(Value::as_str);
        return Err(Failure::new(
            Cause::ToolTooOld,
            &format!(
                "{} does not report what arrived (`sum_received`); 3.12 or newer is required",
                version.unwrap_or("this iperf3")
            ),
        ));
    }
    let sums = Sums {
        end,
        is_both: job.params.direction() == Direction::Both,
    };
    let mut arrived = Vec::new();
    // `sum` would be the sender's for UDP: what was pushed out, not what arrived.
    for sum in sums.names("sum_received") {
        let figure = |key: &str| {
            number(&format!("/{sum}/{key}")).ok_or_else(|| missing(&format!("end.{sum}.{key}")))
        };
        let (bytes, throughput) = (figure("bytes")?, figure("bits_per_second")?);
        if !(bytes > 0.0 && throughput > 0.0) {
            return Err(Failure::new(
                Cause::NothingMoved,
                &format!("iperf3 says `{sum}`: {bytes} bytes, {throughput} bits/s"),
            ));
        }
        arrived.push((bytes, throughput));
    }
    let bytes: f64 = arrived.iter().map(|(bytes, _)| bytes).sum();
    let throughput: f64 = arrived.iter().map(|(_, throughput)| throughput).sum();
    // By the sender's clock: it alone knows when the warm-up ended and when the time was over.
    let sending = number("/sum_sent/seconds");
    if let Some(sending) = sending.filter(|seconds| is_too_short(*seconds, job)) {
        let asked = job.timing.duration;
        return Err(Failure::new(
            Cause::TooShort,
            &format!("iperf3 measured for {sending:.2} s instead of {asked}"),
        ));
    }
    let sent = sums.all("sum_sent", "bytes").filter(|sent| *sent > 0.0);
    let elapsed = number("/sum_received/seconds").or(sending);
    if let Some(sent) = sent {
        let warmup = !job.timing.warmup.0.is_zero();
        let expected = received_allowed(sent) + uncounted_bytes(invocation);
        let allowed = match (warmup, tool.is_udp()) {
            (false, _) => expected,
            // What waited in sockets and queues at the warm-up's end arrived after it.
            (true, false) => f64::INFINITY,
            (true, true) => expected + sent * BOUNDARY_S / elapsed.unwrap_or(1.0).max(BOUNDARY_S),
        };
        if bytes > allowed {
            return Err(more_received("iperf3", bytes, sent));
        }
    }

    let mut metrics = Metrics::default();
    metrics.set(name::THROUGHPUT_BPS, throughput);
    let mut note = |name, value: Option<f64>| match value {
        Some(value) if value >= 0.0 => metrics.set(name, value),
        // What it does not know.
        Some(-1.0) | None => {}
        Some(value) => metrics.reject(name, &value, "it is below 0"),
    };
    note(name::ELAPSED_S, elapsed);
    if let [(_, forward), (_, reverse)] = arrived[..] {
        note(name::THROUGHPUT_FORWARD_BPS, Some(forward));
        note(name::THROUGHPUT_REVERSE_BPS, Some(reverse));
    }
    note(name::SENT_BPS, sums.all("sum_sent", "bits_per_second"));
    note(name::RETRANSMITS, sums.all("sum_sent", "retransmits"));
    note(name::RTT_US, mean_rtt(end));
    let jitter = sums
        .mean("sum_received", "jitter_ms")
        .or_else(|| number("/sum/jitter_ms"));
    note(name::JITTER_US, jitter.map(|ms| ms * 1000.0));
    if tool.is_udp() {
        // A read takes one datagram.
        let datagram = document.pointer("/start/test_start/blksize");
        let datagram = datagram.and_then(Value::as_u64);
        let datagram = datagram.or_else(|| job.params.get(Param::Datagram));
        note(name::PACKETS_PER_S, packets_per_s(throughput, datagram));
        // iperf3's own `lost_percent` counts gaps only, so not what is missing at the end, and
        // that of 3.12 counts the losses of the warm-up too: it has said 106 %.
        note(
            name::LOST_PERCENT,
            sent.map(|sent| (100.0 * (1.0 - bytes / sent)).max(0.0)),
        );
    }
    note(
        name::CPU_PERCENT_CLIENT,
        number("/cpu_utilization_percent/host_total"),
    );
    note(
        name::CPU_PERCENT_SERVER,
        number("/cpu_utilization_percent/remote_total"),
    );
    for (name, pointer) in [
        (name::JITTER_US, "/sum_received/jitter_ms"),
        (name::RETRANSMITS, "/sum_sent/retransmits"),
        (
            name::CPU_PERCENT_CLIENT,
            "/cpu_utilization_percent/host_total",
        ),
        (
            name::CPU_PERCENT_SERVER,
            "/cpu_utilization_percent/remote_total",
        ),
    ] {
        if end.pointer(pointer).is_some_and(Value::is_null) {
            metrics.reject(name, &"null", "it is not a number");
        }
    }
    Ok(metrics)
}

/// Whether the sender measured for much less than it was asked to.
///
/// The sender ends its warm-up between two rounds of writes, and the sample when the time for both is over. On a
/// busy machine a round takes long: then the warm-up ends late, and what is measured is short by as much. The
/// receiver has a timer of its own, and the headline is its figure.
fn is_too_short(sending_s: f64, job: &Job<'_>) -> bool {
    let asked = job.timing.duration.0;
    if job.timing.warmup.0.is_zero() {
        too_short(sending_s, asked)
    } else {
        sending_s < asked.as_secs_f64() / 2.0
    }
}

/// What the sender may have sent and not counted: iperf3 counts a write when all of it is done, and at
/// the sample's end it stops each stream within one.
fn uncounted_bytes(invocation: Invocation<'_>) -> f64 {
    let Invocation { tool, job, .. } = invocation;
    let write = if tool.is_udp() {
        job.params.get(Param::Datagram).unwrap_or(DATAGRAM_BYTES)
    } else {
        job.params.get(Param::WriteSize).unwrap_or(WRITE_BYTES)
    };
    let streams = job.params.get(Param::Streams).unwrap_or(1);
    let ways = if job.params.direction() == Direction::Both {
        2.0
    } else {
        1.0
    };
    ways * write as f64 * streams as f64
}

/// The size of iperf3's TCP writes where none is asked for (`DEFAULT_TCP_BLKSIZE`).
const WRITE_BYTES: u64 = 128 * 1024;

/// How far the two ends' warm-ups may end apart: each has its own timer.
const BOUNDARY_S: f64 = 0.1;

/// Mean of the streams' mean RTT, of those that the client sends. A stream whose RTT the client cannot know says 0.
fn mean_rtt(end: &Value) -> Option<f64> {
    let streams = end.get("streams")?.as_array()?;
    let (sum, count) = streams
        .iter()
        .filter(|stream| stream.pointer("/sender/sender") != Some(&Value::Bool(false)))
        .filter_map(|stream| stream.pointer("/sender/mean_rtt")?.as_f64())
        .filter(|rtt| *rtt > 0.0)
        .fold((0.0, 0u32), |(sum, count), rtt| (sum + rtt, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
