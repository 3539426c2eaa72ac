//! The sides of a comparison: what is taken of each run, and which cells two sides have in common.

pub mod matching;
pub mod run;
pub mod side;
