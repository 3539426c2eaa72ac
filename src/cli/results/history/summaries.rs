//! The summaries of the runs in a folder.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::{self, available_parallelism};

use anyhow::{Context, anyhow};

use crate::cli::error::CliError;
use crate::cli::results::artifacts;
use crate::cli::terminal::printer;
use crate::diag::some_of;
use crate::results::{RunDir, RunDirError, RunSummary, runs_in};

/// More threads would wait for the disk.
const MOST_THREADS: usize = 8;

/// The summaries of all runs in a folder. Missing ones are made from the journals and stored. Runs that cannot be
/// read, and copies of others, are named and left out. `help` says how to name another folder.
pub(super) fn read(dir: &Path, help: &str) -> Result<Vec<RunSummary>, CliError> {
    let folder = dir.display();
    let paths: io::Result<Vec<PathBuf>> =
        fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths = paths.map_err(|error| {
        CliError::Usage(format!(
            "cannot read the folder `{folder}`: {error}; {help}"
        ))
    })?;
    paths.sort();
    let mut summaries: Vec<RunSummary> = Vec::new();
    let mut known = HashMap::new();
    for (path, read) in read_all(&paths) {
        let left_out = match read {
            Ok(Some(summary)) => {
                let id = (summary.run.clone(), summary.started);
                let Some(other) = known.insert(id, path) else {
                    summaries.push(summary);
                    continue;
                };
                format!(
                    "it is a copy of run {} in `{}`",
                    summary.run,
                    other.display()
                )
            }
            // Other files and folders may be there.
            Ok(None) => continue,
            Err(error) => format!("{error:#}"),
        };
        printer::warning(&format!("left out `{}`: {left_out}", path.display()));
    }
    if summaries.is_empty() {
        let below = folders_with_runs(&paths);
        return Err(CliError::Usage(match below.first() {
            Some(first) => format!(
                "there are no runs in `{folder}`, but in its folders {}; name one of them, e.g. `{}`",
                some_of(&below.iter().map(String::as_str).collect::<Vec<_>>()),
                dir.join(first).display()
            ),
            None => format!("there are no directories of runs in `{folder}`; {help}"),
        }));
    }
    Ok(summaries)
}

/// The names of the folders that hold directories of runs, as in an import of several setups.
fn folders_with_runs(paths: &[PathBuf]) -> Vec<String> {
    let folders = paths.iter().filter(|path| !runs_in(path).is_empty());
    let names = folders.filter_map(|path| path.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// Reads by several threads, in the order of `paths`: hundreds of runs have a hundred megabytes of summaries.
fn read_all(paths: &[PathBuf]) -> Vec<(&PathBuf, anyhow::Result<Option<RunSummary>>)> {
    let threads = available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_THREADS);
    let chunks = paths.chunks(paths.len().div_ceil(threads).max(1));
    let read = |chunk: &'_ [PathBuf]| -> Vec<anyhow::Result<Option<RunSummary>>> {
        chunk.iter().map(|path| summary(path)).collect()
    };
    let results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = chunks
            .map(|chunk| (chunk, scope.spawn(move || read(chunk))))
            .collect();
        let joined = workers.into_iter().flat_map(|(chunk, worker)| {
            // A thread that panicked has read nothing; the panic is on stderr.
            let missing = || {
                chunk
                    .iter()
                    .map(|_| Err(anyhow!("it could not be read")))
                    .collect()
            };
            worker.join().unwrap_or_else(|_| missing())
        });
        joined.collect()
    });
    paths.iter().zip(results).collect()
}

/// The summary of a run; None of what is not the directory of a run.
fn summary(path: &Path) -> anyhow::Result<Option<RunSummary>> {
    let run = match RunDir::open(path) {
        Ok(run) => run,
        Err(RunDirError::NotARun(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if let Some(summary) = run.summary() {
        return Ok(Some(summary));
    }
    let bytes = run.journal_bytes();
    let report = artifacts::report(&run)?;
    let summary = report
        .run_summary(bytes)
        .context("its journal has no event")?;
    if let Err(error) = run.write_summary(&summary) {
        // A folder of others can be read all the same.
        printer::note(&format!(
            "{error}; the next history reads the journal again"
        ));
    }
    Ok(Some(summary))
}
