//! iperf3. Limits are those of iperf3 3.12, the oldest version that netplan supports.

use std::time::Duration;

use super::metric_table::{BOTH_WAYS, CPU, RATES};
use super::name::{EFFECTIVE_MSS, JITTER_US, LOST_PERCENT, RETRANSMITS, RTT_US};
use super::{
    BuiltIn, BuiltInTool, CsvDigits, DATAGRAM_BYTES, Direction, IntervalOutput, Kind,
    LARGEST_DATAGRAM_BYTES, MSS_BYTES, Mode, Program, Role, Search, Theory, ToolOption, Transport,
    WarmupLimit,
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
            csv_label: "iperf TCP.",
            transport: Transport::Tcp,
            metrics: &[RATES, BOTH_WAYS, &[RETRANSMITS, RTT_US, EFFECTIVE_MSS], CPU],
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
            csv_label: "iperf UDP.",
            transport: Transport::Udp,
            metrics: &[RATES, BOTH_WAYS, &[LOST_PERCENT, JITTER_US], CPU],
            overhead: Duration::ZERO,
            size_help: "the size of UDP's datagrams is `datagram`",
            // It explains the loss.
            without_rate: "as fast as it can",
            search: Search::ByRate,
            theory: Some(Theory::Loss),
        },
    ],
    options: &[
        ToolOption::direction("Which way the payload goes (-R, --bidir)", Direction::Both),
        // iperf3 refuses more (`MAX_STREAMS`).
        ToolOption::number("streams", "Parallel streams (-P)", "streams", 1..=128)
            .default(1)
            .phrase("{} streams"),
        // iperf3 refuses more (`MAX_MSS`).
        ToolOption::number(
            "mss",
            "TCP maximum segment size in bytes (-M)",
            "bytes",
            *MSS_BYTES.start()..=9_216,
        )
        .otherwise("the path's own")
        .role(Role::Size)
        .only_for(&["tcp"]),
        // iperf3 refuses less: its own header has to fit.
        ToolOption::number(
            "datagram",
            "UDP payload of a datagram in bytes (-l)",
            "bytes",
            16..=LARGEST_DATAGRAM_BYTES,
        )
        .default(DATAGRAM_BYTES)
        .role(Role::Size)
        .only_for(&["udp"])
        .phrase("{}-byte datagrams"),
        ToolOption::bit_rate(
            "rate",
            "Sending rate of each stream (-b), e.g. `100 Mbit/s`",
            1_000..=1_000_000_000_000,
        )
        .otherwise("unlimited")
        .phrase("{} a stream"),
        ToolOption::bytes("write_size", "Bytes of a TCP write (-l)", 1..=MIB)
            .otherwise("iperf3's 128 KiB")
            .role(Role::Size)
            .only_for(&["tcp"]),
        ToolOption::bytes(
            "window",
            "Socket buffer of both ends (-w), e.g. `2 MiB`; at most what the kernels' `rmem_max` \
             and `wmem_max` allow",
            1..=512 * MIB,
        )
        .otherwise(
            "the kernel's, which it tunes for TCP and keeps small for UDP: then UDP without a \
             `rate` loses datagrams at the receiver",
        )
        .fixed(),
        ToolOption::other(
            "congestion",
            "TCP congestion control (-C), e.g. `cubic`",
            Kind::Name {
                // `TCP_CA_NAME_MAX` of Linux, without the zero at its end.
                longest: 15,
                of: "congestion control",
                help: "`sysctl net.ipv4.tcp_available_congestion_control` lists them, e.g. `cubic`",
            },
        )
        .otherwise("the kernel's")
        .only_for(&["tcp"]),
        ToolOption::other(
            "no_delay",
            "Send each write at once, without Nagle's algorithm (-N)",
            Kind::Flag,
        )
        .only_for(&["tcp"]),
        ToolOption::other("zerocopy", "Send with sendfile(2) (-Z)", Kind::Flag).only_for(&["tcp"]),
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
    interval_output: IntervalOutput::LinesOrObjects,
};
