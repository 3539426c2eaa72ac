//! netplan's own probe.

use std::time::Duration;

use super::metric_table::CPU;
use super::name::{
    CONNECT_LATENCY_MAX_US, CONNECT_LATENCY_P50_US, CONNECT_LATENCY_P99_US,
    CONNECT_OUTAGE_LONGEST_US, CONNECT_OUTAGE_TOTAL_US, CONNECTIONS_BROKEN, CONNECTIONS_FAILED,
    CONNECTIONS_SURVIVED, DELAY_CLIENT_US, DELAY_SERVER_US, DUPLICATES, LATENCY_MAX_US,
    LATENCY_MEAN_US, LATENCY_P50_US, LATENCY_P90_US, LATENCY_P99_9_US, LATENCY_P99_99_US,
    LATENCY_P99_US, LOST_PERCENT, MTU_FORWARD_BYTES, MTU_REVERSE_BYTES, OUTAGE_COUNT,
    OUTAGE_LONGEST_US, OUTAGE_TOTAL_US, REORDERED, STALL_LONGEST_US, STALL_TOTAL_US,
    TCP_LATENCY_MAX_US, TCP_LATENCY_P50_US, TCP_LATENCY_P99_US, TCP_OUTAGE_LONGEST_US,
    TCP_OUTAGE_TOTAL_US, UDP_OUTAGE_LONGEST_US, UDP_OUTAGE_TOTAL_US,
};
use super::{
    BuiltIn, BuiltInTool, CsvDigits, IntervalOutput, Mode, OWN_PROGRAM, Program, Search,
    ToolOption, Transport,
};

/// The first is the headline.
const LATENCIES: &[&str] = &[
    LATENCY_P50_US,
    LATENCY_P90_US,
    LATENCY_P99_US,
    LATENCY_P99_9_US,
    LATENCY_P99_99_US,
    LATENCY_MAX_US,
    LATENCY_MEAN_US,
];

const OUTAGES: &[&str] = &[OUTAGE_LONGEST_US, OUTAGE_TOTAL_US, OUTAGE_COUNT];

/// What happened to the packets of UDP.
const PACKETS: &[&str] = &[LOST_PERCENT, REORDERED, DUPLICATES];

/// What happened to the connection that is kept.
const CONNECTION: &[&str] = &[CONNECTIONS_BROKEN, CONNECTIONS_SURVIVED];

/// What the probe says of itself.
const SELF: &[&str] = &[
    STALL_LONGEST_US,
    STALL_TOTAL_US,
    DELAY_CLIENT_US,
    DELAY_SERVER_US,
];

/// What the modes start from.
const ALL: Mode = Mode {
    word: "all",
    text: "Round trips over UDP and over one TCP connection, and new TCP connections, at the same time.",
    csv_label: "probe.",
    transport: Transport::Udp,
    metrics: &[
        LATENCIES,
        &[
            TCP_LATENCY_P50_US,
            TCP_LATENCY_P99_US,
            TCP_LATENCY_MAX_US,
            CONNECT_LATENCY_P50_US,
            CONNECT_LATENCY_P99_US,
            CONNECT_LATENCY_MAX_US,
        ],
        OUTAGES,
        &[
            UDP_OUTAGE_LONGEST_US,
            UDP_OUTAGE_TOTAL_US,
            TCP_OUTAGE_LONGEST_US,
            TCP_OUTAGE_TOTAL_US,
            CONNECT_OUTAGE_LONGEST_US,
            CONNECT_OUTAGE_TOTAL_US,
        ],
        CONNECTION,
        &[CONNECTIONS_FAILED],
        PACKETS,
        SELF,
        CPU,
    ],
    overhead: Duration::ZERO,
    size_help: "the packets of the probe have one size",
    without_rate: "",
    search: Search::Never {
        why: "the probe sends at fixed times, so there is no rate to find",
        help: "use `iperf3: { protocol: udp }`",
    },
    theory: None,
};

/// netplan's own probe.
pub static PROBE: BuiltInTool = BuiltInTool {
    id: BuiltIn::Probe,
    name: "probe",
    text: "Latency, loss and outages by netplan's own probe.",
    programs: &[Program {
        name: OWN_PROGRAM,
        package: "",
    }],
    package_note: "",
    mode_key: Some("mode"),
    mode_text: "What it sends",
    modes: &[
        ALL,
        Mode {
            word: "udp",
            text: "Round trips over UDP.",
            csv_label: "probe UDP.",
            metrics: &[LATENCIES, OUTAGES, PACKETS, SELF, CPU],
            ..ALL
        },
        Mode {
            word: "tcp",
            text: "Round trips over one TCP connection.",
            csv_label: "probe TCP.",
            transport: Transport::Tcp,
            metrics: &[LATENCIES, OUTAGES, CONNECTION, SELF, CPU],
            ..ALL
        },
        Mode {
            word: "connect",
            text: "New TCP connections: the latency of the first packet, e.g. through a Service.",
            csv_label: "probe connect.",
            transport: Transport::Tcp,
            metrics: &[LATENCIES, OUTAGES, &[CONNECTIONS_FAILED], SELF, CPU],
            ..ALL
        },
        Mode {
            word: "mtu",
            text: "The largest packets that arrive unfragmented in each direction. Takes some round trips, and about a second \
                   where larger packets vanish.",
            csv_label: "probe MTU.",
            metrics: &[&[MTU_FORWARD_BYTES, MTU_REVERSE_BYTES]],
            ..ALL
        },
    ],
    options: &[
        ToolOption::duration("interval", "Time between two packets", 100..=10_000_000)
            .default(1_000)
            .only_for(&["all", "udp", "tcp"])
            .phrase("a packet each {}"),
        // More would use up ports and entries of connection tracking.
        ToolOption::duration(
            "connect_interval",
            "Time between two new connections",
            5_000..=10_000_000,
        )
        .default(20_000)
        .only_for(&["all", "connect"])
        .phrase("a connection each {}"),
    ],
    warms_up: true,
    warmup_limit: None,
    cpu_text: "CPU of the probe's processes in percent of one core",
    csv_digits: CsvDigits::TwoDecimals,
    interval_output: IntervalOutput::Line,
};
