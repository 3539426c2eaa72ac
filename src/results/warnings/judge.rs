//! Finds the warnings of a sample: each cause with its threshold.

use super::circumstances::Circumstances;
use super::warning::Warning;
use crate::results::environment::host_metrics::{self, End};
use crate::schedule::{Param, Params};
use crate::tools::{Metrics, name};

/// TCP's timestamps take so many bytes of each segment (RFC 7323: 10, and 2 to align): with them
/// the effective MSS is that much below the requested one, and nothing is wrong.
const TIMESTAMPS: f64 = 12.0;
/// A node this busy, in percent of all its CPUs, has nothing left to send or receive more with. Not
/// 100: /proc/stat counts in ticks of 10 ms, and the two readings lie outside the sample.
pub const SATURATED_PERCENT: f64 = 95.0;
/// From this share of stolen time on the figures are the hypervisor's as well.
pub const STOLEN_PERCENT: f64 = 5.0;
/// How far a tool's own time may be off the asked one: so much of it, and at least [`ELAPSED_S`],
/// which setting up and draining takes whatever the duration.
pub const ELAPSED_PERCENT: f64 = 5.0;
/// See [`ELAPSED_PERCENT`].
pub const ELAPSED_S: f64 = 0.1;
/// Segments sent again, in percent of those sent. TCP's rate falls with the root of this share
/// (Mathis et al. 1997: rate ≤ MSS / RTT · 1.22 / √p). A flow that fills a link without a policer
/// loses far less than one in a hundred; from there on losses set the pace.
pub const BURST_PERCENT: f64 = 1.0;
/// Fewer lost segments than these are an accident, whatever their share.
pub const BURST_SEGMENTS: f64 = 10.0;
/// Traffic that the tool cannot have caused, in percent of what it can have, and at least
/// [`OTHER_BPS`]: gRPC, ARP and DNS are always there.
pub const OTHER_PERCENT: f64 = 5.0;
/// Bits per second; see [`OTHER_PERCENT`].
pub const OTHER_BPS: f64 = 1e6;
/// The most that headers take of a packet on its way, in bytes. The interface may be the node's, which
/// also counts the headers of an overlay network: Ethernet with a VLAN 18, IPv6 40, UDP 8, VXLAN 8
/// (RFC 7348), and within it Ethernet 14, IPv6 40, TCP with timestamps 32. `WireGuard` with IPv4 takes less.
const HEADERS: f64 = 160.0;

/// Finds all warnings of a sample.
#[must_use]
pub fn find_warnings(params: &Params, metrics: &Metrics, about: &Circumstances) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(mss(params, metrics));
    if about.sweeps_mss && params.get(Param::Mss).is_some() {
        if about.loopback {
            warnings.push(Warning::Loopback);
        } else if !about.offloads.is_empty() {
            warnings.push(Warning::Offloaded {
                features: about.offloads.clone(),
            });
        }
    }
    for end in End::BOTH {
        if about.hairpin && end == End::Server {
            // It saw what the client saw.
            continue;
        }
        warnings.extend(cpu(metrics, end));
        warnings.extend(throttled(metrics, end));
        warnings.extend(other_traffic(params, metrics, about, end));
    }
    warnings.extend(elapsed(metrics, about.asked_s));
    warnings.extend(burst(metrics));
    warnings.extend(about.vanished.iter().copied().map(Warning::from));
    warnings
}

fn mss(params: &Params, metrics: &Metrics) -> Option<Warning> {
    let asked = params.get(Param::Mss)?;
    let effective = metrics.get(name::EFFECTIVE_MSS)?;
    let lacks = asked as f64 - effective;
    (!(0.0..=TIMESTAMPS).contains(&lacks)).then_some(Warning::MssDiffers { asked, effective })
}

fn cpu(metrics: &Metrics, end: End) -> impl Iterator<Item = Warning> {
    let busy = metrics.get(host_metrics::NODE_BUSY_PERCENT.at(end));
    let steal = metrics.get(host_metrics::NODE_STEAL_PERCENT.at(end));
    let saturated = busy.filter(|busy| *busy >= SATURATED_PERCENT);
    let stolen = steal.filter(|steal| *steal >= STOLEN_PERCENT);
    saturated
        .map(|busy_percent| Warning::CpuSaturated { end, busy_percent })
        .into_iter()
        .chain(stolen.map(|steal_percent| Warning::CpuStolen { end, steal_percent }))
}

