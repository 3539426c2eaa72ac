//! What a plan may draw on besides its own text: files that it extends, and variables.

use std::path::Path;

/// What lies around a plan. Reading is a seam, so that plans can be read without a disk and without
/// an environment.
pub trait Surroundings {
    /// The text of a file that a plan extends.
    ///
    /// # Errors
    /// Why it cannot be read, in a few words.
    fn read(&self, file: &Path) -> Result<String, String>;

    /// The value of an environment variable, when it is set.
    fn variable(&self, name: &str) -> Option<String>;
}

/// Nothing at all: for plans that were resolved already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Surroundings for Alone {
    fn read(&self, _: &Path) -> Result<String, String> {
        Err("this plan is read by itself, without other files".to_owned())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}
