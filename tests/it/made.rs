//! Plans, schedules and journals made in code: a run without a cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use netplan::catalog::Metric;
use netplan::output::terminal;
use netplan::plan::sweep::Sweep;
use netplan::plan::{
    BuiltInUse, Local, Offloads, Order, Path, PathEntry, Placement, Plan, PlanFile, Test, Timing,
    ToolSpec, Via, units,
};
use netplan::report::Report;
use netplan::report::document::Document;
use netplan::results::{
    Circumstances, Event, EventKind, Outcome, Sample, VERSION, WorkerEnvironment, warnings,
};
use netplan::schedule::{CellId, Params, Schedule};
use netplan::tools::{Cause, Failure, Metrics, name};

/// The report as people see it.
pub fn table(report: &Report, width: usize, colour: bool) -> String {
    terminal::render(&Document::from_report(report), width, colour)
}

/// A cell with its name and parameters.
pub struct Cell {
    pub id: CellId,
    pub params: Params,
    pub row: usize,
}

pub fn cells(plan: &Plan, schedule: &Schedule) -> Vec<Cell> {
    let cell = |cell: &netplan::schedule::Cell| Cell {
        id: schedule.id(plan, cell),
        params: schedule.params(cell),
        row: cell.row,
    };
    schedule.cells.iter().map(cell).collect()
}

/// The five paths and three workers that ship.
pub fn plan(tests: &[Test]) -> Plan {
    let path = |name: &str, label: &str, from: &str, to: &str, via| Path {
        name: name.to_owned(),
        label: label.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        via,
        family: None,
        variant: 0,
        expect: netplan::plan::Expectations::default(),
    };
    let placement = |same: Option<&str>, other: Option<&str>| Placement {
        same_node_as: same.map(str::to_owned),
        other_node_than: other.map(str::to_owned),
        ..Placement::default()
    };
    Plan {
        name: "default".to_owned(),
        description: Some("The five pod-to-pod paths, swept over the TCP segment size.".to_owned()),
        workers: [
            ("w1".to_owned(), placement(None, None)),
            ("w2".to_owned(), placement(Some("w1"), None)),
            ("w3".to_owned(), placement(None, Some("w1"))),
        ]
        .into_iter()
        .collect(),
        meshes: Vec::new(),
        variants: indexmap::IndexMap::new(),
        paths: vec![
            path(
                "same-node-pod",
                "Same VM using Pod IP",
                "w1",
                "w2",
                Via::PodIp,
            ),
            path(
                "same-node-service",
                "Same VM using Virtual IP",
                "w1",
                "w2",
                Via::ClusterIp,
            ),
            path(
                "remote-pod",
                "Remote VM using Pod IP",
                "w3",
                "w2",
                Via::PodIp,
            ),
            path(
                "remote-service",
                "Remote VM using Virtual IP",
                "w3",
                "w2",
                Via::ClusterIp,
            ),
            path(
                "hairpin",
                "Hairpin Pod to own Virtual IP",
                "w2",
                "w2",
                Via::ClusterIp,
            ),
        ],
        order: Order::Listed,
        seed: None,
        concurrency: netplan::plan::Concurrency::default(),
        tools: indexmap::IndexMap::new(),
        tests: tests.to_vec(),
        local: Local {
            nodes: 2,
            links: netplan::plan::Link::default(),
            offloads: Offloads::Off,
            ..Local::default()
        },
        kubernetes: netplan::plan::Kubernetes::default(),
    }
}

fn test(name: &str, label: &str, tool: ToolSpec, paths: &[&str], repeat: u32) -> Test {
    Test {
        name: name.to_owned(),
        label: label.to_owned(),
        tool,
        paths: paths.iter().map(|p| (*p).to_owned()).collect(),
        timing: Timing {
            duration: units::Duration(Duration::from_secs(1)),
            warmup: units::Duration(Duration::from_secs(1)),
            cooldown: units::Duration::default(),
            timeout: None,
            retries: 1,
            repeat: netplan::plan::Repeat::Times(repeat),
            intervals: None,
        },
        together: false,
        load: Vec::new(),
        during: Vec::new(),
        find: None,
        expect: netplan::plan::Expectations::default(),
    }
}

