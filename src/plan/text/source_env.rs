//! What a plan may draw on besides its own text: files that it extends, and variables.

use std::io;
use std::path::Path;

/// What lies around a plan. Reading is a seam, so that plans can be read without a disk and without
/// an environment.
pub trait SourceEnv {
    /// The text of a file that a plan extends.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, file: &Path) -> Result<String, Unreadable>;

    /// The names of the files in a folder, for suggestions. Empty when it cannot be read.
    fn files(&self, folder: &Path) -> Vec<String>;

    /// The value of an environment variable, when it is set.
    fn variable(&self, name: &str) -> Option<String>;

    /// Whether the plan was checked before, as that of a run was. Then limits that were not known at that
    /// time do not make it unreadable.
    fn is_checked(&self) -> bool {
        false
    }
}

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("there is no such file")]
    Missing,
    #[error("it is a folder")]
    Folder,
    /// In a few words.
    #[error("{0}")]
    Other(String),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Unreadable {
        match error.kind() {
            io::ErrorKind::NotFound => Unreadable::Missing,
            io::ErrorKind::IsADirectory => Unreadable::Folder,
            _ => Unreadable::Other(error.to_string()),
        }
    }
}

/// Nothing at all: for plans that were resolved already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl SourceEnv for Alone {
    fn read(&self, _: &Path) -> Result<String, Unreadable> {
        let why = "this plan is read by itself, without other files";
        Err(Unreadable::Other(why.to_owned()))
    }

    fn files(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn is_checked(&self) -> bool {
        true
    }
}
