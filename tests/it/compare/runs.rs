//! Runs of a small plan, with the figures that a test wants.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use netplan::compare::{Comparison, Floors, Limit, Options, Run, Side, compare};
use netplan::report::Report;
use netplan::results::{
    Cluster, Environment, Event, EventKind, Outcome, Sample, VERSION, WorkerEnvironment,
};
use netplan::schedule::{CellId, Params};
use netplan::tools::{Cause, Failure, Metrics, name};

/// Two streams sweeps and a latency test on three paths; UDP on two.
pub const PLAN: &str = "
version: 1
name: small
workers: { w1: {}, w2: { same_node_as: w1 }, w3: { other_node_than: w1 } }
paths:
  - { name: remote-pod, from: w3, to: w2, via: pod_ip }
  - { name: remote-service, from: w3, to: w2, via: cluster_ip }
  - { name: hairpin, from: w2, to: w2, via: cluster_ip }
tests:
  - { iperf3: { protocol: tcp, streams: 8, mss: [96, 768, 1440] }, duration: 1s }
  - { iperf3: { protocol: udp, rate: 100 Mbit/s }, paths: [remote-pod, remote-service], duration: 1s }
  - { netperf: { test: TCP_RR }, duration: 1s }
";

/// A test of the probe on a path.
pub const PROBE_PLAN: &str = "
version: 1
name: probes
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: remote, from: w1, to: w2, via: pod_ip }]
tests: [{ name: probe, probe: {}, duration: 5s }]
";

/// A run to be made.
pub struct Made<'a> {
    pub number: u8,
    pub plan: &'a str,
    pub kernel: &'a str,
    pub cpu: &'a str,
    /// Of a cell and a metric: what its usual figure is multiplied by; `None` fails the cell.
    pub factor: &'a dyn Fn(&str, &str) -> Option<f64>,
}

/// An unchanged run of this number.
pub fn usual(number: u8) -> Made<'static> {
    Made {
        number,
        plan: PLAN,
        kernel: "6.12.1",
        cpu: "Xeon",
        factor: &|_, _| Some(1.0),
    }
}

/// How far a run's figures are from the usual ones: at most some tenths of a percent.
fn noise(number: u8, cell: &str, metric: &str) -> f64 {
    let mut hash = u64::from(number) ^ 0xcbf2_9ce4_8422_2325;
    for byte in cell.bytes().chain(metric.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        hash ^= hash >> 29;
    }
    let spread = f64::from(u32::try_from(hash >> 32).unwrap()) / f64::from(u32::MAX);
    1.0 + 0.006 * (spread - 0.5)
}

