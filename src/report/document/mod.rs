//! The report as a document of blocks. Formats for people are renderers of it.

mod baseline_table;
mod block;
mod expectations;
mod footnotes;
mod from_report;
mod heading;
mod headline;
pub(crate) mod number_format;
mod single_table;
mod sweep_table;
mod warning_notes;

pub use block::{
    Align, Anchor, Axis, Block, Cell, Chart, Column, Document, Fold, Level, Meaning, Note, Notes,
    Paragraph, Series, Span, TIE, Table, TableKind,
};
