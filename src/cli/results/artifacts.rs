//! A run's directory as the reports see it.

use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::terminal::printer;
use crate::output::csv::nptest::Dialect;
use crate::output::csv::{nptest as nptest_csv, samples as samples_csv, series as series_csv};
use crate::output::html;
use crate::report::Report;
use crate::report::document::Document;
use crate::results::run_dir::{DEFAULT_PARENT, file};
use crate::results::{RunDir, StoredRun, journal, runs_in};

/// The directory of the latest run at the usual place that is wanted; says which one it is. `what` is
/// how people name such a run.
pub(in crate::cli) fn latest(
    what: &str,
    wanted: impl Fn(&StoredRun) -> bool,
) -> Result<PathBuf, CliError> {
    let runs = runs_in(Path::new(DEFAULT_PARENT));
    let Some(latest) = runs.into_iter().find(wanted) else {
        return Err(CliError::Usage(format!(
            "there is no {what} in `{DEFAULT_PARENT}` of this folder; name a run's directory, or start a run \
             with `netplan run PLAN`"
        )));
    };
    printer::note(&format!("the latest {what}: {}", latest.path.display()));
    Ok(latest.path)
}

/// Whether the run has its first event.
pub(in crate::cli) fn has_events(dir: &RunDir) -> bool {
    let first = journal::Reader::open(dir.path()).map(|mut journal| journal.next_event());
    matches!(first, Ok(Ok(Some(_))))
}

/// Replays the run's journal. The cluster is described in `environment.json`.
pub(in crate::cli) fn report(dir: &RunDir) -> anyhow::Result<Report> {
    let journal = journal::Reader::open(dir.path())?;
    let cluster = dir
        .environment()
        .and_then(|environment| environment.cluster);
    Ok(Report::read(journal)?.on(cluster))
}

/// Writes what is derived from the journal into the directory.
pub(in crate::cli) fn write_derived(dir: &RunDir, report: &Report) -> anyhow::Result<()> {
    dir.write(
        file::RESULT_CSV,
        nptest_csv::render(report, Dialect::Nptest),
    )?;
    dir.write_by(file::SAMPLES_CSV, |file| samples_csv::write(report, file))?;
    if series_csv::has_intervals(report) {
        dir.write_by(file::SERIES_CSV, |file| series_csv::write(report, file))?;
    }
    dir.write_environment(&report.environment)?;
    if let Some(summary) = report.run_summary(dir.journal_bytes()) {
        dir.write_summary(&summary)?;
    }
    // Last: programs read the others.
    write_page(dir, report)
}

/// Writes `report.html`.
pub(super) fn write_page(dir: &RunDir, report: &Report) -> anyhow::Result<()> {
    let html = html::render(&Document::page_from_report(report))?;
    dir.write(file::REPORT_HTML, html)?;
    Ok(())
}
