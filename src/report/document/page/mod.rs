//! The report as a document for a page: charts first, then all figures.

mod cells_table;
mod charts;
mod cpu;
mod finding;
mod from_report;
mod header;
mod latency;
mod ratios;
mod row_names;
mod section;
mod variants;
mod within;
