//! What a check of a cluster found before a run starts. `doctor` prints the findings; `run` stops at their problems.

use std::fmt;

use crate::diag::Problem;

/// The result of a check of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked, for people: `API server`, `iperf3`.
    pub subject: String,
    /// Its state when nothing keeps the run from starting, else every problem that does.
    pub result: Result<String, Vec<Problem>>,
}

impl Finding {
    /// `state` describes the subject; it is dropped if there are problems.
    #[must_use]
    pub fn new(
        subject: impl Into<String>,
        state: impl Into<String>,
        problems: Vec<Problem>,
    ) -> Self {
        let result = if problems.is_empty() {
            Ok(state.into())
        } else {
            Err(problems)
        };
        Self {
            subject: subject.into(),
            result,
        }
    }

    /// The problems; empty when all is well.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        self.result.as_ref().err().map_or(&[], Vec::as_slice)
    }
}

/// One line for each result: `✓ subject: state`, or `✗ subject: problem` for each problem.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        match &self.result {
            Ok(state) => writeln!(f, "✓ {subject}: {state}"),
            Err(problems) => problems
                .iter()
                .try_for_each(|problem| writeln!(f, "✗ {subject}: {problem}")),
        }
    }
}
