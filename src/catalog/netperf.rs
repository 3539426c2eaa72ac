//! netperf 2.7.

use std::time::Duration;

use super::name::{
    CPU_PERCENT_CLIENT, CPU_PERCENT_SERVER, EFFECTIVE_MSS, LATENCY_MAX_US, LATENCY_MEAN_US,
    LATENCY_P50_US, LATENCY_P90_US, LATENCY_P99_US, LOST_PERCENT, RETRANSMITS, SENT_BPS,
    THROUGHPUT_BPS, TRANSACTIONS_PER_S,
};
use super::option::OPTION;
use super::{
    BuiltIn, BuiltInTool, CsvDigits, DATAGRAM_BYTES, Kind, LARGEST_DATAGRAM_BYTES, MSS_BYTES, Mode,
    Program, Role, Search, Theory, ToolOption, Transport,
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
    title: "netperf TCP_STREAM",
    test_name: "netperf-tcp-stream",
    csv_label: "netperf.",
    transport: Transport::Tcp,
    metrics: &[
        THROUGHPUT_BPS,
        SENT_BPS,
        RETRANSMITS,
        EFFECTIVE_MSS,
        CPU_PERCENT_CLIENT,
        CPU_PERCENT_SERVER,
    ],
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
                   have to be enabled",
    mode_key: Some("test"),
    mode_text: "The netperf test (-t)",
    modes: &[
        TCP_STREAM,
        Mode {
            word: "TCP_RR",
            text: "Request/response over one TCP connection: latency.",
            title: "netperf TCP_RR",
            test_name: "netperf-tcp-rr",
            csv_label: "netperf TCP_RR.",
            metrics: &[
                TRANSACTIONS_PER_S,
                LATENCY_MEAN_US,
                LATENCY_P50_US,
                LATENCY_P90_US,
                LATENCY_P99_US,
                LATENCY_MAX_US,
                RETRANSMITS,
                EFFECTIVE_MSS,
                CPU_PERCENT_CLIENT,
                CPU_PERCENT_SERVER,
            ],
            size_help: MESSAGES_HELP,
            theory: Some(Theory::RoundTrip),
            ..TCP_STREAM
        },
        Mode {
            word: "TCP_CRR",
            text: "A TCP connection for each request: connection rate.",
            title: "netperf TCP_CRR",
            test_name: "netperf-tcp-crr",
            csv_label: "netperf TCP_CRR.",
            metrics: &[
                TRANSACTIONS_PER_S,
                LATENCY_MEAN_US,
                LATENCY_P50_US,
                LATENCY_P90_US,
                LATENCY_P99_US,
                LATENCY_MAX_US,
                EFFECTIVE_MSS,
                CPU_PERCENT_CLIENT,
                CPU_PERCENT_SERVER,
            ],
            // netperf waits for late connections.
            overhead: Duration::from_secs(4),
            size_help: MESSAGES_HELP,
            ..TCP_STREAM
        },
        Mode {
            word: "UDP_STREAM",
            text: "One-way UDP throughput.",
            title: "netperf UDP_STREAM",
            test_name: "netperf-udp-stream",
            csv_label: "netperf UDP_STREAM.",
            transport: Transport::Udp,
            metrics: &[
                THROUGHPUT_BPS,
                SENT_BPS,
                LOST_PERCENT,
                CPU_PERCENT_CLIENT,
                CPU_PERCENT_SERVER,
            ],
            size_help: "the size of UDP's datagrams is `datagram`",
            ..TCP_STREAM
        },
        Mode {
            word: "UDP_RR",
            text: "Request/response over UDP: latency.",
            title: "netperf UDP_RR",
            test_name: "netperf-udp-rr",
            csv_label: "netperf UDP_RR.",
            transport: Transport::Udp,
            metrics: &[
                TRANSACTIONS_PER_S,
                LATENCY_MEAN_US,
                LATENCY_P50_US,
                LATENCY_P90_US,
                LATENCY_P99_US,
                LATENCY_MAX_US,
                CPU_PERCENT_CLIENT,
                CPU_PERCENT_SERVER,
            ],
            size_help: MESSAGES_HELP,
            ..TCP_STREAM
        },
    ],
    options: &[
        ToolOption {
            name: "mss",
            text: "TCP maximum segment size in bytes (-G)",
            kind: Kind::Number("bytes"),
            limits: MSS_BYTES,
            otherwise: "the path's own",
            sweeps: true,
            role: Role::Size,
            modes: &["TCP_STREAM", "TCP_RR", "TCP_CRR"],
            ..OPTION
        },
        ToolOption {
            name: "datagram",
            text: "UDP payload of a datagram in bytes (-m)",
            kind: Kind::Number("bytes"),
            limits: 1..=LARGEST_DATAGRAM_BYTES,
            default: Some(DATAGRAM_BYTES),
            sweeps: true,
            role: Role::Size,
            modes: &["UDP_STREAM"],
            phrase: "{}-byte datagrams",
            ..OPTION
        },
        ToolOption {
            name: "write_size",
            text: "Bytes of a write (-m)",
            kind: Kind::Bytes,
            limits: 1..=16 * MIB,
            otherwise: "netperf's",
            sweeps: true,
            role: Role::Size,
            modes: &["TCP_STREAM"],
            ..OPTION
        },
        ToolOption {
            name: "request",
            text: "Bytes of a request (-r)",
            otherwise: "1",
            ..MESSAGE
        },
        ToolOption {
            name: "response",
            text: "Bytes of a response (-r)",
            otherwise: "1",
            ..MESSAGE
        },
    ],
    warms_up: false,
    warmup_limit: None,
    // It asks for the time of all processors.
    cpu_text: "CPU of the whole node",
    csv_digits: CsvDigits::TwoDecimals,
};

/// A request or a response.
const MESSAGE: ToolOption = ToolOption {
    kind: Kind::Bytes,
    limits: 1..=MIB,
    sweeps: true,
    role: Role::Message,
    modes: &["TCP_RR", "TCP_CRR", "UDP_RR"],
    ..OPTION
};
