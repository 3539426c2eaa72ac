//! nptest's CSV, to the byte, so that old scripts and spreadsheets still work.
//!
//! ```text
//! MSS                                          , Maximum, 96, 352,
//! 1 iperf TCP. Same VM using Pod IP            ,35507.000000,33835,35507,
//! 6 iperf UDP. Same VM using Pod IP            ,10642.000000,10642,
//! ```
//!
//! A row's label is padded to 45 characters; `Maximum` has six decimals and is the largest of the
//! values as they are written (a value that would be 0 so gets the decimals that it needs); every
//! line ends in the separator. Rates are Mbit/s, request/response tests transactions a second. Where
//! nptest writes `0` (a fork: `-1`) for a failure, the field is empty here: a cell without a
//! measurement is never a number. Only a failure that was imported is written as its source has it.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::field;
use crate::catalog::CsvDigits;
use crate::plan::ToolSpec;
use crate::report::document::number_format::visible;
use crate::report::labels;
use crate::report::{CellReport, CellState, Report};
use crate::tools::Cause;

/// Whose CSV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The original's: `,`.
    #[default]
    Nptest,
    /// Its fork's: `;`, and `END CSV DATA` as the last line.
    Fork,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// With its number: `1 iperf TCP. Same VM using Pod IP`.
    pub label: String,
    /// The values as they are written, by position; none for a field that stays empty.
    pub values: Vec<Option<String>>,
}

/// The report as nptest's CSV. Several samples of a cell count as their mean.
#[must_use]
pub fn render(report: &Report, dialect: Dialect) -> String {
    let mut rows: Vec<Vec<(Option<u64>, Option<String>)>> =
        vec![Vec::new(); report.schedule.rows.len()];
    for cell in &report.cells {
        let measured = || {
            let (_, test, _) = report.row(cell.row)?;
            Some(figure(&test.tool, report.headline(cell)?.summary.mean))
        };
        let value = recorded_failure(cell).or_else(measured);
        if let Some(row) = rows.get_mut(cell.row) {
            row.push((cell.params.size(), value));
        }
    }
    let swept = |row: &&Vec<(Option<u64>, _)>| row.len() > 1;
    let sizes: Vec<u64> = rows
        .iter()
        .filter(swept)
        .flatten()
        .filter_map(|(size, _)| *size)
        .collect::<BTreeSet<u64>>()
        .into_iter()
        .collect();
    let lines: Vec<Line> = report
        .schedule
        .rows
        .iter()
        .zip(&rows)
        .map(|(row, cells)| Line {
            label: format!(
                "{} {}",
                row.number,
                report.schedule.label(&report.plan, row)
            ),
            values: if cells.len() > 1 {
                let of_sizes = cells.iter().rev().map(|(size, value)| (*size, value));
                let by_size: HashMap<Option<u64>, &Option<String>> = of_sizes.collect();
                sizes
                    .iter()
                    .map(|size| (*by_size.get(&Some(*size))?).clone())
                    .collect()
            } else {
                cells.iter().map(|(_, value)| value.clone()).collect()
            },
        })
        .collect();
    let columns: Vec<String> = if sizes.is_empty() {
        // Nothing is swept: the one column is the size that all rows share, if they do.
        let mut single: Vec<Option<u64>> = rows.iter().flatten().map(|(size, _)| *size).collect();
        single.dedup();
        match single[..] {
            [Some(size)] => vec![size.to_string()],
            [] => vec![],
            _ => vec!["Value".to_owned()],
        }
    } else {
        sizes.iter().map(u64::to_string).collect()
    };
    write(&columns, &lines, dialect)
}

/// Writes the table.
#[must_use]
pub fn write(columns: &[String], lines: &[Line], dialect: Dialect) -> String {
    let separator = match dialect {
        Dialect::Nptest => ',',
        Dialect::Fork => ';',
    };
    let mut out = format!("{:<45}{separator} Maximum{separator}", "MSS");
    for column in columns {
        let _ = write!(out, " {column}{separator}");
    }
    out.push('\n');
    for line in lines {
        // A label is free text: what would end the field or the line becomes a space.
        let label = line.label.replace([separator, '\n', '\r'], " ");
        let label = field::field(&label);
        let _ = write!(out, "{label:<45}{separator}");
        let values = line.values.iter().flatten();
        let numbers = values.filter_map(|value| value.parse().ok());
        // A failure as the fork writes it is below 0.
        let maximum = numbers.map(|value: f64| value.max(0.0)).reduce(f64::max);
        if let Some(maximum) = maximum {
            out.push_str(&decimals(maximum, 6));
        }
        out.push(separator);
        for value in &line.values {
            out.push_str(value.as_deref().unwrap_or_default());
            out.push(separator);
        }
        out.push('\n');
    }
    if dialect == Dialect::Fork {
        out.push_str("END CSV DATA\n");
    }
    out
}

