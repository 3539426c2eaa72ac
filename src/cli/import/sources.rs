//! Files and folders of other programs → runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::folder;
use crate::cli::error::CliError;
use crate::cli::results::artifacts;
use crate::cli::terminal::printer;
use crate::diag::Problem;
use crate::files;
use crate::import::iperf3::{Document, Documents, Match, Pattern, Reading};
use crate::import::{ImportedRun, LARGEST_FILE_BYTES, nptest, unpack};
use crate::report::Report;
use crate::results::{RunDir, journal};

/// So many files that are left out are named.
const MOST_NAMED: usize = 8;

/// Runs, and the files that they are from.
pub(super) struct Imports {
    pub runs: Vec<ImportedRun>,
    /// By the numbers in [`ImportedRun::raw`].
    pub files: Vec<PathBuf>,
}

/// The report of a run's directory, or of a file that can be imported.
pub(in crate::cli) fn report(path: &Path) -> Result<Report, CliError> {
    if !path.is_file() {
        let dir = RunDir::open(path).map_err(|error| CliError::Usage(error.to_string()))?;
        return Ok(artifacts::report(&dir)?);
    }
    let Imports { runs, .. } = read(path, None)?;
    let run = runs.into_iter().next();
    let run = run.ok_or_else(|| anyhow!("`{}` holds no run", path.display()))?;
    report_of(&run)
}

/// The reports of all runs in a file or folder of other programs' results, each with its name.
pub(in crate::cli) fn reports(path: &Path) -> Result<Vec<(String, Report)>, CliError> {
    let Imports { runs, .. } = read(path, None)?;
    let report = |run: &ImportedRun| {
        let place = run.place.to_string_lossy();
        let name = if place.is_empty() {
            name_of(path)
        } else {
            place.into_owned()
        };
        Ok((name, report_of(run)?))
    };
    runs.iter().map(report).collect()
}

/// The report of an imported run.
pub(super) fn report_of(run: &ImportedRun) -> Result<Report, CliError> {
    let report = Report::from_events(&run.events).context("cannot read the imported run")?;
    Ok(report.on(Some(run.cluster.clone())))
}

/// Reads a file, or a folder of iperf3's documents. Says what it leaves out.
pub(super) fn read(source: &Path, pattern: Option<&Pattern>) -> Result<Imports, CliError> {
    let metadata = fs::metadata(source).map_err(|error| unreadable(source, &error))?;
    let name = name_of(source);
    if !metadata.is_dir() {
        if pattern.is_some() {
            return Err(CliError::Usage(format!(
                "`--pattern` is for folders, and `{}` is a file; import it without `--pattern`",
                source.display()
            )));
        }
        let content = content(source).map_err(|error| unreadable(source, &error))?;
        return read_file(source, &name, content);
    }
    if source.join(journal::FILE_NAME).is_file() {
        return Err(CliError::Usage(format!(
            "`{}` is the directory of a run; `netplan report` reads it as it is",
            source.display()
        )));
    }
    let found = folder::files(source, pattern)?;
    let mut documents = Documents::default();
    let mut left_out = LeftOut::default();
    for (file, found) in found.iter().enumerate() {
        let added = content(&found.path)
            .map_err(|error| Problem::without_place(error.to_string()))
            .and_then(Reading::read)
            .and_then(|reading| {
                documents.add(document(file, &found.path, found.place.clone(), reading))
            });
        if let Err(problem) = added {
            left_out.add(&format!("`{}`: {problem}", found.path.display()));
        }
    }
    left_out.end();
    if documents.is_empty() {
        let what = format!("there is no document of iperf3 in `{}`", source.display());
        return Err(CliError::Failed(anyhow!(what)));
    }
    let runs = documents.runs(&name);
    let runs = runs.map_err(|problem| failed(source, &problem))?;
    let files = found.into_iter().map(|found| found.path).collect();
    Ok(Imports { runs, files })
}

fn read_file(path: &Path, name: &str, content: Vec<u8>) -> Result<Imports, CliError> {
    // In a folder such a file is a test that failed; by itself it is rather the wrong file.
    if content.trim_ascii().is_empty() {
        let problem = Problem::without_place("it is empty");
        return Err(failed(path, &problem));
    }
    let table = nptest::read(&String::from_utf8_lossy(&content));
    let runs = if table.rows.is_empty() {
        let reading = Reading::read(content).map_err(|problem| {
            let help = "netplan imports nptest's CSV and what `iperf3 -J` prints";
            failed(path, &Problem::without_place(problem.what).help(help))
        })?;
        let place = Match {
            cell: name.to_owned(),
            ..Match::default()
        };
        let mut documents = Documents::default();
        let runs = documents
            .add(document(0, path, place, reading))
            .and_then(|()| documents.runs(name));
        runs.map_err(|problem| failed(path, &problem))?
    } else {
        let imported = nptest::run(name, &table, modified(path));
        let imported = imported.map_err(|problem| failed(path, &problem))?;
        let mut left_out = LeftOut::default();
        for problem in &imported.left_out {
            left_out.add(&problem.to_string());
        }
        left_out.end();
        vec![imported.run]
    };
    Ok(Imports {
        runs,
        files: vec![path.to_owned()],
    })
}

fn document(file: usize, path: &Path, place: Match, reading: Reading) -> Document {
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    Document {
        place,
        file,
        extension: if is_packed { "json.gz" } else { "json" },
        modified: modified(path),
        reading,
    }
}

/// The content of a file, unpacked.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    unpack(files::read_regular(path, LARGEST_FILE_BYTES)?)
}

/// When the file was written.
fn modified(path: &Path) -> Timestamp {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let time = modified
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok());
    time.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The name of a file or folder, without extensions: `results` of `a/results.json.gz`.
pub(super) fn name_of(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if path.is_dir() {
        return name;
    }
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = [".json", ".csv", ".txt", ".log"];
    let stem = stem.iter().find_map(|ending| name.strip_suffix(ending));
    stem.unwrap_or(name).to_owned()
}

fn unreadable(path: &Path, error: &io::Error) -> CliError {
    CliError::Usage(format!("cannot read `{}`: {error}", path.display()))
}

fn failed(path: &Path, problem: &Problem) -> CliError {
    CliError::Failed(anyhow!("cannot import `{}`: {problem}", path.display()))
}

/// Warns of what is left out, of the first ones by name.
#[derive(Default)]
struct LeftOut {
    count: usize,
}

impl LeftOut {
    fn add(&mut self, what: &str) {
        self.count += 1;
        if self.count <= MOST_NAMED {
            printer::warning(&format!("not imported: {what}"));
        }
    }

    fn end(self) {
        if self.count > MOST_NAMED {
            let more = self.count - MOST_NAMED;
            printer::warning(&format!("not imported: {more} more"));
        }
    }
}
