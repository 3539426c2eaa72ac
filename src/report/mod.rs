//! A fold over the journal, and a file for each format.
//!
//! Every format is a pure function of a [`Report`]; nothing here writes, measures a terminal or
//! reads a clock, so a stored run prints what the run itself printed.

pub mod baseline;
mod build;
mod counted;
mod csv_text;
mod figures;
mod fold;
pub mod gate;
pub mod github;
mod grid;
mod heading;
pub mod json;
mod judged;
pub mod junit;
mod notes;
pub mod nptest_csv;
mod ratios;
pub mod samples_csv;
mod scale;
mod sections;
mod sessions;
mod spark;
mod swept;
pub mod table;
mod text;
pub mod truth;
mod warnings;
mod words;

pub use build::ReportError;
pub use figures::Figure;
pub use fold::{Attempt, CellReport, CellState, Counts, Report, RunState};
pub use text::{count, elapsed};
