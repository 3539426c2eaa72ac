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

/// The TCP ports on which workers answer the command line, on their pods' loopback addresses. No declared tool may
/// listen there. A pod with a network of its own has the first one. Workers on the network of one node, of whatever
/// runs, each take the first that is free; one that finds none holds no copy of the journal.
pub const WORKER_CONTROL_PORTS: RangeInclusive<u16> = 15_202..=15_209;
