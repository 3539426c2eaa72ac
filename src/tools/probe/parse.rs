//! What the probe's document says.

use serde_json::Value;

use super::output::{BlackHole, Document, Gaps, Latency, Mtu, Outages};
use crate::catalog::{PROBE, name};
use crate::tools::failure::{Cause, Failure};
use crate::tools::metrics::Metrics;
use crate::tools::output::process_end::{Ended, How};
use crate::tools::output::sample_time::too_short;
use crate::tools::output::{document, exit_failure, tool_text};
use crate::tools::tool::Job;

/// Messages of the kernel, in lower case, and their cause; the first match counts.
const KNOWN: &[(&[&str], Cause)] = &[
    (&["unexpected argument"], Cause::OptionRefused),
    (&["cannot connect", "refused"], Cause::Refused),
    (&["cannot connect", "timed out"], Cause::ConnectTimeout),
    (&["cannot connect", "no route"], Cause::NoRoute),
    (&["cannot connect", "unreachable"], Cause::NoRoute),
    (&["cannot connect", "reset"], Cause::ServerTerminated),
    (&["in use"], Cause::ServerFailed),
    (&["no answer over udp"], Cause::NothingMoved),
    (&["were not found within"], Cause::TooShort),
];

/// The names of the three figures of gaps.
struct OutageNames {
    longest: &'static str,
    total: &'static str,
}

pub(super) fn read(job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
    let said = tool_text::last_lines(&[&ended.stderr], |_| false);
    let aborted = exit_failure::aborted(PROBE.name, ended, &said);
    if let Some(failure) = aborted {
        return Err(failure);
    }
    if ended.how != How::Code(0) {
        return Err(exit_failure::without_result(
            PROBE.name, ended, &said, KNOWN,
        ));
    }
    let unparsable = |why: &str| {
        let words = format!("{why}{}", tool_text::cut_note(ended));
        Failure::new(Cause::Unparsable, &words)
    };
    let value = printed(ended).ok_or_else(|| unparsable("the probe printed no result"))?;
    let document: Document = serde_json::from_value(value)
        .map_err(|error| unparsable(&format!("the probe's result is not as expected: {error}")))?;
    if let Some(mtu) = &document.mtu {
        return Ok(mtu_metrics(mtu));
    }
    if too_short(document.duration_s, job.timing.duration.0) {
        let (lasted, asked) = (document.duration_s, job.timing.duration);
        let words = format!("the probe measured for {lasted:.2} s instead of {asked}");
        return Err(Failure::new(Cause::TooShort, &words));
    }
    for (kind, count, latency) in kinds(&document) {
        if latency.is_none() {
            let words = format!("the probe got no answer over {kind}: it sent {count}");
            return Err(Failure::new(Cause::NothingMoved, &words));
        }
    }
    Ok(metrics(&document))
}

/// The gaps that the client printed.
pub(super) fn outages(ended: &Ended) -> Vec<Outages> {
    let outages = document_of(ended).map(|document| document.outages());
    outages.unwrap_or_default()
}

/// The black holes that the client printed.
pub(super) fn black_holes(ended: &Ended) -> Vec<BlackHole> {
    let mtu = document_of(ended).and_then(|document| document.mtu);
    mtu.as_ref().map(Mtu::black_holes).unwrap_or_default()
}

fn document_of(ended: &Ended) -> Option<Document> {
    serde_json::from_value(printed(ended)?).ok()
}

fn printed(ended: &Ended) -> Option<Value> {
    let text = String::from_utf8_lossy(&ended.stdout);
    document::last(&text, |value| value.get("netplan_probe").is_some())
}

