//! `netplan history`: many runs over time, and `netplan history accept`.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::{self, available_parallelism};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand, ValueEnum};

use super::artifacts;
use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::diag::{did_you_mean, quote};
use crate::files::{self, Durability};
use crate::history::{Acceptance, Acceptances, History, Settings};
use crate::output::{history_json, html, markdown, terminal};
use crate::plan::units::{Percent, Quantity as _};
use crate::report::document::Document;
use crate::results::run_dir::DEFAULT_PARENT;
use crate::results::{RunDir, RunDirError, RunSummary};

/// Where accepted changes are by default, under the current directory.
const ACCEPTED: &str = "netplan-accepted.json";
/// A larger file is not one of accepted changes.
const LARGEST_ACCEPTED_BYTES: u64 = 1 << 20;
/// More threads would wait for the disk.
const MOST_THREADS: usize = 8;
/// Permissions of the file, less the umask.
const MODE: u32 = 0o666;

/// Find what got slower or faster over many runs
///
/// Reads the summaries of all runs in a folder as series: machine, path, test, metric, ratios to the plain path
/// first. The last one to five runs are judged together against the runs before them. Older changes are
/// located in the last 60 runs. All series are judged at once, with a correction for their number.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  netplan history                         the runs of netplan-results/
  netplan history /results --format markdown
  netplan history /results --confirmed-only --minimum 5%
  netplan history accept 7f3a9c --because 'kernel 6.18 without offloads'

Exit codes: 0 no slowdown; 1 it cannot be read; 2 there are no runs;
4 something got slower, is not accepted and has not recovered.")]
pub(in crate::cli) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,

    /// The folder that holds the directories of the runs [default: netplan-results]
    #[arg(value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,

    /// How to print the history
    #[arg(long, value_enum, default_value_t)]
    format: HistoryFormat,

    /// Only slowdowns with at least five runs after them set exit code 4
    #[arg(long)]
    confirmed_only: bool,

    /// Smallest change that is reported, e.g. `2%` [default: 3%, of a latency 5%]
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    minimum: Option<Percent>,

    #[command(flatten)]
    accepted: AcceptedArgs,
}

#[derive(Debug, Args)]
struct AcceptedArgs {
    /// The file of accepted changes
    #[arg(long, value_name = "FILE", default_value = ACCEPTED)]
    accepted: PathBuf,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    Accept(AcceptArgs),
}

/// Accept the change at a run: from this run on, the new level is the right one
///
/// Writes the run and the reason to a file. Commit it, so that everybody's history has it.
#[derive(Debug, Args)]
struct AcceptArgs {
    /// The id of the first run at the new level, as `netplan history` names it
    run: String,

    /// Why the change is as it should be
    #[arg(long, value_name = "TEXT")]
    because: String,

    /// The folder that holds the directories of the runs
    #[arg(long = "in", value_name = "DIR", default_value = DEFAULT_PARENT, value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,

    #[command(flatten)]
    accepted: AcceptedArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum HistoryFormat {
    /// Findings and series for people
    #[default]
    Table,
    /// The same as GitHub-flavoured Markdown
    Markdown,
    /// The same as one HTML file that needs nothing else
    Html,
    /// Everything, as one JSON document; its schema is docs/history.schema.json
    Json,
}

pub(in crate::cli) fn execute(args: &HistoryArgs) -> Result<Exit, CliError> {
    if let Some(HistoryCommand::Accept(args)) = &args.command {
        return accept(args);
    }
    let dir = args.dir.as_deref().unwrap_or(Path::new(DEFAULT_PARENT));
    let accepted = args.accepted.read()?;
    let settings = Settings {
        minimum: args.minimum.map(|minimum| minimum.0 / 100.0),
        ..Settings::default()
    };
    let history = History::new(summaries(dir)?, &accepted, settings);
    match args.format {
        HistoryFormat::Table => {
            let document = Document::from_history(&history);
            let (width, colour) = (printer::width(), printer::colour_stdout());
            printer::results(&terminal::render(&document, width, colour))?;
        }
        HistoryFormat::Markdown => {
            let text = markdown::render(&Document::from_history(&history));
            printer::document(|stdout| stdout.write_all(text.as_bytes()))?;
        }
        HistoryFormat::Html => {
            let page =
                html::render(&Document::from_history(&history)).map_err(anyhow::Error::from)?;
            printer::document(|stdout| stdout.write_all(page.as_bytes()))?;
        }
        HistoryFormat::Json => {
            printer::document(|stdout| history_json::write(&history, stdout))?;
        }
    }
    Ok(if history.is_slower(args.confirmed_only) {
        Exit::FellShort
    } else {
        Exit::Well
    })
}

fn parse_percent(text: &str) -> Result<Percent, String> {
    let percent = Percent::parse(text).map_err(|error| error.to_string())?;
    if (0.0..100.0).contains(&percent.0) {
        Ok(percent)
    } else {
        Err("allowed: 0% to below 100%".to_owned())
    }
}

fn accept(args: &AcceptArgs) -> Result<Exit, CliError> {
    let mut accepted = args.accepted.read()?;
    let runs = summaries(&args.dir)?;
    if !runs.iter().any(|run| run.run == args.run) {
        let ids = runs.iter().map(|run| run.run.as_str());
        let near = did_you_mean(&args.run, ids);
        let near = near.map_or_else(
            || "; name the id that `netplan history` prints beside a finding, or the folder with `--in`".to_owned(),
            |near| format!("; did you mean `{near}`?"),
        );
        let dir = args.dir.display();
        return Err(CliError::Usage(format!(
            "there is no run {} in `{dir}`{near}",
            quote(&args.run)
        )));
    }
    accepted.add(Acceptance {
        run: args.run.clone(),
        because: args.because.clone(),
    });
    let text = accepted.to_json().map_err(anyhow::Error::from)?;
    let file = &args.accepted.accepted;
    files::replace(file, MODE, Durability::Synced, |file| {
        std::io::Write::write_all(file, text.as_bytes())
    })
    .with_context(|| format!("cannot write `{}`", file.display()))?;
    printer::note(&format!(
        "accepted the change at run {} in `{}`; commit this file",
        args.run,
        file.display()
    ));
    Ok(Exit::Well)
}

impl AcceptedArgs {
    /// What the file accepts; nothing if there is none.
    fn read(&self) -> Result<Acceptances, CliError> {
        let file = &self.accepted;
        if !file.exists() {
            return Ok(Acceptances::default());
        }
        let text = files::read_regular(file, LARGEST_ACCEPTED_BYTES)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        Acceptances::from_json(&text)
            .map_err(|error| CliError::Usage(format!("`{}`: {error}", file.display())))
    }
}

/// The summaries of all runs in a folder. Missing ones are made from the journals and stored. Runs that cannot be
/// read are named.
fn summaries(dir: &Path) -> Result<Vec<RunSummary>, CliError> {
    let entries = fs::read_dir(dir).map_err(|error| {
        CliError::Usage(format!(
            "cannot read the folder `{}`: {error}; name one that holds the directories of runs",
            dir.display()
        ))
    })?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut summaries = Vec::new();
    for (path, read) in read_all(&paths) {
        match read {
            Ok(Some(summary)) => summaries.push(summary),
            // Other files and folders may be there.
            Ok(None) => {}
            Err(error) => printer::warning(&format!("left out `{}`: {error:#}", path.display())),
        }
    }
    if summaries.is_empty() {
        return Err(CliError::Usage(format!(
            "there are no runs in `{}`; name a folder that holds the directories of runs, e.g. `{DEFAULT_PARENT}`",
            dir.display()
        )));
    }
    Ok(summaries)
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
