//! A round trip through a full queue: it waits for (queue − one packet) / rate.
//!
//! A drop-tail queue that more is sent to than its link carries stays full up to less than one packet. A
//! small request that finds room waits until all before it has been sent. The response comes back over the other
//! direction, which is idle.

use super::check::{Check, median, within};
use crate::catalog::{DATAGRAM_BYTES, Direction, Transport};
use crate::plan::{ETHERNET_BYTES, Load, Plan, Test, ToolSpec};
use crate::report::CellReport;
use crate::schedule::{Param, Params};
use crate::tools::name;

/// How far the median may be off theory.
const PERCENT: f64 = 5.0;
/// A load of so many times the link's rate keeps the queue full.
const OVERLOAD: f64 = 1.2;
/// IPv4 and UDP.
const HEADERS: u64 = 28;

/// The check of a cell whose loads fill the link's queue in the direction of its requests; `None` for others.
pub fn check(plan: &Plan, test: &Test, cell: &CellReport) -> Option<Check> {
    let link = &plan.local.links;
    let (rate, queue) = (link.rate?, link.queue?);
    let [load] = test.load.as_slice() else {
        return None;
    };
    let (offered_bps, datagram) = offered(load)?;
    let same_path = load.paths == test.paths;
    let is_idle = link.delay.is_none() && link.loss.is_none();
    if !same_path || !is_idle || offered_bps < OVERLOAD * rate.0 as f64 {
        return None;
    }
    let bytes = queue.bytes(rate) as f64 - (datagram + HEADERS + ETHERNET_BYTES) as f64;
    let theory = bytes * 8.0 / rate.0 as f64 * 1e3;
    let found = median(cell, name::LATENCY_P50_US).map(|us| us / 1e3);
    let what = format!("round trip through a full queue, {rate}");
    Some(within(what, "ms", Some(theory), found, PERCENT))
}

/// What a load of datagrams sends forward in bits a second, headers included, and the size of a datagram.
fn offered(load: &Load) -> Option<(f64, u64)> {
    if load.tool.transport() != Some(Transport::Udp) {
        return None;
    }
    let ToolSpec::BuiltIn(_) = load.tool else {
        return None;
    };
    let params = Params::fixed(&load.tool);
    if params.direction() == Direction::Reverse {
        return None;
    }
    let datagram = params.get(Param::Datagram).unwrap_or(DATAGRAM_BYTES);
    let streams = params.get(Param::Streams).unwrap_or(1);
    let payload_bps = params.get(Param::Rate)?.saturating_mul(streams) as f64;
    let on_the_wire = (datagram + HEADERS + ETHERNET_BYTES) as f64 / datagram.max(1) as f64;
    Some((payload_bps * on_the_wire, datagram))
}
