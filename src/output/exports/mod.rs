//! A report for programs that store and draw figures over time.

pub mod bmf;
pub mod openmetrics;
pub mod perfdash;
