//! A comparison as a document of blocks, and its sentences.

mod charts;
mod figures;
mod from_comparison;
mod headline;
mod layout;
mod notes;
mod tables;
mod verdict_blocks;

pub use figures::subject_text;
pub use headline::{quotable, reason, totals, verdict_line};
pub use layout::Layout;
