//! A fold over the journal, and a file for each format.
//!
//! Every format is a pure function of a [`Report`]; nothing here writes, measures a terminal or
//! reads a clock, so a stored run prints what the run itself printed.

mod doubts;
mod fold;
mod grid;
mod heading;
pub mod json;
mod notes;
pub mod nptest_csv;
pub mod samples_csv;
mod scale;
mod sections;
mod spark;
pub mod table;
pub mod truth;
mod words;

pub use fold::{Attempt, CellReport, CellState, Counts, Report, ReportError, RunState};
pub use words::{count, elapsed};