pub const FIVE: [&str; 5] = [
    "same-node-pod",
    "same-node-service",
    "remote-pod",
    "remote-service",
    "hairpin",
];

/// The known metric that plans write so.
pub fn metric(word: &str) -> Metric {
    Metric::known(word).unwrap()
}

fn iperf3(protocol: &str) -> BuiltInUse {
    BuiltInUse::new("iperf3", protocol).unwrap()
}

fn netperf(test: &str) -> ToolSpec {
    ToolSpec::BuiltIn(BuiltInUse::new("netperf", test).unwrap())
}

/// iperf3 TCP over MSS points `step` apart.
pub fn tcp(step: u64, repeat: u32) -> Test {
    let sizes = Sweep::Range {
        from: 96,
        to: 1460,
        step,
    };
    let tool = ToolSpec::BuiltIn(iperf3("tcp").with("streams", 8).with("mss", sizes));
    test("iperf3-tcp", "iperf TCP.", tool, &FIVE, repeat)
}

/// iperf3 TCP over four MSS points, with one stream and with eight.
pub fn tcp_streams() -> Test {
    let used = iperf3("tcp")
        .with("streams", Sweep::List(vec![1, 8]))
        .with("mss", Sweep::List(vec![536, 984, 1448, 9000]));
    let tool = ToolSpec::BuiltIn(used);
    test("streams", "iperf TCP.", tool, &FIVE[2..4], 1)
}

/// iperf3 UDP at two rates, with one size of datagram.
pub fn udp_rates() -> Test {
    let rates = Sweep::List(vec![100_000_000, 1_000_000_000]);
    let tool = ToolSpec::BuiltIn(iperf3("udp").with("rate", rates));
    test("udp-rates", "iperf UDP.", tool, &FIVE[2..4], 1)
}

pub fn udp() -> Test {
    let tool = ToolSpec::BuiltIn(iperf3("udp"));
    test("iperf3-udp", "iperf UDP.", tool, &FIVE[..4], 1)
}

pub fn stream() -> Test {
    let tool = netperf("TCP_STREAM");
    test("netperf-tcp-stream", "netperf.", tool, &FIVE[..4], 1)
}

pub fn rr(repeat: u32) -> Test {
    let tool = netperf("TCP_RR");
    test("netperf-tcp-rr", "netperf TCP_RR.", tool, &FIVE, repeat)
}

/// nptest's 13 rows with MSS points `step` apart.
pub fn thirteen_rows(step: u64) -> Vec<Test> {
    vec![tcp(step, 1), udp(), stream()]
}

