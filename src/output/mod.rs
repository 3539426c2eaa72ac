//! A file for each format that a report is written in.
//!
//! Every format is a pure function of a report or of its document; nothing here measures a terminal or
//! reads a clock.

pub mod ci;
pub mod comparison;
pub mod csv;
pub mod exports;
pub mod history_json;
pub mod html;
pub mod json;
pub mod markdown;
mod markup;
pub mod selftest_json;
pub mod sparkline;
pub mod svg;
pub mod terminal;
