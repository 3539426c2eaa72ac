//! A report as CSV: nptest's table, and a row for each sample.

mod field;
pub mod nptest;
pub mod samples;
