//! A file for each format that a report is written in.
//!
//! Every format is a pure function of a report or of its document; nothing here measures a terminal or
//! reads a clock.

pub mod bmf;
pub mod comparison;
mod csv_field;
pub mod github;
pub mod history_json;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod markup;
pub mod nptest_csv;
pub mod openmetrics;
pub mod perfdash;
pub mod samples_csv;
pub mod selftest_json;
mod sparkline;
pub mod svg;
pub mod terminal;
