//! `--only 'tool=iperf3,path=hairpin'`: which cells of a plan to run.

mod error;
mod rule;
mod term;

pub use error::SelectionError;
pub use rule::Selection;
