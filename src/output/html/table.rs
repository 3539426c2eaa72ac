//! A table on the page.

use serde::Serialize;

use super::span::SpanView;
use crate::output::sparkline;
use crate::report::document::{Align, Span, Table};

/// A table has so many rows.
const MOST_ROWS: usize = 1_000;
/// A table has so many cells.
const MOST_CELLS: usize = 20_000;
/// A table of more rows can be filtered.
const FILTERED_FROM: usize = 40;

/// What the template makes a table of.
#[derive(Debug, Serialize)]
pub struct TableView {
    id: String,
    caption: String,
    /// What a screen reader calls it.
    label: String,
    columns: Vec<ColumnView>,
    rows: Vec<Vec<CellView>>,
    has_filter: bool,
    /// What belongs below it.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ColumnView {
    name: String,
    unit: String,
    is_number: bool,
}

#[derive(Debug, Default, Serialize)]
struct CellView {
    /// It says what its row is.
    is_key: bool,
    value: Vec<SpanView>,
    spread: String,
    count: String,
    marks: Vec<SpanView>,
}

impl TableView {
    /// `number` is that of no other table; `section` is the title of its section.
    pub fn new(table: &Table, number: usize, section: &str) -> TableView {
        let all = table
            .columns
            .iter()
            .map(|column| column.cells.len())
            .max()
            .unwrap_or(0);
        let most = (MOST_CELLS / table.columns.len().max(1)).clamp(1, MOST_ROWS);
        let rows = (0..all.min(most)).map(|row| {
            let columns = table.columns.iter().enumerate();
            let cells = columns.map(|(at, column)| {
                let Some(cell) = column.cells.get(row) else {
                    return CellView::default();
                };
                CellView {
                    is_key: at < table.keys && !cell.value.text.is_empty(),
                    value: [&cell.value, &Span::plain(sparkline::trend(&cell.trend))]
                        .into_iter()
                        .filter(|span| !span.text.is_empty())
                        .map(SpanView::from)
                        .collect(),
                    spread: cell.spread.clone(),
                    count: cell.count.clone(),
                    marks: cell.marks.iter().map(SpanView::from).collect(),
                }
            });
            cells.collect()
        });
        let mut notes: Vec<String> = Vec::new();
        if all > most {
            notes.push(format!(
                "The first {most} of {all} rows; `--format json` has all."
            ));
        }
        let details = table.details.iter().flatten();
        notes.extend(details.map(|paragraph| paragraph.iter().map(|span| &*span.text).collect()));
        TableView {
            id: format!("table-{number}"),
            label: if table.caption.is_empty() {
                format!("Table of {section}")
            } else {
                format!("Table of {section}: {}", table.caption)
            },
            caption: table.caption.clone(),
            columns: table
                .columns
                .iter()
                .map(|column| ColumnView {
                    name: column.name.clone(),
                    unit: column.unit.clone(),
                    is_number: column.align == Align::Right,
                })
                .collect(),
            rows: rows.collect(),
            has_filter: all.min(most) >= FILTERED_FROM,
            notes,
        }
    }
}
