//! The exit code of a report.

use clap::{Args, ValueEnum};

use crate::cli::error::Exit;
use crate::report::Report;
use crate::report::gate::{self, Tally};

#[derive(Clone, Copy, Debug, Args)]
pub(in crate::cli) struct VerdictArgs {
    /// How to judge an expectation whose bound lies within the 95 % interval
    #[arg(long, value_enum, value_name = "AS", default_value_t)]
    undecided: Undecided,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Undecided {
    /// It is shown, and does not fail
    #[default]
    Pass,
    /// Count it as a failure
    Fail,
}

impl VerdictArgs {
    pub fn undecided_fails(self) -> bool {
        self.undecided == Undecided::Fail
    }

    /// A broken expectation comes first; one that was not measured comes after the failed cell that is its
    /// cause. A run that is not complete counts as one with failed cells.
    pub fn exit(self, report: &Report) -> Exit {
        let tally = Tally::new(&gate::judge(report));
        if tally.is_broken(self.undecided_fails()) {
            Exit::FellShort
        } else if report.has_failures() || !report.is_complete() {
            Exit::CellsFailed
        } else if tally.falls_short(self.undecided_fails()) {
            Exit::FellShort
        } else {
            Exit::Well
        }
    }
}
