//! The report as a document.

pub mod baseline_table;
pub mod heading;
pub mod notes;
pub mod number_format;
pub mod sweep_table;
pub mod test_section;
