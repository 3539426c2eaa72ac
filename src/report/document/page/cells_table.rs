//! All cells in one table, to sort.

use super::from_report::heading;
use crate::diag;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Block, Cell, Column, Meaning, Span, Table};
use crate::report::{CellReport, CellState, Report};

/// A page has so many cells; `samples.csv` has all.
const MOST_CELLS: usize = 1_000;

/// The headline figure of each cell, with its spread.
pub fn section(report: &Report) -> Vec<Block> {
    let total = report.cells.len();
    let mut about = format!(
        "The headline figure of {}.",
        diag::count(total.min(MOST_CELLS), "cell")
    );
    if total > MOST_CELLS {
        about = format!(
            "The headline figure of the first {MOST_CELLS} of {total} cells; `samples.csv` has all."
        );
    }
    let rows: Vec<Row> = report
        .cells
        .iter()
        .take(MOST_CELLS)
        .map(|cell| Row::new(report, cell))
        .collect();
    let words = |name: &str, text: fn(&Row) -> &str| {
        Column::words(name, rows.iter().map(|row| text(row).to_owned()))
    };
    let figures = |name: &str, text: fn(&Row) -> &str| {
        Column::figures(name, "", rows.iter().map(|row| text(row).to_owned()))
    };
    let state = rows.iter().map(|row| Cell::from(row.state.clone()));
    vec![
        heading("All cells"),
        Block::paragraph(Meaning::Plain, about),
        Block::Table(Table {
            columns: vec![
                words("test", |row| &row.test),
                words("path", |row| &row.path),
                words("parameters", |row| &row.params),
                figures("mean", |row| &row.mean),
                figures("±", |row| &row.half),
                words("unit", |row| row.unit),
                figures("CV %", |row| &row.cv),
                figures("samples", |row| &row.samples),
                Column {
                    name: "state".to_owned(),
                    cells: state.collect(),
                    ..Column::default()
                },
            ],
            keys: 3,
            ..Table::default()
        }),
    ]
}

/// What the table says of a cell.
#[derive(Debug, Default)]
struct Row {
    test: String,
    path: String,
    params: String,
    mean: String,
    half: String,
    unit: &'static str,
    cv: String,
    samples: String,
    state: Span,
}

impl Row {
    fn new(report: &Report, cell: &CellReport) -> Row {
        let Some((_, test, path)) = report.row(cell.row) else {
            return Row::default();
        };
        let params: Vec<String> = cell
            .params
            .0
            .iter()
            .map(|(param, value)| format!("{}={}", param.name(), param.in_words(*value)))
            .collect();
        let row = Row {
            test: test.name.clone(),
            path: path.name.clone(),
            params: params.join(" "),
            state: state(cell),
            samples: cell.counted().count().to_string(),
            ..Row::default()
        };
        let Some(figure) = report.headline(cell) else {
            return row;
        };
        let format = NumberFormat::headline(&test.tool.headline(), &[figure.summary.mean]);
        Row {
            mean: format.write(figure.summary.mean),
            half: figure
                .interval
                .map_or_else(String::new, |interval| format.write(interval.half())),
            unit: format.unit,
            cv: figure
                .summary
                .cv
                .map_or_else(String::new, |cv| format!("{:.1}", cv * 100.0)),
            ..row
        }
    }
}

fn state(cell: &CellReport) -> Span {
    match &cell.state {
        CellState::Measured => Span::new(Meaning::Good, "measured"),
        CellState::Failed(failure) => {
            Span::new(Meaning::Failed, format!("failed: {}", failure.cause))
        }
        CellState::Skipped(reason) => Span::new(Meaning::Skipped, format!("skipped: {reason}")),
        CellState::Partial => Span::new(Meaning::Warning, "partial"),
        CellState::Missing => Span::new(Meaning::Warning, "missing"),
    }
}