/// What a made cell meets.
pub enum Fate {
    Measured,
    /// The run ends when this many of its samples are there.
    Begun(u32),
    Failed(Cause, &'static str),
    Skipped(&'static str),
    Missing,
}

/// How a made run ends.
#[derive(PartialEq, Eq)]
pub enum End {
    Complete,
    Cancelled,
    CutOff,
}

/// A plan without meshes as text.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn text_of(plan: &Plan) -> String {
    assert!(plan.meshes.is_empty());
    let plan = plan.clone();
    let file = PlanFile {
        version: 1,
        name: plan.name,
        description: plan.description,
        workers: plan.workers,
        variants: plan.variants,
        paths: plan.paths.into_iter().map(PathEntry::Path).collect(),
        order: plan.order,
        seed: plan.seed,
        concurrency: plan.concurrency,
        tools: plan.tools,
        tests: plan.tests,
        local: plan.local,
        kubernetes: plan.kubernetes,
    };
    file.to_yaml().unwrap()
}

/// A journal in which each cell meets its fate; the figures are arbitrary and always the same.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
pub fn events(
    plan: &Plan,
    schedule: &Schedule,
    end: &End,
    fate: impl Fn(&Cell, &str) -> Fate,
) -> Vec<Event> {
    let mut clock: Timestamp = "2026-11-22T19:00:00Z".parse().unwrap();
    let mut kinds = vec![EventKind::RunStarted {
        run: "7f3a9c".to_owned(),
        netplan: "0.1.0".to_owned(),
        plan: text_of(plan),
        only: None,
    }];
    for (worker, node, ip, service) in [
        ("w1", "node-1", "10.244.0.2", None),
        ("w2", "node-1", "10.244.0.3", Some("10.96.0.2")),
        ("w3", "node-2", "10.244.1.2", None),
    ] {
        kinds.push(EventKind::WorkerJoined {
            worker: worker.to_owned(),
            node: node.to_owned(),
            pod_ip: ip.to_owned(),
            cluster_ip: service.map(str::to_owned),
            other_pod_ip: None,
            other_cluster_ip: None,
            peer_ip: None,
            environment: environment(),
        });
    }
    for cell in &cells(plan, schedule) {
        let row = &schedule.rows[cell.row];
        let test = &plan.tests[row.test];
        let path = &plan.paths[row.path];
        let mut take = |n| {
            kinds.push(started(cell, n, 1));
            kinds.push(EventKind::Sample(sample(test, path, cell, row.path, n)));
        };
        let outcome = match fate(cell, &path.name) {
            Fate::Missing => continue,
            Fate::Begun(samples) => {
                (1..=samples).for_each(take);
                continue;
            }
            Fate::Skipped(reason) => Outcome::Skipped {
                reason: reason.to_owned(),
            },
            Fate::Failed(cause, words) => {
                let failure = Failure {
                    cause,
                    words: words.to_owned(),
                    note: String::new(),
                };
                for attempt in [1, 2] {
                    kinds.push(started(cell, 1, attempt));
                    kinds.push(EventKind::AttemptFailed {
                        cell: cell.id.clone(),
                        sample: 1,
                        attempt,
                        failure: failure.clone(),
                        raw: None,
                        raw_cut_bytes: 0,
                    });
                }
                Outcome::Failed(failure)
            }
            Fate::Measured => {
                let samples = test.timing.repeat.least();
                (1..=samples).for_each(&mut take);
                Outcome::Measured {
                    samples,
                    reached: None,
                    found: None,
                }
            }
        };
        kinds.push(EventKind::CellEnded {
            cell: cell.id.clone(),
            outcome,
        });
    }
    if *end != End::CutOff {
        kinds.push(EventKind::RunEnded {
            cancelled: *end == End::Cancelled,
        });
    }
    kinds
        .into_iter()
        .enumerate()
        .map(|(seq, kind)| {
            let step = match &kind {
                EventKind::Sample(_) | EventKind::AttemptFailed { .. } => 3_070,
                _ => 3,
            };
            clock += jiff::SignedDuration::from_millis(step);
            let kind = match kind {
                EventKind::Sample(mut sample) => {
                    sample.started = clock - jiff::SignedDuration::from_millis(step);
                    EventKind::Sample(sample)
                }
                other => other,
            };
            Event {
                v: VERSION,
                seq: seq as u64,
                at: clock,
                kind,
            }
        })
        .collect()
}

pub fn environment() -> WorkerEnvironment {
    WorkerEnvironment {
        kernel: "6.18.44".to_owned(),
        os: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        architecture: "x86_64".to_owned(),
        cpu: "AMD EPYC 7B13".to_owned(),
        cores: 2,
        memory_bytes: 8 << 30,
        interface: "eth0".to_owned(),
        mtu: 1500,
        offloads: [
            ("generic-receive-offload", false),
            ("generic-segmentation-offload", false),
            ("tcp-segmentation-offload", false),
        ]
        .into_iter()
        .map(|(name, on)| (name.to_owned(), on))
        .collect(),
        congestion_control: "cubic".to_owned(),
        tools: BTreeMap::from([
            ("iperf3".to_owned(), "3.12".to_owned()),
            ("netperf".to_owned(), "2.7.0".to_owned()),
        ]),
        programs: ["iperf3", "netperf", "netserver"]
            .map(|name| (name.to_owned(), format!("/usr/bin/{name}")))
            .into(),
        etc_protocols_names_tcp: Some(true),
        emulated: false,
    }
}

fn started(cell: &Cell, sample: u32, attempt: u32) -> EventKind {
    EventKind::SampleStarted {
        cell: cell.id.clone(),
        sample,
        attempt,
    }
}

fn sample(test: &Test, path: &Path, cell: &Cell, p: usize, n: u32) -> Sample {
    // Figures in the shape of real ones: faster with bigger segments, slower over longer ways.
    let slower = [1.0, 0.94, 0.71, 0.68, 0.88][p];
    let wobble = 1.0 + 0.021 * (f64::from(n) - 1.5) + 0.004 * p as f64;
    let mut metrics = Metrics::default();
    let tool = match &test.tool {
        ToolSpec::BuiltIn(used) if used.mode.word == "tcp" => {
            let mss = cell.params.size().unwrap_or(1448) as f64;
            let effective = (mss - 12.0).min(1448.0);
            let bps = 6.93e9 * slower * wobble * effective / (effective + 700.0) * 1.25;
            metrics.set(name::THROUGHPUT_BPS, bps.round());
            metrics.set(name::SENT_BPS, (bps * 1.004).round());
            metrics.set(name::RETRANSMITS, (effective / 90.0).round());
            metrics.set(name::RTT_US, 181.0 / slower);
            metrics.set(name::EFFECTIVE_MSS, effective);
            "iperf3"
        }
        ToolSpec::BuiltIn(used) if used.mode.word == "udp" => {
            metrics.set(name::THROUGHPUT_BPS, (2.104e9 * slower * wobble).round());
            metrics.set(name::SENT_BPS, (2.391e9 * slower).round());
            metrics.set(name::LOST_PERCENT, 0.37 / slower);
            metrics.set(name::JITTER_US, 3.71 / slower);
            metrics.set(name::CPU_PERCENT_CLIENT, 99.2);
            metrics.set(name::CPU_PERCENT_SERVER, 71.8 * slower);
            "iperf3"
        }
        ToolSpec::BuiltIn(used) if used.mode.word == "TCP_STREAM" => {
            metrics.set(name::THROUGHPUT_BPS, (5.871e9 * slower * wobble).round());
            metrics.set(name::RETRANSMITS, 12.0);
            metrics.set(name::EFFECTIVE_MSS, 1448.0);
            metrics.set(name::CPU_PERCENT_CLIENT, 48.1);
            metrics.set(name::CPU_PERCENT_SERVER, 49.7);
            "netperf"
        }
        ToolSpec::BuiltIn(_) => {
            metrics.set(name::TRANSACTIONS_PER_S, 31_204.6 * slower * wobble);
            metrics.set(name::LATENCY_MEAN_US, 31.9 / slower);
            metrics.set(name::LATENCY_P50_US, 30.0 / slower);
            metrics.set(name::LATENCY_P90_US, 37.0 / slower);
            metrics.set(name::LATENCY_P99_US, 62.0 / slower);
            metrics.set(name::LATENCY_MAX_US, 1_874.0 / slower);
            "netperf"
        }
        ToolSpec::Declared(used) => {
            metrics.set(&used.tool.headline_metric(), 21.3 / slower * wobble);
            &used.tool.name
        }
    };
    metrics.set(name::ELAPSED_S, 1.0);
    let circumstances = Circumstances {
        asked_s: 1.0,
        sweeps_mss: true,
        ..Circumstances::default()
    }
    .seen(&environment(), &environment());
    Sample {
        outages: Vec::new(),
        warnings: warnings::find_warnings(&cell.params, &metrics, &circumstances),
        cell: cell.id.clone(),
        path: path.name.clone(),
        tool: tool.to_owned(),
        sample: n,
        attempt: 1,
        params: cell.params.clone(),
        started: Timestamp::UNIX_EPOCH,
        wall_s: 2.07,
        command: [tool, "-c", "10.244.0.3"].map(Into::into).into(),
        server_command: [tool, "-s"].map(Into::into).into(),
        metrics,
        series: Vec::new(),
        raw: Some(netplan::results::run_dir::raw_name(&cell.id, n, 1, "json")),
        raw_cut_bytes: 0,
    }
}
