//! The sides of a comparison from what the command line names: directories of runs, and folders of them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::import::sources;
use crate::cli::terminal::printer;
use crate::compare::{Run, Side};
use crate::results::{journal, runs_in};
use crate::schedule::{CellId, Schedule, Selection};

/// What is read of one run.
struct Loaded {
    run: Run,
    /// The cells that `--only` selects; `None` where its plan does not have what `--only` names.
    selected: Result<HashSet<CellId>, String>,
}

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
        let mut runs = Vec::new();
        for path in paths {
            for dir in directories(path)? {
                runs.push(self.run(&dir)?);
            }
        }
        Ok(Side::new(name, runs))
    }

    fn run(&mut self, path: &Path) -> Result<Run, CliError> {
        let loaded = load(path, self.only)?;
        match loaded.selected {
            Ok(cells) => self.selected.extend(cells),
            Err(why) => self.unfit = Some(why),
        }
        Ok(loaded.run)
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

/// The runs that a path names: it is the directory of one, or a file that can be imported, or its subfolders are runs.
fn directories(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if path.is_file() || path.join(journal::FILE_NAME).is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let runs = runs_in(path);
    if runs.is_empty() {
        return Err(CliError::Usage(format!(
            "`{}` is not a run's directory, and no folder in it is; name the directory of a run, e.g. one in \
             `netplan-results`, or a folder of runs of one setup",
            path.display()
        )));
    }
    Ok(runs.into_iter().map(|run| run.path).collect())
}

fn load(path: &Path, only: Option<&str>) -> Result<Loaded, CliError> {
    let report = sources::report(path).map_err(|error| match error {
        CliError::Failed(error) => {
            CliError::Failed(error.context(format!("cannot read the run `{}`", path.display())))
        }
        error => error,
    })?;
    if !report.is_complete() {
        printer::note(&format!(
            "`{}` is not complete: what it did not measure counts as missing",
            path.display()
        ));
    }
    let selected = match only {
        None => Ok(HashSet::new()),
        Some(only) => Selection::parse(only, &report.plan)
            .map(|selection| {
                let schedule = Schedule::new(&report.plan, &selection);
                let cells = schedule.cells.iter();
                cells.map(|cell| schedule.id(&report.plan, cell)).collect()
            })
            .map_err(|error| error.to_string()),
    };
    Ok(Loaded {
        run: Run::from_report(&file_name(path), &report),
        selected,
    })
}

/// What people call a folder.
pub(super) fn file_name(path: &Path) -> String {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    name.to_string_lossy().into_owned()
}
