//! Documents → a run for each column and run.

use std::path::PathBuf;

use indexmap::IndexMap;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::placed::{Document, Placed, place};
use super::shared_plan::SharedPlan;
use super::workers::{CLIENT, SERVER, client};
use crate::diag::{Problem, count};
use crate::import::names::dns_label;
use crate::import::run::{ImportedRun, Measurement, Measurements, Origin};
use crate::plan::{Concurrency, Kubernetes, Local, Order, PathEntry, Placement, PlanFile, VERSION};

/// Makes a run of the documents of each column and run; all runs have the same tests and paths. `source` names the
/// import.
///
/// # Errors
/// When the documents make no plan that netplan reads.
pub(super) fn runs(source: &str, documents: Vec<Document>) -> Result<Vec<ImportedRun>, Problem> {
    let documents = place(documents);
    let shared = SharedPlan::new(&documents);
    let mut by_run: IndexMap<(String, String), Vec<Placed>> = IndexMap::new();
    for placed in documents {
        let (column, run) = placed.run();
        let key = (column.to_owned(), run.to_owned());
        by_run.entry(key).or_default().push(placed);
    }
    let runs = by_run.into_iter();
    runs.map(|((column, run), placed)| one_run(source, &shared, [&column, &run], placed))
        .collect()
}

/// The run of the documents of a column and run.
fn one_run(
    source: &str,
    shared: &SharedPlan,
    [column, run]: [&str; 2],
    placed: Vec<Placed>,
) -> Result<ImportedRun, Problem> {
    let parts: Vec<&str> = [column, run]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let place: PathBuf = parts.iter().map(|part| folder(part)).collect();
    let full_name: Vec<&str> = [source].into_iter().chain(parts.iter().copied()).collect();
    let files = placed.len();
    let recordings = placed.iter().map(|one| &one.document.reading.recording);
    let client = client(&recordings.collect::<Vec<_>>());
    let origin = Origin {
        place,
        name: if parts.is_empty() {
            source.to_owned()
        } else {
            parts.join("-")
        },
        description: description(&full_name.join("/"), column),
        workers: client
            .map(|client| (CLIENT.to_owned(), client))
            .into_iter()
            .collect(),
    };
    let documents = count(files, "iperf3 document");
    let plan = PlanFile {
        variants: IndexMap::new(),
        version: VERSION,
        name: dns_label(source),
        description: Some(format!(
            "Imported from {}: {documents}.",
            full_name.join("/")
        )),
        workers: [CLIENT, SERVER]
            .map(|worker| (worker.to_owned(), Placement::default()))
            .into(),
        paths: shared
            .paths()
            .iter()
            .cloned()
            .map(PathEntry::Path)
            .collect(),
        order: Order::Listed,
        seed: None,
        concurrency: Concurrency::Serial,
        tools: IndexMap::new(),
        tests: shared.tests_of(&placed),
        local: Local::default(),
        kubernetes: Kubernetes::default(),
    };
    ImportedRun::new(origin, &plan, measurements(shared, placed))
}

/// A column or run as the name of a folder. A part of a file's name may be one that leads elsewhere.
fn folder(part: &str) -> String {
    match part {
        "." | ".." => part.replace('.', "_"),
        part => part.to_owned(),
    }
}

/// What `environment.json` says of the import. A column is a setup: its name may be the cause of a difference.
fn description(place: &str, column: &str) -> Value {
    let mut description = json!({ "place": place, "format": "iperf3" });
    if !column.is_empty() {
        description["column"] = column.into();
    }
    description
}

fn measurements(shared: &SharedPlan, placed: Vec<Placed>) -> Measurements {
    let positions: Vec<_> = placed
        .iter()
        .map(|one| shared.position(&placed, one))
        .collect();
    let known = placed.iter().filter_map(|one| one.document.reading.started);
    let first = known.min();
    let mut measurements = Measurements::new();
    for (one, position) in placed.into_iter().zip(positions) {
        let Some(position) = position else {
            continue;
        };
        let Document {
            file,
            extension,
            modified,
            reading,
            ..
        } = one.document;
        let started = reading.started.or(first).unwrap_or(modified);
        let wall = SignedDuration::try_from_secs_f64(reading.wall_s).unwrap_or_default();
        measurements.entry(position).or_default().push(Measurement {
            started,
            ended: started.saturating_add(wall).unwrap_or(started),
            wall_s: reading.wall_s,
            result: reading.result,
            raw: Some((file, extension)),
        });
    }
    measurements
}
