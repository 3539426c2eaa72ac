//! The limits of tools and of Linux, for the decoder and for the schema.

use std::ops::RangeInclusive;

/// iperf3 refuses more (`MAX_STREAMS`).
pub const STREAMS: RangeInclusive<u64> = 1..=128;
/// iperf3 3.12 leaves out no more seconds at the beginning (`--omit`, `MAX_OMIT_TIME`); 3.18 does.
pub const IPERF3_WARMUP_S: u64 = 60;
/// Linux refuses less (`TCP_MIN_MSS`), iperf3 3.12 more (`MAX_MSS`).
pub const IPERF3_MSS: RangeInclusive<u64> = 88..=9_216;
/// Linux refuses less (`TCP_MIN_MSS`) and more (`MAX_TCP_WINDOW`).
pub const NETPERF_MSS: RangeInclusive<u64> = 88..=32_767;
/// iperf3 refuses less, since its own header has to fit; UDP over IPv4 carries no more.
pub const IPERF3_DATAGRAM: RangeInclusive<u64> = 16..=LARGEST_DATAGRAM;
/// UDP over IPv4 carries no more.
pub const NETPERF_DATAGRAM: RangeInclusive<u64> = 1..=LARGEST_DATAGRAM;
/// The largest payload of a UDP datagram over IPv4.
pub const LARGEST_DATAGRAM: u64 = 65_507;
