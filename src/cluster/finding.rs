//! What was found out about a cluster before a run starts. `doctor` prints the list, `run` stops at its problems.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that a run needs and the cluster or the machine does not give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What is wrong, as a clause.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

/// What was found out about one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, for people: `API server`, `iperf3`.
    pub subject: String,
    /// How it is when nothing is in the way, else everything that is.
    pub result: Result<String, Vec<Trouble>>,
}

impl Finding {
    /// `words` say how it is; they are dropped if there are troubles.
    #[must_use]
    pub fn new(
        subject: impl Into<String>,
        words: impl Into<String>,
        troubles: Vec<Trouble>,
    ) -> Self {
        let result = if troubles.is_empty() {
            Ok(words.into())
        } else {
            Err(troubles)
        };
        Self {
            subject: subject.into(),
            result,
        }
    }

    /// Everything that is in the way.
    #[must_use]
    pub fn troubles(&self) -> &[Trouble] {
        self.result.as_ref().err().map_or(&[], Vec::as_slice)
    }
}

/// A line for each thing that was found: `✓ subject: words`, or `✗ subject: trouble` for each trouble.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        match &self.result {
            Ok(words) => writeln!(f, "✓ {subject}: {words}"),
            Err(troubles) => troubles
                .iter()
                .try_for_each(|trouble| writeln!(f, "✗ {subject}: {trouble}")),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.help)
    }
}

impl std::error::Error for Trouble {}
