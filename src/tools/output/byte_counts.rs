//! Checks of the bytes that a sender and its receiver report.

use crate::tools::failure::{Cause, Failure};

/// What may arrive of so many bytes that were sent: one in a hundred more. Networks duplicate few
/// packets; beyond that a counter is wrong.
pub(in crate::tools) fn received_allowed(sent: f64) -> f64 {
    sent * 1.01
}

/// More arrived than was sent.
pub(in crate::tools) fn more_received(tool: &str, received: f64, sent: f64) -> Failure {
    Failure::new(
        Cause::ImpossibleFigure,
        &format!("{tool} reports {received:.0} bytes received of {sent:.0} bytes sent"),
    )
}

/// Datagrams of `datagram` bytes a second at a rate of payload.
pub fn packets_per_s(throughput_bps: f64, datagram: Option<u64>) -> Option<f64> {
    let bytes = datagram.filter(|bytes| *bytes > 0)?;
    Some(throughput_bps / 8.0 / bytes as f64)
}
