//! How long a person waits for the report of a long run, in every format, and the memory that it takes.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use jiff::Timestamp;
use netplan::diag::Source;
use netplan::plan;
use netplan::results::environment::host_metrics::{self, End};
use netplan::results::{
    Event, EventKind, Outcome, Sample, VERSION, WorkerEnvironment, command_line, journal,
};
use netplan::schedule::{Schedule, Selection};
use netplan::tools::{Cause, Failure, Metrics, name};

use super::page;
use super::peak;
use super::table::{Goal, Unit, figure};

const SAMPLES: usize = 100_000;
const FORMATS: [&str; 13] = [
    "table",
    "markdown",
    "csv",
    "csv-fork",
    "samples",
    "json",
    "junit",
    "html",
    "svg",
    "github",
    "openmetrics",
    "perfdash",
    "bmf",
];

/// A long run: its paths, its sizes, and the samples of each cell.
struct Shape {
    name: &'static str,
    /// How many workers a mesh has; 0 for none.
    mesh: usize,
    paths: usize,
    sizes: usize,
    samples: u32,
    fails: bool,
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "10 cells of 10 000 samples",
        mesh: 0,
        paths: 10,
        sizes: 1,
        samples: 10_000,
        fails: false,
    },
    Shape {
        name: "1 000 cells of 100 samples",
        mesh: 0,
        paths: 10,
        sizes: 100,
        samples: 100,
        fails: false,
    },
    Shape {
        name: "a mesh of 141 workers and 260 paths, 5 samples each",
        mesh: 141,
        paths: 260,
        sizes: 1,
        samples: 5,
        fails: false,
    },
    Shape {
        name: "100 000 cells of one sample",
        mesh: 0,
        paths: 100,
        sizes: 1_000,
        samples: 1,
        fails: false,
    },
    Shape {
        name: "100 000 failed cells",
        mesh: 0,
        paths: 100,
        sizes: 1_000,
        samples: 1,
        fails: true,
    },
];

pub fn measure() -> anyhow::Result<()> {
    for shape in &SHAPES {
        let folder = tempfile::tempdir()?;
        shape.write(folder.path())?;
        let (mut slowest, mut largest) = ((0.0, ""), (0.0, ""));
        // A run in which all cells failed has no chart.
        for format in FORMATS
            .into_iter()
            .filter(|format| !(shape.fails && *format == "svg"))
        {
            let (seconds, megabytes) = report(folder.path(), format)?;
            if seconds > slowest.0 {
                slowest = (seconds, format);
            }
            if megabytes > largest.0 {
                largest = (megabytes, format);
            }
        }
        figure(
            &format!("report of {}", shape.name),
            [slowest.0],
            Unit("s", 2),
            Goal::AtMost(2.0),
            &format!(
                "`netplan report`, median of three, the slowest of all formats: {}",
                slowest.1
            ),
        )?;
        figure(
            "memory for it",
            [largest.0],
            Unit("MB", 0),
            Goal::AtMost(300.0),
            &format!("the peak of the largest of all formats: {}", largest.1),
        )?;
        page::draw(folder.path(), shape.name)?;
    }
    Ok(())
}

/// The median wall time of three reports in seconds, and the most memory that one had in MB.
fn report(folder: &Path, format: &str) -> anyhow::Result<(f64, f64)> {
    let (mut times, mut most) = ([0.0; 3], 0.0f64);
    for time in &mut times {
        let mut netplan = Command::new(env!("CARGO_BIN_EXE_netplan"));
        netplan.args(["report", "--format", format]).arg(folder);
        let (seconds, megabytes) = peak::run(&mut netplan)?;
        *time = seconds;
        most = most.max(megabytes);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[1], most))
}