/// Each kind of traffic, how much of it was sent, and its latency.
fn kinds(document: &Document) -> Vec<(&'static str, u64, Option<&Latency>)> {
    let udp = document.udp.as_ref();
    let tcp = document.tcp.as_ref();
    let connect = document.connect.as_ref();
    [
        udp.map(|udp| ("UDP", udp.sent, udp.latency.as_ref())),
        tcp.map(|tcp| ("TCP", tcp.sent, tcp.latency.as_ref())),
        connect.map(|new| ("new connections", new.tried, new.latency.as_ref())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn mtu_metrics(mtu: &Mtu) -> Metrics {
    let mut metrics = Metrics::default();
    for (name, found) in [
        (name::MTU_FORWARD_BYTES, mtu.forward),
        (name::MTU_REVERSE_BYTES, mtu.reverse),
    ] {
        metrics.set(name, found.largest_bytes.into());
    }
    metrics
}

fn metrics(document: &Document) -> Metrics {
    let mut metrics = Metrics::default();
    let mut set = |name: &str, value: f64| metrics.set(name, value);
    let Document {
        udp,
        tcp,
        connect,
        client,
        server,
        ..
    } = document;
    set(name::ELAPSED_S, document.duration_s);
    // The headline is that of the first kind.
    let latencies: Vec<&Latency> = kinds(document)
        .into_iter()
        .filter_map(|(.., it)| it)
        .collect();
    if let Some(latency) = latencies.first() {
        for (name, value) in [
            (name::LATENCY_MEAN_US, latency.mean_us),
            (name::LATENCY_P50_US, latency.p50_us),
            (name::LATENCY_P90_US, latency.p90_us),
            (name::LATENCY_P99_US, latency.p99_us),
            (name::LATENCY_P99_9_US, latency.p99_9_us),
            (name::LATENCY_P99_99_US, latency.p99_99_us),
            (name::LATENCY_MAX_US, latency.max_us),
        ] {
            set(name, value);
        }
    }
    let is_alone = latencies.len() == 1;
    let kinds_of_gaps = [
        udp.as_ref().map(|udp| &udp.gaps),
        tcp.as_ref().map(|tcp| &tcp.gaps),
        connect.as_ref().map(|connect| &connect.gaps),
    ];
    let most = |of: fn(&Gaps) -> u64| {
        let values = kinds_of_gaps.iter().flatten().map(|gaps| of(gaps));
        values.max().unwrap_or(0) as f64
    };
    set(name::OUTAGE_LONGEST_US, most(|gaps| gaps.longest_us));
    set(name::OUTAGE_TOTAL_US, most(|gaps| gaps.total_us));
    set(name::OUTAGE_COUNT, most(|gaps| gaps.count));
    if !is_alone {
        let names = [
            OutageNames {
                longest: name::UDP_OUTAGE_LONGEST_US,
                total: name::UDP_OUTAGE_TOTAL_US,
            },
            OutageNames {
                longest: name::TCP_OUTAGE_LONGEST_US,
                total: name::TCP_OUTAGE_TOTAL_US,
            },
            OutageNames {
                longest: name::CONNECT_OUTAGE_LONGEST_US,
                total: name::CONNECT_OUTAGE_TOTAL_US,
            },
        ];
        for (names, gaps) in names.into_iter().zip(kinds_of_gaps) {
            if let Some(gaps) = gaps {
                set(names.longest, gaps.longest_us as f64);
                set(names.total, gaps.total_us as f64);
            }
        }
    }
    if let Some(udp) = udp {
        let lost = udp.sent.saturating_sub(udp.answered);
        set(
            name::LOST_PERCENT,
            lost as f64 / udp.sent.max(1) as f64 * 100.0,
        );
        set(name::REORDERED, udp.reordered as f64);
        set(name::DUPLICATES, udp.duplicates as f64);
    }
    if let Some(tcp) = tcp {
        set(name::CONNECTIONS_BROKEN, tcp.broken.count() as f64);
        set(name::CONNECTIONS_SURVIVED, tcp.survived as f64);
        if let (false, Some(latency)) = (is_alone, &tcp.latency) {
            set(name::TCP_LATENCY_P50_US, latency.p50_us);
            set(name::TCP_LATENCY_P99_US, latency.p99_us);
            set(name::TCP_LATENCY_MAX_US, latency.max_us);
        }
    }
    if let Some(connect) = connect {
        set(name::CONNECTIONS_FAILED, connect.failed.count() as f64);
        if let (false, Some(latency)) = (is_alone, &connect.latency) {
            set(name::CONNECT_LATENCY_P50_US, latency.p50_us);
            set(name::CONNECT_LATENCY_P99_US, latency.p99_us);
            set(name::CONNECT_LATENCY_MAX_US, latency.max_us);
        }
    }
    set(name::STALL_LONGEST_US, client.stalls.longest_us as f64);
    set(name::STALL_TOTAL_US, client.stalls.total_us as f64);
    set(name::CPU_PERCENT_CLIENT, client.cpu_percent);
    if let Some(delay) = &client.delay {
        set(name::DELAY_CLIENT_US, delay.p99_us);
    }
    if let Some(server) = server {
        set(name::CPU_PERCENT_SERVER, server.cpu_percent);
        if let Some(delay) = &server.delay {
            set(name::DELAY_SERVER_US, delay.p99_us);
        }
    }
    metrics
}
