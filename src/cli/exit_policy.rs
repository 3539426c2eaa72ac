//! What a report's figures mean for the exit code.

use clap::{Args, ValueEnum};

use super::error::Exit;
use crate::report::Report;
use crate::report::gate::{self, Tally};

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct VerdictArgs {
    /// How to judge an expectation whose bound lies within the 95 % interval
    #[arg(long, value_enum, value_name = "AS", default_value_t)]
    undecided: Undecided,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Undecided {
    /// It is shown, and does not fail
    #[default]
    Pass,
    /// It falls short
    Fail,
}

impl VerdictArgs {
    pub fn undecided_fails(self) -> bool {
        self.undecided == Undecided::Fail
    }

    /// A broken expectation weighs most; one that could not be measured weighs less than the failed
    /// cell that it comes of. A run that is not complete is one with failed cells.
    pub fn exit(self, report: &Report) -> Exit {
        let tally = Tally::of(&gate::judge(report));
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
