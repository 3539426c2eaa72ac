//! Why a journal cannot be written or read, and where it breaks off.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::results::event::{OLDEST_VERSION, VERSION};

/// The journal's name in a run's directory.
pub const FILE_NAME: &str = "events.jsonl";

/// Why a journal cannot be written or read.
#[derive(Debug, Error)]
pub enum JournalError {
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "`{}` already exists: a run's directory holds one run; choose another directory",
        .0.display()
    )]
    Exists(PathBuf),
    #[error(
        "`{}` is being written by another netplan; wait until it has ended",
        .0.display()
    )]
    Locked(PathBuf),
    #[error(
        "`{}` is damaged before its end ({tear}); it can be reported up to there, but not continued",
        path.display()
    )]
    Damaged { path: PathBuf, tear: Tear },
    #[error("event {got} does not follow: the next one of `{}` is {expected}", path.display())]
    Sequence {
        path: PathBuf,
        expected: u64,
        got: u64,
    },
    #[error("not an event line: {0}")]
    Line(TearKind),
    #[error(
        "`{}` could not be written before and is closed; what it holds can be reported",
        .0.display()
    )]
    Broken(PathBuf),
}

/// Where a journal cannot be read further, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {kind}")]
pub struct Tear {
    /// Counts from 1.
    pub line: usize,
    /// Bytes of whole lines before it.
    pub offset: u64,
    /// It is the last line, so nothing acknowledged can be lost: a write that was cut off.
    pub at_end: bool,
    pub kind: TearKind,
}

/// Why a line is not an event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TearKind {
    #[error("the line was cut off while it was written")]
    Torn,
    #[error("the line is not an event ({0})")]
    Garbage(String),
    #[error("event {expected} is missing; event {got} follows")]
    Gap { expected: u64, got: u64 },
    #[error(
        "the line has format version {0}, and this netplan reads versions {OLDEST_VERSION} to {VERSION}; \
         use the netplan that wrote it"
    )]
    Version(u64),
}

pub(super) fn failed(doing: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}
