//! The directory of a run.
//!
//! ```text
//! netplan-results/default-20261122T190000Z-7f3a9c/
//!     plan.yaml          the plan as it was resolved
//!     events.jsonl       the journal; all else below can be made from it
//!     raw/               each sample's tool output
//!     environment.json   what it ran on
//!     result.csv         nptest's format
//!     samples.csv        a row a sample
//!     series.csv         a row an interval within a sample, where a test has `intervals`
//!     report.html        the report as a page
//!     summary.json       a value for each path, test and metric
//! ```

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use thiserror::Error;

use super::environment::Environment;
use super::journal;
use crate::diag::json;
use crate::files::{self, Durability};
use crate::schedule::CellId;

/// Where runs go by default, under the current directory.
pub const DEFAULT_PARENT: &str = "netplan-results";

/// File names in a run's directory.
pub mod file {
    pub const PLAN: &str = "plan.yaml";
    pub const ENVIRONMENT: &str = "environment.json";
    pub const RESULT_CSV: &str = "result.csv";
    pub const SAMPLES_CSV: &str = "samples.csv";
    pub const SERIES_CSV: &str = "series.csv";
    pub const REPORT_HTML: &str = "report.html";
    pub const SUMMARY: &str = "summary.json";
    pub const RAW: &str = "raw";
}

/// Permissions of the files, less the umask.
const MODE: u32 = 0o666;
/// A larger `environment.json` is none of ours.
const LARGEST_ENVIRONMENT_BYTES: u64 = 16 << 20;
/// The longest name of a raw file: with the suffix of its temporary it still fits into 255 bytes.
const LONGEST_RAW_NAME: usize = 200;

/// A run's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir(PathBuf);

/// Why a run's directory cannot be made, found or written to.
#[derive(Debug, Error)]
pub enum RunDirError {
    #[error(
        "cannot create the run's directory `{}`: {source}; choose a folder that you can write to \
         with `--output DIR`",
        path.display()
    )]
    Create { path: PathBuf, source: io::Error },
    #[error(
        "`{}` already holds a run; choose another folder with `--output DIR`",
        .0.display()
    )]
    Taken(PathBuf),
    #[error(
        "`{}` is not a run's directory: it has no `{}`; name one, or leave it out for the latest run",
        .0.display(), journal::FILE_NAME
    )]
    NotARun(PathBuf),
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("`{0}` cannot name a file under `raw/`: {1}")]
    RawName(String, &'static str),
}

impl RunDir {
    /// Where a run goes unless it is told: `netplan-results/<plan>-<UTC time>-<run id>`.
    #[must_use]
    pub fn default_path(plan: &str, started: Timestamp, run: &str) -> PathBuf {
        let at = started.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
        Path::new(DEFAULT_PARENT).join(format!("{plan}-{at}-{run}"))
    }

    /// Makes the directory at `path`, parents included, and makes sure that it can be written to. The
    /// directory of a run that ended before its first event is as good as a new one.
    ///
    /// # Errors
    /// When it cannot be made or written to, or when it holds a run already.
    pub fn create(path: impl Into<PathBuf>) -> Result<RunDir, RunDirError> {
        let path = path.into();
        if path.join(journal::FILE_NAME).exists() && !journal::is_empty(&path) {
            return Err(RunDirError::Taken(path));
        }
        let made = fs::create_dir_all(path.join(file::RAW)).and_then(|()| {
            // A folder that was there before may be somebody else's: find out now, not at the end.
            for folder in [path.clone(), path.join(file::RAW)] {
                let probe = folder.join(".probe");
                files::replace(&probe, MODE, Durability::Unsynced, |_| Ok(()))?;
                fs::remove_file(&probe)?;
            }
            Ok(())
        });
        match made {
            Ok(()) => Ok(RunDir(path)),
            Err(source) => Err(RunDirError::Create { path, source }),
        }
    }

