//! A report as CSV: nptest's table, a row for each sample, and a row for each interval within a sample.

mod field;
pub mod nptest;
pub mod samples;
pub mod series;
