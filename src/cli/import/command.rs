//! `netplan import`: results of other programs become runs.

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
/// A source is nptest's CSV (or a log that has it), a JSON document of `iperf3 -J`, or a folder of them; documents may
/// be gzipped. Each run becomes a directory that `report` and all other commands read. Prints the directories.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan import netperf.csv --output old
  netplan import results/ --pattern '{column}/{run}/{cell}.json.gz' --output imported
  netplan report netperf.csv              a report of one file, without storing it

Each column and run of a pattern becomes the directory DIR/COLUMN/RUN.

Exit codes: 0 success; 1 it cannot be read or written; 2 the command line is wrong.")]
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

pub(in crate::cli) fn execute(args: &ImportArgs) -> Result<Exit, CliError> {
    // A source by itself does not need a directory of its own.
    let [only] = args.sources.as_slice() else {
        let mut stored = Vec::new();
        for source in &args.sources {
            let imports = sources::read(source, args.pattern.as_ref())?;
            let output = args.output.join(sources::name_of(source));
            stored.extend(store_all(&imports, &output)?);
        }
        return show(&stored);
    };
    let imports = sources::read(only, args.pattern.as_ref())?;
    show(&store_all(&imports, &args.output)?)
}

fn show(stored: &[PathBuf]) -> Result<Exit, CliError> {
    let lines = stored.iter().map(|path| format!("{}\n", path.display()));
    printer::results_of(lines)?;
    printer::note(&format!("imported {}", count(stored.len(), "run")));
    Ok(Exit::Well)
}

/// Stores the runs below a directory, none if one of them is there already.
fn store_all(imports: &Imports, output: &Path) -> Result<Vec<PathBuf>, CliError> {
    let places: Vec<PathBuf> = imports
        .runs
        .iter()
        .map(|run| output.components().chain(run.place.components()).collect())
        .collect();
    if let Some(taken) = places
        .iter()
        .find(|place| place.join(journal::FILE_NAME).exists())
    {
        return Err(CliError::Usage(format!(
            "`{}` already holds a run; choose another directory with `--output DIR`, or remove it",
            taken.display()
        )));
    }
    for (run, place) in imports.runs.iter().zip(&places) {
        store(run, &imports.files, place)?;
    }
    Ok(places)
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
