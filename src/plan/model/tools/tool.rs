//! The tool of a test and its options.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::describe::schema::within;
use crate::plan::model::sweep::Sweep;
use crate::plan::model::tools::declared::DeclaredUse;
use crate::plan::model::tools::limits;
use crate::plan::model::units::{BitRate, Bytes};

/// The tool of a test. A choice is a key: `iperf3: {…}`, `netperf: {…}`, or a name from `tools:`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolSpec {
    Iperf3(Iperf3),
    Netperf(Netperf),
    // The schema adds it by hand: its key is a name.
    #[serde(untagged)]
    #[schemars(skip)]
    Declared(DeclaredUse),
}

/// Throughput by iperf3. A value that sweeps is a number, a list, or `{from, to, step}`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Iperf3 {
    /// `tcp` or `udp`. Default: tcp.
    pub protocol: Protocol,
    /// Parallel streams (-P), 1 to 128. Default: 1.
    #[schemars(transform = within(limits::STREAMS))]
    pub streams: Sweep<u64>,
    /// TCP maximum segment size in bytes (-M), 88 to 9216. Default: the path's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = within(limits::IPERF3_MSS))]
    pub mss: Option<Sweep<u64>>,
    /// UDP payload of a datagram in bytes (-l), 16 to 65507. Default for UDP: 1460.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = within(limits::IPERF3_DATAGRAM))]
    pub datagram: Option<Sweep<u64>>,
    /// Sending rate of each stream (-b), as in `100 Mbit/s`. Default: unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Sweep<BitRate>>,
    /// Bytes a TCP write (-l), up to 1 MiB. Default: iperf3's 128 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_size: Option<Sweep<Bytes>>,
    /// Socket buffer of both ends (-w), as in `2 MiB`; at most what the kernels' `rmem_max` and
    /// `wmem_max` allow. Default: the kernel's, which it tunes for TCP and keeps small for UDP:
    /// then UDP without a `rate` loses datagrams at the receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Bytes>,
    /// TCP congestion control (-C), as in `cubic`. Default: the kernel's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 15), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub congestion: Option<String>,
    /// Send with sendfile(2) (-Z). Default: false.
    pub zerocopy: bool,
}

/// Transport protocol of an iperf3 test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
}

/// Throughput, request/response latency or connection rate by netperf.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Netperf {
    /// The netperf test (-t). Default: `TCP_STREAM`.
    pub test: NetperfTest,
    /// TCP maximum segment size in bytes (-G), 88 to 32767. Default: the path's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = within(limits::NETPERF_MSS))]
    pub mss: Option<Sweep<u64>>,
    /// `UDP_STREAM` only: UDP payload of a datagram in bytes (-m), 1 to 65507. Default: 1460.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = within(limits::NETPERF_DATAGRAM))]
    pub datagram: Option<Sweep<u64>>,
    /// `TCP_STREAM` only: bytes a write (-m). Default: netperf's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_size: Option<Sweep<Bytes>>,
    /// `*_RR` and `TCP_CRR` only: bytes of a request (-r). Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Sweep<Bytes>>,
    /// `*_RR` and `TCP_CRR` only: bytes of a response (-r). Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Sweep<Bytes>>,
}

/// The netperf tests that netplan knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NetperfTest {
    /// One-way TCP throughput.
    #[default]
    TcpStream,
    /// Request/response over one TCP connection: latency.
    TcpRr,
    /// A TCP connection for each request: connection rate.
    TcpCrr,
    /// One-way UDP throughput.
    UdpStream,
    /// Request/response over UDP: latency.
    UdpRr,
}

impl NetperfTest {
    pub const ALL: [NetperfTest; 5] = [
        NetperfTest::TcpStream,
        NetperfTest::TcpRr,
        NetperfTest::TcpCrr,
        NetperfTest::UdpStream,
        NetperfTest::UdpRr,
    ];

    /// What an invocation takes beyond the time that it is told to measure: netperf waits for late
    /// connections after `TCP_CRR`.
    #[must_use]
    pub fn overhead(self) -> Duration {
        match self {
            NetperfTest::TcpCrr => Duration::from_secs(4),
            _ => Duration::ZERO,
        }
    }
}

impl ToolSpec {
    /// What an invocation takes beyond the time that it is told to measure.
    #[must_use]
    pub fn overhead(&self) -> Duration {
        match self {
            ToolSpec::Iperf3(_) => Duration::ZERO,
            ToolSpec::Netperf(netperf) => netperf.test.overhead(),
            ToolSpec::Declared(used) => used.tool.overhead.0,
        }
    }

    /// Whether its client warms up by itself; else a warm-up is an invocation of its own.
    #[must_use]
    pub fn has_warmup(&self) -> bool {
        match self {
            ToolSpec::Iperf3(_) => true,
            ToolSpec::Netperf(_) => false,
            ToolSpec::Declared(used) => used.tool.client.warms_up,
        }
    }
}
