//! netperf 2.7.

use std::time::Duration;

use super::metric_table::{CPU, RATES, TRANSACTIONS};
use super::name::{EFFECTIVE_MSS, LOST_PERCENT, RETRANSMITS};
use super::{
    BuiltIn, BuiltInTool, CsvDigits, DATAGRAM_BYTES, Direction, IntervalOutput, Kind,
    LARGEST_DATAGRAM_BYTES, MSS_BYTES, Mode, Program, Role, Search, Theory, ToolOption, Transport,
};

const MIB: u64 = 1 << 20;

const fn program(name: &'static str) -> Program<'static> {
    Program {
        name,
        package: "netperf",
    }
}

/// What the modes start from.
const TCP_STREAM: Mode = Mode {
    word: "TCP_STREAM",
    text: "One-way TCP throughput.",
    csv_label: "netperf.",
    transport: Transport::Tcp,
    metrics: &[RATES, &[RETRANSMITS, EFFECTIVE_MSS], CPU],
    overhead: Duration::ZERO,
    size_help: "the size of TCP's segments is `mss`",
    without_rate: "",
    search: Search::Never {
        why: "netperf does not send at a rate, so there is none to find",
        help: "use `iperf3: { protocol: udp }`",
    },
    theory: None,
};

const MESSAGES_HELP: &str = "the sizes of its messages are `request` and `response`";

/// netperf.
pub static NETPERF: BuiltInTool = BuiltInTool {
    id: BuiltIn::Netperf,
    name: "netperf",
    text: "Throughput, request/response latency or connection rate by netperf.",
    programs: &[program("netperf"), program("netserver")],
    // Its licence keeps it out of the main archives.
    package_note: "Debian 12 has it in the component `non-free`, Ubuntu in `multiverse`, which may \
                   must be enabled",
    mode_key: Some("test"),
    mode_text: "The netperf test (-t)",
    modes: &[
        TCP_STREAM,
        Mode {
            word: "TCP_RR",
            text: "Request/response over one TCP connection: latency.",
            csv_label: "netperf TCP_RR.",
            metrics: &[TRANSACTIONS, &[RETRANSMITS, EFFECTIVE_MSS], CPU],
            size_help: MESSAGES_HELP,
            theory: Some(Theory::RoundTrip),
            ..TCP_STREAM
        },
        Mode {
            word: "TCP_CRR",
            text: "A TCP connection for each request: connection rate.",
            csv_label: "netperf TCP_CRR.",
            metrics: &[TRANSACTIONS, &[EFFECTIVE_MSS], CPU],
            // netperf waits for late connections.
            overhead: Duration::from_secs(4),
            size_help: MESSAGES_HELP,
            ..TCP_STREAM
        },
        Mode {
            word: "UDP_STREAM",
            text: "One-way UDP throughput.",
            csv_label: "netperf UDP_STREAM.",
            transport: Transport::Udp,
            metrics: &[RATES, &[LOST_PERCENT], CPU],
            size_help: "the size of UDP's datagrams is `datagram`",
            ..TCP_STREAM
        },
        Mode {
            word: "UDP_RR",
            text: "Request/response over UDP: latency.",
            csv_label: "netperf UDP_RR.",
            transport: Transport::Udp,
            metrics: &[TRANSACTIONS, CPU],
            size_help: MESSAGES_HELP,
            ..TCP_STREAM
        },
    ],
    options: &[
        ToolOption::direction(
            "Which way the payload goes (TCP_MAERTS instead of TCP_STREAM for `reverse`)",
            Direction::Reverse,
        )
        .only_for(&["TCP_STREAM"]),
        ToolOption::number(
            "mss",
            "TCP maximum segment size in bytes (-G)",
            "bytes",
            MSS_BYTES,
        )
        .otherwise("the path's own")
        .role(Role::Size)
        .only_for(&["TCP_STREAM", "TCP_RR", "TCP_CRR"]),
        ToolOption::number(
            "datagram",
            "UDP payload of a datagram in bytes (-m)",
            "bytes",
            1..=LARGEST_DATAGRAM_BYTES,
        )
        .default(DATAGRAM_BYTES)
        .role(Role::Size)
        .only_for(&["UDP_STREAM"])
        .phrase("{}-byte datagrams"),
        ToolOption::bytes("write_size", "Bytes of a write (-m)", 1..=16 * MIB)
            .otherwise("netperf's")
            .role(Role::Size)
            .only_for(&["TCP_STREAM"]),
        ToolOption::other(
            "no_delay",
            "Send each write at once, without Nagle's algorithm (-D)",
            Kind::Flag,
        )
        .only_for(&["TCP_STREAM"]),
        message("request", "Bytes of a request (-r)"),
        message("response", "Bytes of a response (-r)"),
    ],
    warms_up: false,
    warmup_limit: None,
    // It asks for the time of all processors.
    cpu_text: "CPU of the whole node",
    csv_digits: CsvDigits::TwoDecimals,
    interval_output: IntervalOutput::Line,
};

const fn message(name: &'static str, text: &'static str) -> ToolOption {
    ToolOption::bytes(name, text, 1..=MIB)
        .otherwise("1")
        .role(Role::Message)
        .only_for(&["TCP_RR", "TCP_CRR", "UDP_RR"])
}
