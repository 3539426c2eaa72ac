//! What iperf3's `-J` output says. The exit code says little: 3.12 exits with 0 on most errors.

use serde_json::Value;

use crate::tools::timing::too_short;
use crate::tools::{Cause, Ended, Failure, How, Job, Metrics, name, words};

/// Words of iperf3 and the kernel, in lower case, and what they mean; the first match counts.
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
        Cause::DataPortUnreachable,
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

pub(super) fn read(job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
    let document = serde_json::from_slice::<Value>(&ended.stdout);
    let error = document.as_ref().ok().and_then(error_of);
    let said = error.clone().unwrap_or_else(|| error_lines(ended));
    if let Some(failure) = words::cut_short("iperf3", ended, &said) {
        return Err(failure);
    }
    if error.is_some() {
        let cause = words::cause_of(&said, KNOWN).unwrap_or(Cause::ToolError);
        return Err(Failure::said("iperf3", cause, &said));
    }
    if ended.how != How::Code(0) {
        return Err(words::failed("iperf3", ended, &said, KNOWN));
    }
    match (document, words::cause_of(&said, KNOWN)) {
        (Ok(document), _) => figures(job, &document),
        (Err(_), Some(cause)) => Err(Failure::said("iperf3", cause, &said)),
        (Err(err), None) => Err(unparsable(&format!("not iperf3's JSON: {err}"), ended)),
    }
}

/// The word on an error inside a JSON document.
fn error_of(document: &Value) -> Option<String> {
    let error = document.get("error")?.as_str()?.trim();
    Some(error.trim_start_matches("error - ").to_owned())
}

/// iperf3's own lines on stderr or stdout, else the end of stderr. The rest of stdout is a document
/// cut short, or the kilobytes of usage that 3.12 prints there.
fn error_lines(ended: &Ended) -> String {
    let mine = |line: &str| line.starts_with("iperf3: ") && line != "iperf3: exiting";
    let mut said = words::last_lines(&[&ended.stderr, &ended.stdout], |line| !mine(line));
    if said.is_empty() {
        said = words::last_lines(&[&ended.stderr], |line| line.starts_with("warning"));
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
    Failure::new(
        Cause::Unparsable,
        &match head.as_str() {
            "" => format!("{why}; it printed nothing"),
            head => format!("{why}; it begins with `{head}`"),
        },
    )
}

/// The figures of a document without an error.
fn figures(job: &Job<'_>, document: &Value) -> Result<Metrics, Failure> {
    let missing = |what: &str| {
        Failure::new(
            Cause::Unparsable,
            &format!("iperf3's JSON has no `{what}`: it is not that of a client at its end"),
        )
    };
    let end = document.get("end").ok_or_else(|| missing("end"))?;
    if document.pointer("/start/connecting_to").is_none() {
        return Err(missing("start.connecting_to"));
    }
    let number = |pointer: &str| end.pointer(pointer).and_then(Value::as_f64);
    // `sum` would be the sender's for UDP: what was pushed out, not what arrived.
    let bytes = number("/sum_received/bytes").ok_or_else(|| missing("end.sum_received.bytes"))?;
    let throughput = number("/sum_received/bits_per_second")
        .ok_or_else(|| missing("end.sum_received.bits_per_second"))?;
    if !(bytes > 0.0 && throughput > 0.0) {
        return Err(Failure::new(
            Cause::NothingMoved,
            &format!("iperf3 says `sum_received`: {bytes} bytes, {throughput} bits/s"),
        ));
    }
    // By the sender's clock: it alone knows when the warm-up ended and when the time was over.
    let sending = number("/sum_sent/seconds");
    if let Some(sending) = sending.filter(|s| too_short(*s, job.timing.duration.0)) {
        let asked = job.timing.duration;
        return Err(Failure::new(
            Cause::Killed,
            &format!("iperf3 measured for {sending:.2} s instead of {asked}"),
        ));
    }

    let mut metrics = Metrics::default();
    metrics.set(name::THROUGHPUT_BPS, throughput);
    let mut note = |name, value: Option<f64>| {
        if let Some(value) = value.filter(|value| *value >= 0.0) {
            metrics.set(name, value);
        }
    };
    note(name::ELAPSED_S, number("/sum_received/seconds").or(sending));
    note(name::SENT_BPS, number("/sum_sent/bits_per_second"));
    note(name::RETRANSMITS, number("/sum_sent/retransmits"));
    note(name::RTT_US, mean_rtt(end));
    let jitter = number("/sum_received/jitter_ms").or_else(|| number("/sum/jitter_ms"));
    note(name::JITTER_US, jitter.map(|ms| ms * 1000.0));
    if jitter.is_some() {
        // iperf3's own `lost_percent` counts gaps only, so not what is missing at the end, and
        // that of 3.12 counts the losses of the warm-up too: it has said 106 %.
        let sent = number("/sum_sent/bytes").filter(|sent| *sent > 0.0);
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
    Ok(metrics)
}

/// Mean of the streams' mean RTT. A stream whose RTT the client cannot know says 0.
fn mean_rtt(end: &Value) -> Option<f64> {
    let streams = end.get("streams")?.as_array()?;
    let (sum, count) = streams
        .iter()
        .filter_map(|stream| stream.pointer("/sender/mean_rtt")?.as_f64())
        .filter(|rtt| *rtt > 0.0)
        .fold((0.0, 0u32), |(sum, count), rtt| (sum + rtt, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