/// What the source of an import has instead of a cell's figure; `None` for other cells.
fn recorded_failure(cell: &CellReport) -> Option<String> {
    match &cell.state {
        CellState::Failed(failure) if failure.cause == Cause::RecordedAsFailure => {
            Some(failure.words.clone())
        }
        _ => None,
    }
}

/// A headline figure as the tool itself would print it, in Mbit/s or transactions a second.
fn figure(tool: &ToolSpec, value: f64) -> String {
    let value = if labels::is_rate(&tool.headline()) {
        value / 1e6
    } else {
        value
    };
    match tool {
        ToolSpec::BuiltIn(used) if used.tool.csv_digits == CsvDigits::Three => three_digits(value),
        ToolSpec::BuiltIn(_) | ToolSpec::Declared(_) => decimals(value, 2),
    }
}

/// A value with so many decimals; more only where it is not 0 and they would say so: 0 is what the
/// original writes of a failure.
fn decimals(value: f64, usual: usize) -> String {
    let text = format!("{value:.usual$}");
    if text.parse() == Ok(0.0) {
        format!("{value:.*}", visible(value, usual, 2))
    } else {
        text
    }
}

/// A rate as `iperf3 -f m` prints it: three digits, and all before the point.
fn three_digits(mbit_per_s: f64) -> String {
    match mbit_per_s {
        m if m < 9.995 => decimals(m, 2),
        m if m < 99.95 => format!("{m:.1}"),
        m => format!("{m:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../../tests/data/nptest-sample.csv");

    /// Labels and values of the sample, without its layout.
    fn sample() -> (Vec<String>, Vec<Line>) {
        let mut lines = SAMPLE.lines().map(|line| {
            let fields: Vec<&str> = line
                .trim_end_matches(',')
                .split(',')
                .map(str::trim)
                .collect();
            (fields[0].to_owned(), fields[2..].to_vec())
        });
        let (_, columns) = lines.next().unwrap();
        let rows = lines.map(|(label, values)| Line {
            label,
            values: values.into_iter().map(|v| Some(v.to_owned())).collect(),
        });
        (
            columns.into_iter().map(str::to_owned).collect(),
            rows.collect(),
        )
    }

    #[test]
    fn the_original_table_comes_out_byte_for_byte() {
        let (columns, lines) = sample();
        assert_eq!(lines.len(), 13);
        assert_eq!(write(&columns, &lines, Dialect::Nptest), SAMPLE);
    }

    #[test]
    fn the_fork_differs_in_separator_and_last_line() {
        let (columns, lines) = sample();
        assert_eq!(
            write(&columns, &lines, Dialect::Fork),
            SAMPLE.replace(',', ";") + "END CSV DATA\n"
        );
    }

    #[test]
    fn numbers_are_written_as_the_tools_do() {
        let written = [35507.4, 99.95, 99.94, 57.44, 9.995, 9.994, 5.727, 0.0].map(three_digits);
        assert_eq!(
            written,
            [
                "35507", "100", "99.9", "57.4", "10.0", "9.99", "5.73", "0.00"
            ]
        );
    }

    #[test]
    fn what_is_not_0_is_not_written_as_0() {
        assert_eq!(
            [0.004, 0.0049, 0.0051, 1.2e-7, 0.0].map(three_digits),
            ["0.0040", "0.0049", "0.01", "0.00000012", "0.00"]
        );
        let line = Line {
            label: String::new(),
            values: vec![Some("0.00000012".to_owned()), Some("0.00".to_owned())],
        };
        let text = write(&[], &[line], Dialect::Nptest);
        assert!(text.ends_with(",0.00000012,0.00000012,0.00,\n"), "{text}");
    }

    #[test]
    fn a_row_without_values_has_no_maximum() {
        let line = Line {
            label: "1 a,b".to_owned(),
            values: vec![None, None],
        };
        let text = write(
            &["96".to_owned(), "160".to_owned()],
            &[line],
            Dialect::Nptest,
        );
        let row = text.lines().nth(1).unwrap();
        assert_eq!(row, format!("{:<45},,,,", "1 a b"));
    }
}
