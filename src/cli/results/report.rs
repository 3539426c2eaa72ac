//! `netplan report`: any format from a stored run.

use std::path::PathBuf;

use clap::Args;

use super::exit_policy::VerdictArgs;
use super::format::Format;
use super::{artifacts, open};
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::import::sources;
use crate::results::RunDir;
use crate::results::run_dir::file;

/// Print a stored run again, byte for byte as the run did
///
/// Reads the run's journal. A journal that was cut off is read up to the cut, and the report says what is missing. Of
/// nptest's CSV or a document of iperf3 it makes the report that `import` would store.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan report                          the latest run of netplan-results/
  netplan report netplan-results/default-20261122T190000Z-0badcafe
  netplan report DIR --format csv
  netplan report DIR --format junit > netplan.xml
  netplan report netperf.csv              nptest's CSV, or a JSON document of iperf3
  netplan report --open                   the latest run as a page, in the browser

Exit codes: 0 success; 1 it cannot be read; 2 no such run; 3 some cells failed or are missing;
4 an expectation fell short (if only because its cell failed or is missing: 3).
Skipped cells do not count as failed.")]
pub(in crate::cli) struct ReportArgs {
    /// The run's directory, or a file of results that `import` reads [default: the latest run in netplan-results/]
    #[arg(add = complete::runs_and_files())]
    run: Option<PathBuf>,

    /// How to print the results
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Write `report.html` into the run's directory and show it in a browser, instead of printing
    #[arg(long, conflicts_with = "format")]
    open: bool,

    #[command(flatten)]
    verdict: VerdictArgs,
}

pub(in crate::cli) fn execute(args: &ReportArgs) -> Result<Exit, CliError> {
    let path = match &args.run {
        Some(path) => path.clone(),
        None => artifacts::latest("run", |_| true)?,
    };
    if args.open {
        let dir = RunDir::open(path).map_err(|error| CliError::Usage(error.to_string()))?;
        let report = artifacts::report(&dir)?;
        artifacts::write_page(&dir, &report)?;
        open::open(&dir.file(file::REPORT_HTML))?;
        return Ok(args.verdict.exit(&report));
    }
    let report = sources::report(&path)?;
    args.format.print(&report, args.verdict)?;
    Ok(args.verdict.exit(&report))
}
