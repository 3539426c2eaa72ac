//! `netplan import`: results of other programs become runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::sources::{self, Imports};
use crate::cli::error::{CliError, Exit};
use crate::cli::results::artifacts;
use crate::cli::terminal::printer;
use crate::diag::{count, json};
use crate::files;
use crate::import::iperf3::Pattern;
use crate::import::{ImportedRun, LARGEST_FILE_BYTES};
use crate::results::run_dir::file;
use crate::results::{RunDir, journal};

/// Make runs of the results of nptest or iperf3
///
/// A source is nptest's CSV (or a log that has it), a JSON document of `iperf3 -J`, or a folder of such documents, which
/// may be gzipped. Each run becomes a directory that `report` and all other commands read. Prints the directories.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan import netperf.csv --output old
  netplan import results/ --pattern '{column}/{run}/{cell}.json.gz' --output imported
  netplan report netperf.csv              a report of one file, without storing it

Each column and run of a pattern becomes the directory DIR/COLUMN/RUN.

Exit codes: 0 success; 1 it cannot be imported or written; 2 there is no such file or folder, or the
command line is wrong.")]
pub(in crate::cli) struct ImportArgs {
    /// A file or folder of results
    #[arg(required = true, value_name = "SOURCE", value_hint = clap::ValueHint::AnyPath)]
    sources: Vec<PathBuf>,

    /// The directory for the runs
    #[arg(long, visible_alias = "out", value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    output: PathBuf,

    /// Which part of a file's path is the column, the run and the cell [default: by the depth of the JSON files,
    /// {cell}, {run}/{cell} or {column}/{run}/{cell}]
    #[arg(long, value_parser = pattern)]
    pattern: Option<Pattern>,
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|problem| problem.to_string())
}

/// A run of a source, and the directory that it gets.
struct Planned<'a> {
    source: &'a Path,
    imports: &'a Imports,
    run: &'a ImportedRun,
    place: PathBuf,
}

pub(in crate::cli) fn execute(args: &ImportArgs) -> Result<Exit, CliError> {
    let mut read = Vec::new();
    for source in &args.sources {
        // A source by itself does not need a directory of its own.
        let output = match args.sources.as_slice() {
            [_] => args.output.clone(),
            _ => args.output.join(sources::name_of(source)),
        };
        let imports = sources::read(source, args.pattern.as_ref())?;
        read.push((source.as_path(), output, imports));
    }
    let runs = read.iter().flat_map(|(source, output, imports)| {
        imports.runs.iter().map(move |run| Planned {
            source,
            imports,
            run,
            place: output.components().chain(run.place.components()).collect(),
        })
    });
    let runs: Vec<Planned<'_>> = runs.collect();
    check_places(&runs)?;
    for planned in &runs {
        store(planned.run, &planned.imports.files, &planned.place)?;
    }
    let lines = runs.iter().map(|run| format!("{}\n", run.place.display()));
    printer::results_of(lines)?;
    printer::note(&format!("imported {}", count(runs.len(), "run")));
    Ok(Exit::Well)
}

/// Each run needs a directory of its own that is not a run yet. Checked for all runs before the first one is stored.
fn check_places(runs: &[Planned<'_>]) -> Result<(), CliError> {
    let mut by_place: HashMap<&Path, &Planned<'_>> = HashMap::new();
    for run in runs {
        let place = run.place.display();
        if run.place.join(journal::FILE_NAME).exists() {
            return Err(CliError::Usage(format!(
                "`{place}` already holds a run; choose another directory with `--output DIR`, or remove it"
            )));
        }
        let Some(other) = by_place.insert(&run.place, run) else {
            continue;
        };
        let (one, two) = (other.source.display(), run.source.display());
        return Err(CliError::Usage(if other.source == run.source {
            format!(
                "two runs of `{one}` would both be `{place}`; rename one of them, or choose another `--pattern`"
            )
        } else {
            format!("`{one}` and `{two}` would both be `{place}`; import them one by one")
        }));
    }
    Ok(())
}

fn store(run: &ImportedRun, files: &[PathBuf], place: &Path) -> Result<(), CliError> {
    let dir = RunDir::create(place).map_err(anyhow::Error::from)?;
    dir.write(file::PLAN, &run.plan)
        .map_err(anyhow::Error::from)?;
    for (number, name) in &run.raw {
        if let Some(path) = files.get(*number) {
            let content = files::read_regular(path, LARGEST_FILE_BYTES)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            dir.write_raw(name, &content).map_err(anyhow::Error::from)?;
        }
    }
    // Whole or not at all, and last: a directory with a journal is a run.
    dir.write_by(journal::FILE_NAME, |file| {
        run.events.iter().try_for_each(|event| {
            let line = json::to_string(event)?;
            writeln!(file, "{line}")
        })
    })
    .map_err(anyhow::Error::from)?;
    artifacts::write_derived(&dir, &sources::report_of(run)?)?;
    Ok(())
}