    /// An earlier run's directory.
    ///
    /// # Errors
    /// When there is no journal in it, or when that cannot be told.
    pub fn open(path: impl Into<PathBuf>) -> Result<RunDir, RunDirError> {
        let path = path.into();
        let journal = path.join(journal::FILE_NAME);
        match fs::metadata(&journal) {
            Ok(metadata) if metadata.is_file() => Ok(RunDir(path)),
            Err(source) if !is_missing(&source) => Err(RunDirError::Read {
                path: journal,
                source,
            }),
            Ok(_) | Err(_) => Err(RunDirError::NotARun(path)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where one of its files is.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes one of the files that are made from the journal, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<(), RunDirError> {
        self.write_by(name, |file| file.write_all(content.as_ref()))
    }

    /// As [`RunDir::write`], of a content that `write` makes piece by piece.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_by(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), RunDirError> {
        let path = self.0.join(name);
        files::replace(&path, MODE, Durability::Synced, |file| write(file))
            .map_err(|source| RunDirError::Write { path, source })
    }

    /// Writes `environment.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_environment(&self, environment: &Environment) -> Result<(), RunDirError> {
        let text = json::to_string_pretty(environment).map_err(|error| RunDirError::Write {
            path: self.0.join(file::ENVIRONMENT),
            source: error.into(),
        })?;
        self.write(file::ENVIRONMENT, text + "\n")
    }

    /// What `environment.json` says; `None` when there is none that this version reads.
    #[must_use]
    pub fn environment(&self) -> Option<Environment> {
        let path = self.0.join(file::ENVIRONMENT);
        let text = files::read_regular(&path, LARGEST_ENVIRONMENT_BYTES).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Stores a tool's output under `raw/`. It does not wait for the disk: the event, which does,
    /// has the figures.
    ///
    /// # Errors
    /// When `name` is none that [`check_raw_name`] takes, or when it cannot be written.
    pub fn write_raw(&self, name: &str, content: &[u8]) -> Result<(), RunDirError> {
        check_raw_name(name)?;
        let path = self.0.join(file::RAW).join(name);
        files::replace(&path, MODE, Durability::Unsynced, |file| {
            file.write_all(content)
        })
        .map_err(|source| RunDirError::Write { path, source })
    }
}

/// Whether an error says that there is no such file.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The name under `raw/` of what a sample's tool printed: `iperf3-tcp_same-node-pod_mss=96.1.json`,
/// for a second attempt `….1.attempt-2.json`. Two cells never share one.
#[must_use]
pub fn raw_name(cell: &CellId, sample: u32, attempt: u32, extension: &str) -> String {
    let mut name = String::new();
    for c in cell.0.chars() {
        match c {
            '/' => name.push('_'),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '=' | ',' => name.push(c),
            '.' if !name.is_empty() => name.push(c),
            other => {
                let mut utf8 = [0; 4];
                for byte in other.encode_utf8(&mut utf8).bytes() {
                    let _ = write!(name, "%{byte:02X}");
                }
            }
        }
    }
    if name.is_empty() {
        name.push('%');
    }
    let mut suffix = format!(".{sample}");
    if attempt > 1 {
        let _ = write!(suffix, ".attempt-{attempt}");
    }
    let _ = write!(suffix, ".{extension}");
    let room = LONGEST_RAW_NAME.saturating_sub(suffix.len());
    if name.len() > room {
        let hash = format!("~{:016x}", fnv1a(cell.0.as_bytes()));
        name.truncate(room.saturating_sub(hash.len()));
        name += &hash;
    }
    name + &suffix
}

/// Whether a name, which may have come over the wire, stays a plain file under `raw/`.
///
/// # Errors
/// Says why it does not.
pub fn check_raw_name(name: &str) -> Result<(), RunDirError> {
    let refuse = |why| Err(RunDirError::RawName(name.escape_debug().to_string(), why));
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.len() > LONGEST_RAW_NAME {
        return refuse("it is too long");
    }
    if name.contains(['/', '\\']) {
        return refuse("it names another folder");
    }
    if name.starts_with('.') {
        return refuse("it begins with a dot");
    }
    if name.chars().any(char::is_control) {
        return refuse("it holds a control character");
    }
    Ok(())
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo): tells apart texts that are too long to write.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_readable() {
        let cell = CellId("iperf3-tcp/same-node-pod/mss=96".to_owned());
        assert_eq!(
            raw_name(&cell, 1, 1, "json"),
            "iperf3-tcp_same-node-pod_mss=96.1.json"
        );
        assert_eq!(
            raw_name(&cell, 2, 3, "txt"),
            "iperf3-tcp_same-node-pod_mss=96.2.attempt-3.txt"
        );
        let at = "2026-11-22T19:00:00Z".parse().unwrap();
        assert_eq!(
            RunDir::default_path("default", at, "7f3a9c"),
            Path::new("netplan-results/default-20261122T190000Z-7f3a9c")
        );
    }

    #[test]
    fn names_from_the_wire_stay_in_the_folder() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc/passwd",
            "a\0b",
            "..\\x",
            ".x.tmp",
            "a\nb",
        ] {
            assert!(check_raw_name(bad).is_err(), "{bad:?}");
        }
        assert!(check_raw_name(&"x".repeat(201)).is_err());
        assert!(check_raw_name("iperf3-tcp_hairpin_mss=96.1.json").is_ok());
    }

    proptest! {
        #[test]
        fn any_cell_gives_a_good_name(id in ".*", sample in 1u32.., attempt in 1u32..) {
            let name = raw_name(&CellId(id), sample, attempt, "json");
            prop_assert!(check_raw_name(&name).is_ok(), "{}", name);
        }

        #[test]
        fn two_cells_never_share_a_name(a in "[a-z_/.%=,]{1,12}", b in "[a-z_/.%=,]{1,12}") {
            prop_assume!(a != b);
            prop_assert_ne!(
                raw_name(&CellId(a), 1, 1, "json"),
                raw_name(&CellId(b), 1, 1, "json")
            );
        }
    }
}
