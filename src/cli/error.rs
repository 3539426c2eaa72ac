//! How a command ends: exit codes, and errors that carry theirs.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::diag::{Problem, Problems};
use crate::render::RenderError;

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Well = 0,
    CouldNotRun = 1,
    Usage = 2,
    CellsFailed = 3,
    FellShort = 4,
    Interrupted = 130,
    /// The role of a pod was asked to leave before its work was done.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do its work.
#[derive(Debug)]
pub(super) enum CliError {
    /// The plan is wrong: each problem with its place.
    Plan(Problems),
    /// The command line is wrong.
    Usage(String),
    /// It could not run.
    Failed(anyhow::Error),
}

impl CliError {
    /// What is wrong with an argument, and on a line of its own what to do.
    #[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub fn usage(problem: Problem) -> Self {
        let help = problem.help.iter().flat_map(|help| ["\n", help]);
        Self::Usage([&*problem.what].into_iter().chain(help).collect())
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Plan(_) | Self::Usage(_) => Exit::Usage,
            Self::Failed(_) => Exit::CouldNotRun,
        }
    }
}

impl From<Problems> for CliError {
    fn from(problems: Problems) -> Self {
        Self::Plan(problems)
    }
}

/// A template that a person gave is theirs to mend, as a plan is.
impl From<RenderError> for CliError {
    fn from(error: RenderError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// The problems, a line each.
pub(in crate::cli) fn list<'a>(problems: impl Iterator<Item = &'a Problem>) -> String {
    problems.fold(String::new(), |mut list, problem| {
        // Writing into a String cannot fail.
        let _ = write!(list, "\n  - {problem}");
        list
    })
}
