//! `--only 'tool=iperf3,path=hairpin'`: which cells of a plan to run.

mod rule;
mod suggestion;
mod term;

pub use rule::Selection;
