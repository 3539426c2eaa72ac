//! iperf3. Limits are those of iperf3 3.12, the oldest version that netplan supports.

use std::time::Duration;

use super::name::{
    CPU_PERCENT_CLIENT, CPU_PERCENT_SERVER, EFFECTIVE_MSS, JITTER_US, LOST_PERCENT, RETRANSMITS,
    RTT_US, SENT_BPS, THROUGHPUT_BPS,
};
use super::option::OPTION;
use super::{
    BuiltIn, BuiltInTool, CsvDigits, DATAGRAM_BYTES, Kind, LARGEST_DATAGRAM_BYTES, MSS_BYTES, Mode,
    Program, Role, Search, Theory, ToolOption, Transport, WarmupLimit,
};

const MIB: u64 = 1 << 20;

/// iperf3.
pub static IPERF3: BuiltInTool = BuiltInTool {
    id: BuiltIn::Iperf3,
    name: "iperf3",
    text: "Throughput by iperf3.",
    programs: &[Program {
        name: "iperf3",
        package: "iperf3",
    }],
    package_note: "",
    mode_key: Some("protocol"),
    mode_text: "Transport protocol of the test (-u for UDP)",
    modes: &[
        Mode {
            word: "tcp",
            text: "TCP throughput.",
            title: "iperf3 TCP",
            test_name: "iperf3-tcp",
            csv_label: "iperf TCP.",
            transport: Transport::Tcp,
            metrics: &[
                THROUGHPUT_BPS,
                SENT_BPS,
                RETRANSMITS,
                RTT_US,
                EFFECTIVE_MSS,
                CPU_PERCENT_CLIENT,
                CPU_PERCENT_SERVER,
            ],
            overhead: Duration::ZERO,
            size_help: "the size of TCP's segments is `mss`",
            without_rate: "",
            search: Search::Never {
                why: "TCP finds the highest rate by itself",
                help: "leave `find` out, or write `protocol: udp`",
            },
            theory: Some(Theory::Goodput),
        },
        Mode {
            word: "udp",
            text: "UDP throughput and loss.",
            title: "iperf3 UDP",
            test_name: "iperf3-udp",
            csv_label: "iperf UDP.",
            transport: Transport::Udp,
            metrics: &[
                THROUGHPUT_BPS,
                SENT_BPS,
                LOST_PERCENT,
                JITTER_US,
                CPU_PERCENT_CLIENT,
                CPU_PERCENT_SERVER,
            ],
            overhead: Duration::ZERO,
            size_help: "the size of UDP's datagrams is `datagram`",
            // It explains the loss.
            without_rate: "as fast as it can",
            search: Search::ByRate,
            theory: Some(Theory::Loss),
        },
    ],
    options: &[
        ToolOption {
            name: "streams",
            text: "Parallel streams (-P)",
            kind: Kind::Number("streams"),
            // iperf3 refuses more (`MAX_STREAMS`).
            limits: 1..=128,
            default: Some(1),
            sweeps: true,
            phrase: "{} streams",
            ..OPTION
        },
        ToolOption {
            name: "mss",
            text: "TCP maximum segment size in bytes (-M)",
            kind: Kind::Number("bytes"),
            // iperf3 refuses more (`MAX_MSS`).
            limits: *MSS_BYTES.start()..=9_216,
            otherwise: "the path's own",
            sweeps: true,
            role: Role::Size,
            modes: &["tcp"],
            ..OPTION
        },
        ToolOption {
            name: "datagram",
            text: "UDP payload of a datagram in bytes (-l)",
            kind: Kind::Number("bytes"),
            // iperf3 refuses less: its own header has to fit.
            limits: 16..=LARGEST_DATAGRAM_BYTES,
            default: Some(DATAGRAM_BYTES),
            sweeps: true,
            role: Role::Size,
            modes: &["udp"],
            phrase: "{}-byte datagrams",
            ..OPTION
        },
        ToolOption {
            name: "rate",
            text: "Sending rate of each stream (-b), e.g. `100 Mbit/s`",
            kind: Kind::BitRate,
            limits: 1_000..=1_000_000_000_000,
            otherwise: "unlimited",
            sweeps: true,
            phrase: "{} a stream",
            ..OPTION
        },
        ToolOption {
            name: "write_size",
            text: "Bytes of a TCP write (-l)",
            kind: Kind::Bytes,
            limits: 1..=MIB,
            otherwise: "iperf3's 128 KiB",
            sweeps: true,
            role: Role::Size,
            modes: &["tcp"],
            ..OPTION
        },
        ToolOption {
            name: "window",
            text: "Socket buffer of both ends (-w), e.g. `2 MiB`; at most what the kernels' \
                   `rmem_max` and `wmem_max` allow",
            kind: Kind::Bytes,
            limits: 1..=512 * MIB,
            otherwise: "the kernel's, which it tunes for TCP and keeps small for UDP: then UDP \
                        without a `rate` loses datagrams at the receiver",
            ..OPTION
        },
        ToolOption {
            name: "congestion",
            text: "TCP congestion control (-C), e.g. `cubic`",
            kind: Kind::Name {
                // `TCP_CA_NAME_MAX` of Linux, without the zero at its end.
                longest: 15,
                of: "congestion control",
                help: "`sysctl net.ipv4.tcp_available_congestion_control` lists them, e.g. `cubic`",
            },
            otherwise: "the kernel's",
            modes: &["tcp"],
            ..OPTION
        },
        ToolOption {
            name: "zerocopy",
            text: "Send with sendfile(2) (-Z)",
            kind: Kind::Flag,
            modes: &["tcp"],
            ..OPTION
        },
    ],
    warms_up: true,
    warmup_limit: Some(WarmupLimit {
        // `MAX_OMIT_TIME`; 3.18 takes more.
        longest: Duration::from_secs(60),
        why: "iperf3 3.12 leaves out at most",
        option: "--omit",
    }),
    // Of its own process only.
    cpu_text: "CPU of iperf3 alone, in % of a core",
    csv_digits: CsvDigits::Three,
};
