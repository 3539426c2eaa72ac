//! The report as a document of blocks. Formats for people are renderers of it.

mod baseline_table;
mod block;
mod chart;
mod expectations;
mod footnotes;
mod from_report;
mod heading;
mod headline;
mod load_table;
mod marks;
pub(crate) mod number_format;
mod outages;
mod page;
mod single_table;
mod sweep_table;
mod timeline;
mod variants_table;
mod warning_notes;
mod workers;

pub use block::{
    Align, Anchor, Block, Cell, Column, Document, Fact, Fold, Level, Meaning, Note, Notes,
    Paragraph, Span, TIE, Table, TableKind,
};
pub use chart::{Axis, Bands, Chart, Dot, DotPlot, DotRow, Point, Series};
