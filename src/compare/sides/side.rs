//! One side of a comparison: one run or more of the same setup.

use super::run::Run;

/// Runs of the same setup.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// What people call it, e.g. `base`, or the name of a folder.
    pub name: String,
    /// At least one, in the order of time.
    pub runs: Vec<Run>,
}

impl Side {
    /// A side of these runs, in the order of time.
    #[must_use]
    pub fn new(name: impl Into<String>, mut runs: Vec<Run>) -> Side {
        runs.sort_by(|a, b| (a.began, &a.id).cmp(&(b.began, &b.id)));
        Side {
            name: name.into(),
            runs,
        }
    }
}
