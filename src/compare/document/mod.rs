//! A comparison as a document of blocks, and its sentences.

mod charts;
mod figures;
mod from_comparison;
mod headline;
mod notes;
mod tables;

pub use figures::subject_text;
pub use headline::{quotable, reason, totals, verdict_line};