fn throttled(metrics: &Metrics, end: End) -> Option<Warning> {
    let periods = metrics.get(host_metrics::THROTTLED_PERIODS.at(end))?;
    let throttled_us = metrics.get(host_metrics::THROTTLED_US.at(end))?;
    (periods > 0.0).then_some(Warning::Throttled {
        end,
        periods,
        throttled_us,
    })
}

fn elapsed(metrics: &Metrics, asked_s: f64) -> Option<Warning> {
    let elapsed_s = metrics.get(name::ELAPSED_S)?;
    let allowed = (asked_s * ELAPSED_PERCENT / 100.0).max(ELAPSED_S);
    ((elapsed_s - asked_s).abs() > allowed).then_some(Warning::ElapsedOff { asked_s, elapsed_s })
}

fn burst(metrics: &Metrics) -> Option<Warning> {
    let retransmits = metrics.get(name::RETRANSMITS)?;
    let bytes = sent_bytes_per_s(metrics)? * metrics.get(name::ELAPSED_S)?;
    let segments = bytes / metrics.get(name::EFFECTIVE_MSS).filter(|mss| *mss > 0.0)?;
    let percent = 100.0 * retransmits / segments;
    (percent.is_finite() && percent >= BURST_PERCENT && retransmits >= BURST_SEGMENTS).then_some(
        Warning::RetransmitBurst {
            retransmits,
            percent,
        },
    )
}

/// Payload that the tool put on its way each second.
fn sent_bytes_per_s(metrics: &Metrics) -> Option<f64> {
    let sent = metrics.get(name::SENT_BPS);
    let received = metrics.get(name::THROUGHPUT_BPS);
    let most = sent.into_iter().chain(received).reduce(f64::max)?;
    (most > 0.0).then_some(most / 8.0)
}

/// What crossed the interface beyond the most that a bulk transfer can have caused: its payload,
/// headers on every packet that was counted, and a warm-up at up to twice its rate. So only payload
/// of others shows, at least a part of it. Of requests and responses the payload is not known, so
/// they are not judged.
fn other_traffic(
    params: &Params,
    metrics: &Metrics,
    about: &Circumstances,
    end: End,
) -> Option<Warning> {
    if about.loaded {
        return None;
    }
    let figure = |metric: host_metrics::AtEnds| metrics.get(metric.at(end));
    let crossed = figure(host_metrics::SENT_BYTES)? + figure(host_metrics::RECEIVED_BYTES)?;
    let window_s = figure(host_metrics::OBSERVED_S).filter(|s| *s > 0.0)?;
    let payload = sent_bytes_per_s(metrics)?;
    let size = metrics
        .get(name::EFFECTIVE_MSS)
        .or_else(|| Some(params.size()? as f64))
        .filter(|size| *size > 0.0)?;
    // A datagram larger than the MTU travels in fragments, each with its headers.
    let carried = match about.mtu {
        0 => size,
        mtu => size.min((f64::from(mtu) - HEADERS).max(1.0)),
    };
    let warmup_s = match end {
        End::Client => about.client_warmup_s,
        End::Server => about.server_warmup_s,
    };
    let seconds = metrics.get(name::ELAPSED_S)? + 2.0 * warmup_s;
    let again = metrics.get(name::RETRANSMITS).unwrap_or(0.0) * (size + HEADERS);
    let ways = if about.hairpin { 2.0 } else { 1.0 };
    let packets = figure(host_metrics::SENT_PACKETS).zip(figure(host_metrics::RECEIVED_PACKETS));
    let headers = match packets {
        // Small writes travel in small packets, whatever the MSS.
        Some((sent, received)) => HEADERS * (sent + received),
        // Not counted: a segment is full, and each has an acknowledgement.
        None => ways * payload * seconds * 2.0 * HEADERS / carried,
    };
    let own = ways * (payload * seconds + again) + headers;
    let other = crossed - own;
    let (bps, percent) = (other * 8.0 / window_s, 100.0 * other / own);
    (bps.is_finite() && percent.is_finite() && bps >= OTHER_BPS && percent >= OTHER_PERCENT)
        .then_some(Warning::OtherTraffic { end, bps, percent })
}
