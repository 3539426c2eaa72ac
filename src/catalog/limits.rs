//! Limits of Linux that hold for every tool.

use std::ops::RangeInclusive;

/// The largest payload of a UDP datagram over IPv4, in bytes.
pub const LARGEST_DATAGRAM_BYTES: u64 = 65_507;

/// The TCP maximum segment size, in bytes: Linux refuses less (`TCP_MIN_MSS`) and more
/// (`MAX_TCP_WINDOW`).
pub const MSS_BYTES: RangeInclusive<u64> = 88..=32_767;

/// The default payload of a datagram, in bytes: it is not split on a link with an MTU of 1500, with some room for the
/// header of a tunnel.
pub const DATAGRAM_BYTES: u64 = 1_460;

/// The TCP port on which each worker answers the command line, on its pod's loopback addresses. No declared
/// tool may listen there. Of several workers on one host's network only one gets it; the others hold no copy of the journal.
pub const WORKER_CONTROL_PORT: u16 = 15202;
