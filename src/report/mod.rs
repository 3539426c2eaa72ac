//! A fold over the journal, and the document of it.
//!
//! Everything here is a pure function of events: nothing writes, measures a terminal or reads a clock,
//! so a stored run gives the report that the run itself gave.

pub mod baseline;
mod builder;
mod cell_samples;
pub mod compared_metric;
mod cpu_cost;
pub mod document;
mod figures;
mod fold;
pub mod gate;
pub mod gate_text;
pub mod labels;
mod run_summary;
pub mod selftest;
mod sessions;
pub mod summary;
pub mod under_load;
pub mod variants;
pub mod warnings;
pub mod within;

pub use builder::ReportError;
pub use cpu_cost::cpu_per_gbit;
pub use figures::Figure;
pub use fold::{Attempt, CellReport, CellState, Counts, LoadReport, Report, RunState};
