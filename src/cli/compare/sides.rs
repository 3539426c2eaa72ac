//! The sides of a comparison from what the command line names: directories of runs, folders of them, and results of
//! other programs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::import::sources;
use crate::cli::results::artifacts;
use crate::cli::terminal::printer;
use crate::compare::{Run, Side};
use crate::diag::quote;
use crate::report::Report;
use crate::results::{RunDir, journal, runs_in};
use crate::schedule::{CellId, Schedule, Selection};

/// Reads sides, and with them the cells that `--only` selects.
#[derive(Debug)]
pub(super) struct Loader<'a> {
    only: Option<&'a str>,
    selected: HashSet<CellId>,
    /// Why `--only` does not fit a run.
    unfit: Option<String>,
}

impl<'a> Loader<'a> {
    pub fn new(only: Option<&'a str>) -> Loader<'a> {
        Loader {
            only,
            selected: HashSet::new(),
            unfit: None,
        }
    }

    /// A side of the runs that all of these paths name.
    pub fn side(&mut self, name: &str, paths: &[PathBuf]) -> Result<Side, CliError> {
        let mut runs: Vec<Run> = Vec::new();
        for path in paths {
            for (name, report) in reports(path)? {
                // Twice the same figures would look like runs that do not differ.
                if let Some(other) = runs.iter().find(|run| run.id == report.run) {
                    return Err(CliError::Usage(format!(
                        "`{}` and `{name}` are the same run {}; name each run of a side once",
                        other.name,
                        quote(&report.run)
                    )));
                }
                runs.push(self.run(&name, &report));
            }
        }
        Ok(Side::new(name, runs))
    }

    fn run(&mut self, name: &str, report: &Report) -> Run {
        if let Some(only) = self.only {
            match selected(only, report) {
                Ok(cells) => self.selected.extend(cells),
                Err(why) => self.unfit = Some(why),
            }
        }
        Run::from_report(name, report)
    }

    /// The cells that `--only` selects in some run; `None` without `--only`.
    pub fn selected(self) -> Result<Option<HashSet<CellId>>, CliError> {
        match (self.only, self.unfit) {
            (None, _) => Ok(None),
            (Some(_), Some(why)) if self.selected.is_empty() => Err(CliError::Usage(why)),
            (Some(_), _) => Ok(Some(self.selected)),
        }
    }
}

/// The reports of what a path names, each with its name: of a run's directory, of all runs in its subfolders, or of
/// results that can be imported.
fn reports(path: &Path) -> Result<Vec<(String, Report)>, CliError> {
    if path.join(journal::FILE_NAME).is_file() {
        return Ok(vec![stored(path)?]);
    }
    let runs = runs_in(path);
    if !runs.is_empty() {
        return runs.iter().map(|run| stored(&run.path)).collect();
    }
    sources::reports(path).map_err(|error| match error {
        CliError::Usage(_) => CliError::Usage(format!(
            "`{}` is neither a run's directory nor a folder of them, nor a file or folder that can be imported; name \
             the directory of a run, e.g. one in `netplan-results`, or a folder of runs of one setup",
            path.display()
        )),
        other => other,
    })
}

fn stored(path: &Path) -> Result<(String, Report), CliError> {
    let dir = RunDir::open(path).map_err(|error| CliError::Usage(error.to_string()))?;
    let report = artifacts::report(&dir)
        .map_err(|error| error.context(format!("cannot read the run `{}`", path.display())))?;
    if !report.is_complete() {
        printer::note(&format!(
            "`{}` is not complete: what it did not measure counts as missing",
            path.display()
        ));
    }
    Ok((file_name(path), report))
}

/// The cells that `--only` selects; or why the run's plan does not have what it names.
fn selected(only: &str, report: &Report) -> Result<HashSet<CellId>, String> {
    let selection = Selection::parse(only, &report.plan).map_err(|error| error.to_string())?;
    let schedule = Schedule::new(&report.plan, &selection);
    let cells = schedule.cells.iter();
    Ok(cells.map(|cell| schedule.id(&report.plan, cell)).collect())
}

/// What people call a folder.
pub(super) fn file_name(path: &Path) -> String {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    name.to_string_lossy().into_owned()
}
