//! What is to be made of what a process left.

use std::time::Duration;

use crate::results::observed::{self, End};
use crate::rpc::pb::{Observed, TcpInfo};
use crate::tools::{Cause, Ended, How, Metrics, Ready, name};

/// Why a server that has ended before it was ready did so.
pub(super) fn why_no_server(ended: &Ended, awaited: &Ready, within: Duration) -> (Cause, String) {
    let said = {
        let stderr = String::from_utf8_lossy(&ended.stderr);
        let stdout = String::from_utf8_lossy(&ended.stdout);
        let said = if stderr.trim().is_empty() {
            stdout
        } else {
            stderr
        };
        said.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(4)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let with_said = |words: String| {
        if said.is_empty() {
            words
        } else {
            format!("{words}: {said}")
        }
    };
    match &ended.how {
        How::NotFound(program) => (
            Cause::ToolMissing,
            format!("the server's program `{program}` is not there"),
        ),
        How::NotStarted(why) => (
            Cause::ServerFailed,
            format!("the server could not be started: {why}"),
        ),
        How::Deadline => (
            Cause::ServerFailed,
            with_said(format!(
                "the server was not ready after {} s of waiting for {awaited}",
                within.as_secs()
            )),
        ),
        How::Code(code) => (
            Cause::ServerFailed,
            with_said(format!(
                "the server ended with exit code {code} before it was ready"
            )),
        ),
        How::Signal(signal) => (
            Cause::ServerFailed,
            with_said(format!(
                "signal {signal} ended the server before it was ready"
            )),
        ),
        How::Stopped => (
            Cause::ServerFailed,
            with_said("the server was stopped before it was ready".to_owned()),
        ),
    }
}

/// What the kernel said of the connection: its MSS always, for the rest the tool knows better.
pub(super) fn add_tcp_info(metrics: &mut Metrics, tcp: Option<TcpInfo>) {
    let Some(tcp) = tcp.filter(|tcp| tcp.snd_mss > 0) else {
        return;
    };
    metrics.set(name::EFFECTIVE_MSS, f64::from(tcp.snd_mss));
    for (name, value) in [
        (name::RTT_US, tcp.rtt_us),
        (name::RETRANSMITS, tcp.total_retrans),
    ] {
        if let (None, Some(value)) = (metrics.get(name), value) {
            metrics.set(name, f64::from(value));
        }
    }
}

/// What an end observed around the sample.
pub(super) fn add_observed(metrics: &mut Metrics, end: End, seen: Option<Observed>) {
    let Some(seen) = seen else {
        return;
    };
    let mut set = |name: observed::AtEnds, value: f64| metrics.set(name.at(end), value);
    set(observed::OBSERVED_S, seen.window_us as f64 / 1e6);
    if let Some(cpu) = seen.cpu {
        set(observed::NODE_BUSY_PERCENT, cpu.busy_percent);
        set(observed::NODE_STEAL_PERCENT, cpu.steal_percent);
    }
    if let Some(throttling) = seen.throttling {
        set(observed::THROTTLED_PERIODS, throttling.periods as f64);
        set(observed::THROTTLED_US, throttling.throttled_us as f64);
    }
    if let Some(traffic) = seen.traffic {
        set(observed::SENT_BYTES, traffic.sent_bytes as f64);
        set(observed::RECEIVED_BYTES, traffic.received_bytes as f64);
        set(observed::SENT_PACKETS, traffic.sent_packets as f64);
        set(observed::RECEIVED_PACKETS, traffic.received_packets as f64);
    }
}

/// Both streams of an attempt that failed, for people to read.
pub(super) fn all_output(ended: &Ended) -> Option<Vec<u8>> {
    match (ended.stdout.is_empty(), ended.stderr.is_empty()) {
        (true, true) => None,
        (false, true) => Some(ended.stdout.clone()),
        (true, false) => Some(ended.stderr.clone()),
        (false, false) => {
            let mut all = ended.stdout.clone();
            if !all.ends_with(b"\n") {
                all.push(b'\n');
            }
            all.extend_from_slice(b"--- stderr ---\n");
            all.extend_from_slice(&ended.stderr);
            Some(all)
        }
    }
}

/// What kind of text a tool printed, for the name of its file.
pub(super) fn extension(raw: &[u8]) -> &'static str {
    if raw.trim_ascii_start().starts_with(b"{") {
        "json"
    } else {
        "txt"
    }
}