impl Made<'_> {
    fn metrics(&self, cell: &str) -> Option<Metrics> {
        let usual: &[(&str, f64)] = if cell.starts_with("netperf") {
            &[
                (name::TRANSACTIONS_PER_S, 20e3),
                (name::LATENCY_P50_US, 45.0),
                (name::LATENCY_P99_US, 120.0),
            ]
        } else if cell.starts_with("probe") {
            &[
                (name::LATENCY_P50_US, 45.0),
                (name::LATENCY_P99_US, 120.0),
                (name::OUTAGE_LONGEST_US, 1e6),
                (name::CONNECTIONS_BROKEN, 1.0),
            ]
        } else if cell.starts_with("iperf3-udp") {
            &[
                (name::THROUGHPUT_BPS, 100e6),
                (name::LOST_PERCENT, 0.5),
                (name::JITTER_US, 12.0),
            ]
        } else {
            &[
                (name::THROUGHPUT_BPS, 9.4e9),
                (name::RETRANSMITS, 100.0),
                (name::CPU_PERCENT_CLIENT, 80.0),
                (name::EFFECTIVE_MSS, 1428.0),
            ]
        };
        let mut metrics = Metrics::default();
        for (metric, value) in usual {
            let factor = (self.factor)(cell, metric)?;
            let noise = match *metric {
                name::EFFECTIVE_MSS => 1.0,
                metric => noise(self.number, cell, metric),
            };
            metrics.set(metric, value * factor * noise);
        }
        Some(metrics)
    }

    fn events(&self) -> Vec<Event> {
        let mut kinds = vec![EventKind::RunStarted {
            run: format!("{:08x}", 0xab00 + u32::from(self.number)),
            netplan: "0.1.0".to_owned(),
            plan: self.plan.to_owned(),
            only: None,
        }];
        for (worker, node) in [("w1", "node-1"), ("w2", "node-1"), ("w3", "node-2")] {
            kinds.push(EventKind::WorkerJoined {
                worker: worker.to_owned(),
                node: node.to_owned(),
                pod_ip: "10.0.0.1".to_owned(),
                cluster_ip: None,
                other_pod_ip: None,
                other_cluster_ip: None,
                peer_ip: None,
                environment: WorkerEnvironment {
                    kernel: self.kernel.to_owned(),
                    cpu: self.cpu.to_owned(),
                    cores: 4,
                    architecture: "x86_64".to_owned(),
                    mtu: 1500,
                    ..WorkerEnvironment::default()
                },
            });
        }
        let (plan, schedule) = Report::planned(self.plan, None).unwrap();
        for cell in &schedule.cells {
            let id = schedule.id(&plan, cell);
            let outcome = match self.metrics(&id.0) {
                Some(metrics) => {
                    kinds.push(sample(&id, schedule.params(cell), metrics));
                    Outcome::Measured {
                        samples: 1,
                        reached: None,
                        found: None,
                    }
                }
                None => Outcome::Failed(Failure::new(Cause::Refused, "refused")),
            };
            kinds.push(EventKind::CellEnded { cell: id, outcome });
        }
        kinds.push(EventKind::RunEnded { cancelled: false });
        let began: Timestamp = "2026-11-26T09:00:00Z".parse().unwrap();
        let began = began + SignedDuration::from_mins(10 * i64::from(self.number));
        let events = (0..).zip(kinds);
        events
            .map(|(seq, kind)| Event {
                v: VERSION,
                seq,
                at: began + SignedDuration::from_secs(i64::try_from(seq).unwrap()),
                kind,
            })
            .collect()
    }

    pub fn run(&self) -> Run {
        let report = Report::from_events(&self.events()).unwrap();
        let cluster = Cluster {
            kind: "local".to_owned(),
            description: serde_json::json!({ "proxy": "nftables" }),
        };
        Run::from_report(&format!("run-{}", self.number), &report.on(Some(cluster)))
    }

    /// Writes the run's directory.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let events = self.events();
        let lines = events
            .iter()
            .map(|event| serde_json::to_string(event).unwrap() + "\n");
        fs::write(folder.join("events.jsonl"), lines.collect::<String>()).unwrap();
        let cluster = Cluster {
            kind: "local".to_owned(),
            description: serde_json::json!({ "proxy": "nftables" }),
        };
        let environment = Environment::from_events(&events, Some(cluster));
        let text = serde_json::to_string(&environment).unwrap();
        fs::write(folder.join("environment.json"), text).unwrap();
    }
}

fn sample(cell: &CellId, params: Params, metrics: Metrics) -> EventKind {
    EventKind::Sample(Sample {
        cell: cell.clone(),
        path: cell.0.split('/').nth(1).unwrap_or_default().to_owned(),
        tool: "iperf3".to_owned(),
        sample: 1,
        attempt: 1,
        params,
        started: Timestamp::UNIX_EPOCH,
        wall_s: 1.0,
        command: [].into(),
        server_command: [].into(),
        metrics,
        outages: Vec::new(),
        warnings: Vec::new(),
        series: Vec::new(),
        raw: None,
        raw_cut_bytes: 0,
    })
}

/// A side of unchanged runs.
pub fn side(name: &str, numbers: std::ops::Range<u8>) -> Side {
    Side::new(name, numbers.map(|number| usual(number).run()).collect())
}

/// A side of runs with these factors.
pub fn changed(
    name: &str,
    numbers: std::ops::Range<u8>,
    factor: &dyn Fn(&str, &str) -> Option<f64>,
) -> Side {
    let run = |number| {
        Made {
            factor,
            ..usual(number)
        }
        .run()
    };
    Side::new(name, numbers.map(run).collect())
}

/// With these `--fail-on`.
pub fn limits(texts: &[&str]) -> Options {
    Options {
        limits: texts
            .iter()
            .map(|text| Limit::parse(text).unwrap())
            .collect(),
        ..Options::default()
    }
}

pub fn two(base: Side, new: Side, options: Options) -> Comparison {
    compare(base, vec![new], options, &Floors::default())
}

/// The answers by test, path and metric.
pub fn answers(comparison: &Comparison) -> Vec<String> {
    let verdicts = comparison.versus.iter().flat_map(|it| &it.verdicts);
    verdicts
        .map(|it| {
            let plain = it.subject.plain.iter().map(|plain| format!(" / {plain}"));
            format!(
                "{} {}{} {} {}",
                it.subject.test,
                it.subject.path,
                plain.collect::<String>(),
                it.subject.metric,
                it.judgement.answer.name()
            )
        })
        .collect()
}
