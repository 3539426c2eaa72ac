//! An imported run: the plan that describes its measurements, and the journal that a run of it would have written.

use std::collections::HashMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::names::dns_label;
use crate::diag::{Problem, Source, json};
use crate::plan::{self, Plan, PlanFile};
use crate::results::run_dir::{fnv1a, raw_name};
use crate::results::{
    Cluster, Event, EventKind, IMPORTED, JoinedWorker, Outcome, Sample, VERSION, Warning,
    command_line,
};
use crate::schedule::{Cell, Schedule, Selection};
use crate::tools::{Failure, Metrics};

/// With its hash an id is a label of Kubernetes.
const LONGEST_ID_NAME: usize = 63 - "-01234567".len();

/// Why a cell has neither a measurement nor a failure.
const NOT_IN_SOURCE: &str = "the imported results do not have it";

/// A run that was made from the results of another program.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedRun {
    /// Where it belongs below the output directory, e.g. `COLUMN/RUN`; empty for the directory itself.
    pub place: PathBuf,
    /// The plan as YAML.
    pub plan: String,
    pub events: Vec<Event>,
    pub cluster: Cluster,
    /// The files to keep under `raw/`: the number of the source's file, and its name there.
    pub raw: Vec<(usize, String)>,
}

/// What a run is imported from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    pub place: PathBuf,
    /// What the run's id begins with. Its end tells apart what was measured and when.
    pub name: String,
    /// What there is to say of it in `environment.json`.
    pub description: serde_json::Value,
    /// What is known of the workers, by the plan's name for each.
    pub workers: Vec<(String, JoinedWorker)>,
}

/// What became of one measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    pub started: Timestamp,
    pub ended: Timestamp,
    /// Seconds.
    pub wall_s: f64,
    pub result: Result<(Metrics, Vec<Warning>), Failure>,
    /// The number of the source's file, and the extension that it keeps under `raw/`.
    pub raw: Option<(usize, &'static str)>,
}

/// The measurements of each cell: by test and path as positions in the plan, and by the size that the test sets.
pub type Measurements = HashMap<(usize, usize, Option<u64>), Vec<Measurement>>;

impl ImportedRun {
    /// Makes the run of a plan from what became of its cells. The samples of a cell are in the order of its measurements;
    /// a cell with a sample is measured, one with failures only has failed, and one without measurements is skipped.
    ///
    /// # Errors
    /// When the plan is not one that netplan reads.
    pub fn new(
        origin: Origin,
        file: &PlanFile,
        mut measurements: Measurements,
    ) -> Result<ImportedRun, Problem> {
        let text = file
            .to_yaml()
            .map_err(|error| Problem::without_place(format!("cannot write the plan: {error}")))?;
        // As reports will read it.
        let plan = plan::load(Source::new("the imported plan", text.as_str()), &[]).map_err(
            |problems| match problems.iter().next() {
                Some(first) => Problem {
                    place: None,
                    ..first.clone()
                },
                None => Problem::without_place("netplan cannot read its plan"),
            },
        )?;
        let schedule = Schedule::new(&plan, &Selection::all());
        let mut timeline = Timeline::default();
        let mut rest = Vec::new();
        for cell in &schedule.cells {
            let of_cell = schedule.rows.get(cell.row).and_then(|row| {
                let size = schedule.size(cell).map(|(_, size)| size);
                measurements.remove(&(row.test, row.path, size))
            });
            match of_cell.filter(|of_cell| !of_cell.is_empty()) {
                Some(of_cell) => timeline.add_cell(&plan, &schedule, cell, of_cell),
                None => rest.push(schedule.id(&plan, cell)),
            }
        }
        let Timeline { mut entries, raw } = timeline;
        entries.sort_by_key(|(at, _)| *at);
        let first = entries.first().map_or(Timestamp::UNIX_EPOCH, |(at, _)| *at);
        let last = entries.last().map_or(first, |(at, _)| *at);
        let start = EventKind::RunStarted {
            run: run_id(&origin.name, &entries)?,
            netplan: env!("CARGO_PKG_VERSION").to_owned(),
            plan: text.clone(),
            only: None,
        };
        let joined = origin.workers.into_iter().map(joined);
        let skipped = rest.into_iter().map(|cell| EventKind::CellEnded {
            cell,
            outcome: Outcome::Skipped {
                reason: NOT_IN_SOURCE.to_owned(),
            },
        });
        let before = std::iter::once(start).chain(joined);
        let after = skipped.chain([EventKind::RunEnded { cancelled: false }]);
        let all = before
            .map(|kind| (first, kind))
            .chain(entries)
            .chain(after.map(|kind| (last, kind)));
        let events = (0..).zip(all).map(|(seq, (at, kind))| Event {
            v: VERSION,
            seq,
            at,
            kind,
        });
        Ok(ImportedRun {
            place: origin.place,
            plan: text,
            events: events.collect(),
            cluster: Cluster {
                kind: IMPORTED.to_owned(),
                description: origin.description,
            },
            raw,
        })
    }
}

