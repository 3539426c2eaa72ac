//! What is to be made of what a process left.

use std::time::Duration;

use crate::rpc::pb::TcpInfo;
use crate::tools::{Cause, Ended, How, Metrics, name};

/// Why a server that has ended before it was ready did so.
pub(super) fn why_no_server(ended: &Ended, ready: Duration) -> (Cause, String) {
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
                "the server was not ready within {} s",
                ready.as_secs()
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
        if metrics.get(name).is_none() {
            metrics.set(name, f64::from(value));
        }
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
