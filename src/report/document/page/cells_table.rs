//! All cells in one table, to sort.

use super::section::heading;
use crate::diag;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Block, Cell, Column, Meaning, Span, Table};
use crate::report::{CellReport, CellState, Report, labels};
use crate::tools::name;

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
    let cells = || report.cells.iter().take(MOST_CELLS);
    // All rates in one unit, so that they can be sorted.
    let rates: Vec<f64> = cells()
        .filter_map(|cell| {
            let (_, test, _) = report.row(cell.row)?;
            let figure = report.headline(cell)?;
            labels::is_rate(&test.tool.headline()).then_some(figure.summary.mean)
        })
        .collect();
    let rate = NumberFormat::headline(name::THROUGHPUT_BPS, &rates);
    let rows: Vec<Row> = cells().map(|cell| Row::new(report, cell, rate)).collect();
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
    fn new(report: &Report, cell: &CellReport, rate: NumberFormat) -> Row {
        let Some((_, test, path)) = report.row(cell.row) else {
            return Row::default();
        };
        let params: Vec<String> = cell
            .params
            .0
            .iter()
            .map(|(param, value)| format!("{}={}", param.name(), param.value_text(*value)))
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
        let headline = test.tool.headline();
        let format = if labels::is_rate(&headline) {
            rate
        } else {
            NumberFormat::headline(&headline, &[figure.summary.mean])
        };
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
