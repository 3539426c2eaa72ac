//! The options of the built-in tools.

use crate::plan::describe::key::{
    BIT_RATE, Form, Key, Kind, Limits, MAPPING, Mapping, key, limits, words,
};
use crate::plan::model::choice::Choice;
use crate::plan::model::tools::limits as tool_limits;
use crate::plan::model::tools::tool::{NetperfTest, Protocol};

impl Choice for Protocol {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Tcp, ""), (Self::Udp, "")];
}

impl Choice for NetperfTest {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::TcpStream, "One-way TCP throughput."),
        (
            Self::TcpRr,
            "Request/response over one TCP connection: latency.",
        ),
        (
            Self::TcpCrr,
            "A TCP connection for each request: connection rate.",
        ),
        (Self::UdpStream, "One-way UDP throughput."),
        (Self::UdpRr, "Request/response over UDP: latency."),
    ];
}

const MIB: u64 = 1 << 20;

const fn bytes(limits: &std::ops::RangeInclusive<u64>) -> Limits {
    Limits {
        least: *limits.start(),
        most: *limits.end(),
        unit: "bytes",
    }
}

/// iperf3 refuses more.
const STREAMS: Kind = Kind::Sweep(&Kind::Number(limits(
    *tool_limits::STREAMS.start(),
    *tool_limits::STREAMS.end(),
    "streams",
)));

const IPERF3_KEYS: &[Key] = &[
    key("protocol", Kind::Word(words::<Protocol>), "The transport protocol.").or("tcp"),
    key("streams", STREAMS, "Parallel streams (-P).").or("1"),
    key("mss", Kind::Sweep(&Kind::Number(bytes(&tool_limits::IPERF3_MSS))),
        "TCP maximum segment size in bytes (-M).").or("the path's own"),
    key("datagram", Kind::Sweep(&Kind::Number(bytes(&tool_limits::IPERF3_DATAGRAM))),
        "UDP payload of a datagram in bytes (-l).").or("1460 for UDP"),
    key("rate", Kind::Sweep(&Kind::Rate(BIT_RATE)),
        "Sending rate of each stream (-b), e.g. `100 Mbit/s`.").or("unlimited"),
    key("write_size", Kind::Sweep(&Kind::Bytes(limits(1, MIB, "bytes"))), "Bytes a TCP write (-l).")
        .or("iperf3's 128 KiB"),
    key("window", Kind::Bytes(limits(1, 512 * MIB, "bytes")),
        "Socket buffer of both ends (-w), e.g. `2 MiB`; at most what the kernels' `rmem_max` and \
         `wmem_max` allow.")
        .or("the kernel's, which it tunes for TCP and keeps small for UDP: then UDP without a `rate` loses datagrams at the receiver",),
    key("congestion", Kind::Text(Form::Pattern("^[A-Za-z0-9_-]{1,15}$")),
        "TCP congestion control (-C), e.g. `cubic`.").or("the kernel's"),
    key("zerocopy", Kind::Bool, "Send with sendfile(2) (-Z).").or("false"),
];

/// iperf3.
pub static IPERF3: Mapping = Mapping {
    name: "Iperf3",
    what: "a mapping with options of iperf3, e.g. `{ protocol: tcp }`",
    text: "Throughput by iperf3. A value that sweeps is a number, a list, or `{from, to, step}`.",
    keys: &[IPERF3_KEYS],
    may_be_empty: true,
    ..MAPPING
};

const NETPERF_KEYS: &[Key] = &[
    key("test", Kind::Word(words::<NetperfTest>), "The netperf test (-t).").or("`TCP_STREAM`"),
    key("mss", Kind::Sweep(&Kind::Number(bytes(&tool_limits::NETPERF_MSS))),
        "TCP maximum segment size in bytes (-G).").or("the path's own"),
    key("datagram", Kind::Sweep(&Kind::Number(bytes(&tool_limits::NETPERF_DATAGRAM))),
        "`UDP_STREAM` only: UDP payload of a datagram in bytes (-m).").or("1460"),
    key("write_size", Kind::Sweep(&Kind::Bytes(limits(1, 16 * MIB, "bytes"))),
        "`TCP_STREAM` only: bytes a write (-m).").or("netperf's"),
    key("request", Kind::Sweep(&Kind::Bytes(limits(1, MIB, "bytes"))),
        "`*_RR` and `TCP_CRR` only: bytes of a request (-r).").or("1"),
    key("response", Kind::Sweep(&Kind::Bytes(limits(1, MIB, "bytes"))),
        "`*_RR` and `TCP_CRR` only: bytes of a response (-r).").or("1"),
];

/// netperf.
pub static NETPERF: Mapping = Mapping {
    name: "Netperf",
    what: "a mapping with options of netperf, e.g. `{ test: TCP_RR }`",
    text: "Throughput, request/response latency or connection rate by netperf.",
    keys: &[NETPERF_KEYS],
    may_be_empty: true,
    ..MAPPING
};