impl Shape {
    /// Writes the journal of such a run, which has [`SAMPLES`] samples.
    fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let text = self.plan();
        let source = Source::new("plan.yaml", &*text);
        let written = plan::load_file(&plan::Alone, source, &[]).map_err(anyhow::Error::msg)?;
        let plan = written.expand();
        let schedule = Schedule::new(&plan, &Selection::all());
        ensure!(schedule.cells.len() * self.samples as usize == SAMPLES);
        let mut file = BufWriter::new(fs::File::create(folder.join(journal::FILE_NAME))?);
        let mut seq = 0;
        let start = Timestamp::UNIX_EPOCH;
        let mut put = |kind: EventKind| -> anyhow::Result<()> {
            let at = start + jiff::SignedDuration::from_millis(i64::try_from(seq)? * 100);
            let event = Event {
                v: VERSION,
                seq,
                at,
                kind,
            };
            seq += 1;
            writeln!(file, "{}", journal::to_line(&event)?)?;
            Ok(())
        };
        put(EventKind::RunStarted {
            run: "0badcafe".to_owned(),
            netplan: "0.1.0".to_owned(),
            plan: written.to_yaml()?,
            only: None,
        })?;
        for worker in ["w1", "w2"] {
            put(EventKind::WorkerJoined {
                worker: worker.to_owned(),
                node: "node-1".to_owned(),
                pod_ip: "10.244.0.2".to_owned(),
                cluster_ip: None,
                other_pod_ip: None,
                other_cluster_ip: None,
                peer_ip: None,
                environment: WorkerEnvironment::default(),
            })?;
        }
        for cell in &schedule.cells {
            let id = schedule.id(&plan, cell);
            for number in 1..=self.samples {
                put(EventKind::SampleStarted {
                    cell: id.clone(),
                    sample: number,
                    attempt: 1,
                })?;
                if self.fails {
                    put(EventKind::AttemptFailed {
                        cell: id.clone(),
                        sample: number,
                        attempt: 1,
                        failure: failure(&id.0),
                        raw: None,
                        raw_cut_bytes: 0,
                    })?;
                    continue;
                }
                let path = plan.paths.get(schedule.rows[cell.row].path);
                put(EventKind::Sample(Sample {
                    cell: id.clone(),
                    path: path.context("no such path")?.name.clone(),
                    tool: "iperf3".to_owned(),
                    sample: number,
                    attempt: 1,
                    params: schedule.params(cell),
                    started: start,
                    wall_s: 1.047_594,
                    command: words(&format!(
                        "iperf3 -c 10.244.2.11 -p 5201 -t 1 --connect-timeout 3000 --snd-timeout 5000 -M {} -J",
                        cell.row
                    )),
                    server_command: words("iperf3 -s -1 -p 5201 --forceflush --idle-timeout 60"),
                    metrics: metrics(number),
                    outages: Vec::new(),
                    series: Vec::new(),
                    warnings: Vec::new(),
                    raw: Some(netplan::results::run_dir::raw_name(&id, number, 1, "json")),
                    raw_cut_bytes: 0,
                }))?;
            }
            put(EventKind::CellEnded {
                outcome: if self.fails {
                    Outcome::Failed(failure(&id.0))
                } else {
                    Outcome::Measured {
                        samples: self.samples,
                        reached: None,
                        found: None,
                    }
                },
                cell: id,
            })?;
        }
        put(EventKind::RunEnded { cancelled: false })?;
        file.flush()?;
        Ok(())
    }

    fn plan(&self) -> String {
        let mut paths: Vec<String> = (0..self.paths)
            .map(|path| format!("  - {{ name: p{path}, from: w1, to: w2, via: pod_ip }}\n"))
            .collect();
        let mut group = String::new();
        if self.mesh > 0 {
            group = format!(", m: {{ one_per_node: true, count: {} }}", self.mesh);
            paths.push("  - mesh: { workers: m, via: pod_ip, both_directions: true }\n".to_owned());
        }
        let last = 99 + self.sizes;
        format!(
            "version: 1\nname: long\nworkers: {{ w1: {{}}, w2: {{}}{group} }}\npaths:\n{}tests:\n  - iperf3: \
             {{ mss: {{ from: 100, to: {last}, step: 1 }} }}\n    repeat: {}\n    expect: {{ throughput: '>= 1 Mbit/s' }}\n",
            paths.concat(),
            self.samples
        )
    }
}

fn words(line: &str) -> netplan::results::CommandLine {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    command_line(&words)
}

/// No two are alike.
fn failure(cell: &str) -> Failure {
    Failure {
        cause: Cause::ToolError,
        words: format!("error - {cell} did not work\nits second line"),
        note: String::new(),
    }
}

/// As many as a sample has today.
fn metrics(number: u32) -> Metrics {
    let mut metrics = Metrics::default();
    for metric in host_metrics::ALL {
        for end in End::BOTH {
            metrics.set(metric.at(end), 125_823.25);
        }
    }
    for metric in [
        name::CPU_PERCENT_CLIENT,
        name::CPU_PERCENT_SERVER,
        name::EFFECTIVE_MSS,
        name::ELAPSED_S,
        name::RETRANSMITS,
        name::RTT_US,
        name::SENT_BPS,
    ] {
        metrics.set(metric, 5.276_960_884_253_95);
    }
    let wobble = f64::from(number % 101);
    metrics.set(name::THROUGHPUT_BPS, 497_862_662.225_841 + wobble);
    metrics
}