/// The id of a run: a name, and a hash of what was measured and when, so that every night's `netperf.csv` is another run.
fn run_id(name: &str, entries: &[(Timestamp, EventKind)]) -> Result<String, Problem> {
    let text = json::to_string(&entries)
        .map_err(|error| Problem::without_place(format!("cannot write its events: {error}")))?;
    let hash = fnv1a(text.as_bytes());
    let short = (hash ^ (hash >> 32)) & u64::from(u32::MAX);
    let mut label = dns_label(name);
    label.truncate(LONGEST_ID_NAME);
    Ok(format!("{}-{short:08x}", label.trim_end_matches('-')))
}

fn joined((worker, known): (String, JoinedWorker)) -> EventKind {
    EventKind::WorkerJoined {
        worker,
        node: known.node,
        pod_ip: known.pod_ip,
        cluster_ip: known.cluster_ip,
        other_pod_ip: None,
        other_cluster_ip: None,
        peer_ip: None,
        environment: known.environment,
    }
}

/// Events with their times, not yet in order.
#[derive(Default)]
struct Timeline {
    entries: Vec<(Timestamp, EventKind)>,
    raw: Vec<(usize, String)>,
}

impl Timeline {
    fn add_cell(
        &mut self,
        plan: &Plan,
        schedule: &Schedule,
        cell: &Cell,
        measurements: Vec<Measurement>,
    ) {
        let id = schedule.id(plan, cell);
        let row = schedule.rows.get(cell.row);
        let test = row.and_then(|row| plan.tests.get(row.test));
        let path = row.and_then(|row| plan.paths.get(row.path));
        let tool = test.map_or("", |test| test.tool.name());
        let path = path.map_or("", |path| &*path.name);
        let mut ended = Timestamp::UNIX_EPOCH;
        let (mut samples, mut attempt) = (0, 0);
        let mut failed = None;
        for measurement in measurements {
            attempt += 1;
            let sample = samples + 1;
            let raw = measurement.raw.map(|(file, extension)| {
                let name = raw_name(&id, sample, attempt, extension);
                self.raw.push((file, name.clone()));
                name
            });
            ended = ended.max(measurement.ended);
            let started = EventKind::SampleStarted {
                cell: id.clone(),
                sample,
                attempt,
            };
            self.entries.push((measurement.started, started));
            let event = match measurement.result {
                Ok((metrics, warnings)) => {
                    let sample = Sample {
                        cell: id.clone(),
                        path: path.to_owned(),
                        tool: tool.to_owned(),
                        sample,
                        attempt,
                        params: schedule.params(cell),
                        started: measurement.started,
                        wall_s: measurement.wall_s,
                        command: command_line(&[]),
                        server_command: command_line(&[]),
                        metrics,
                        outages: Vec::new(),
                        warnings,
                        series: Vec::new(),
                        raw,
                        raw_cut_bytes: 0,
                    };
                    (samples, attempt) = (samples + 1, 0);
                    EventKind::Sample(sample)
                }
                Err(failure) => {
                    failed = Some(failure.clone());
                    EventKind::AttemptFailed {
                        cell: id.clone(),
                        sample,
                        attempt,
                        failure,
                        raw,
                        raw_cut_bytes: 0,
                    }
                }
            };
            self.entries.push((measurement.ended, event));
        }
        let measured = Outcome::Measured {
            samples,
            reached: None,
            found: None,
        };
        let outcome = match failed {
            Some(failure) if samples == 0 => Outcome::Failed(failure),
            _ => measured,
        };
        self.entries
            .push((ended, EventKind::CellEnded { cell: id, outcome }));
    }
}
