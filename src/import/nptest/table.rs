//! nptest's CSV as it is written, in both dialects: a header, and a row a test and path.
//!
//! ```text
//! MSS                                          , Maximum, 96, 352,
//! 1 iperf TCP. Same VM using Pod IP            ,35507.000000,33835,35507,
//! ```
//!
//! The fork writes `;` for `,`. Both may be a part of a log, which continues after the line `END CSV DATA`. Newer versions
//! write no header where no row has several values, and else that of any row.

/// The line that ends the table in a log.
const END: &str = "END CSV DATA";
/// More rows than these are not a table of nptest.
const MOST_ROWS: usize = 10_000;

/// The table, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What the header says of the columns after `Maximum`.
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

/// A row, as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Without the number before it.
    pub label: String,
    /// The fields after the maximum.
    pub values: Vec<String>,
}

/// Reads the last table of a text; without rows where there is none. Lines that are not rows are left out.
#[must_use]
pub fn read(text: &str) -> Table {
    let mut table = Table::default();
    let mut ended = false;
    // Spreadsheets begin a text with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for line in text.lines() {
        let line = line.trim_end();
        let header = [',', ';']
            .iter()
            .find_map(|separator| header(line, *separator));
        if let Some(columns) = header {
            table = Table {
                columns,
                rows: Vec::new(),
            };
            ended = false;
        } else if line.trim() == END {
            ended = true;
        } else if let Some((label, values)) = row(line) {
            if ended {
                table = Table::default();
                ended = false;
            }
            if table.rows.len() < MOST_ROWS {
                table.rows.push(Row { label, values });
            }
        }
    }
    table
}

/// The fields of a line that ends in the separator.
fn fields(line: &str, separator: char) -> Option<impl Iterator<Item = &str>> {
    let fields = line.strip_suffix(separator)?;
    Some(fields.split(separator).map(str::trim))
}

fn header(line: &str, separator: char) -> Option<Vec<String>> {
    let mut fields = fields(line, separator)?;
    let is_header = fields.next() == Some("MSS") && fields.next() == Some("Maximum");
    is_header.then(|| fields.map(str::to_owned).collect())
}

/// Label and values of a row: `1 iperf TCP. Same VM using Pod IP ,35507.000000,33835,`.
fn row(line: &str) -> Option<(String, Vec<String>)> {
    // A row's label has no separator, and its maximum is a number or empty.
    let separator = line.chars().find(|c| matches!(c, ',' | ';'))?;
    let mut fields = fields(line, separator)?;
    let (number, label) = fields.next()?.split_once(' ')?;
    let is_row = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let maximum = fields.next()?;
    let is_number = maximum.is_empty() || maximum.parse::<f64>().is_ok();
    (is_row && is_number).then(|| {
        let values = fields.map(str::to_owned).collect();
        (label.trim().to_owned(), values)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = include_str!("../../../tests/data/nptest-sample.csv");

    #[test]
    fn both_dialects_are_read_also_within_a_log() {
        let table = read(SAMPLE);
        assert_eq!(table.columns, ["96", "352", "608", "864", "1120", "1376"]);
        assert_eq!(table.rows.len(), 13);
        assert_eq!(table.rows[0].label, "iperf TCP. Same VM using Pod IP");
        assert_eq!(table.rows[0].values.len(), 6);
        assert_eq!(table.rows[10].values, ["0.00"]);
        let fork = SAMPLE.replace(',', ";") + "END CSV DATA\n";
        let log = format!("Registered worker, 1\n\r\n{SAMPLE}END CSV DATA\nbye, all,\n");
        for text in [fork, log] {
            let read = read(&text);
            assert_eq!(read.columns, table.columns);
            let labels = |table: &Table| -> Vec<String> {
                table.rows.iter().map(|row| row.label.clone()).collect()
            };
            assert_eq!(labels(&read), labels(&table));
        }
        assert_eq!(read(&format!("\u{feff}{SAMPLE}")), table);
    }

    #[test]
    fn the_last_table_of_a_text_counts() {
        let two =
            format!("{SAMPLE}END CSV DATA\n1 netperf. Same VM using Pod IP ,1.000000,1.00,\n");
        assert_eq!(read(&two).rows.len(), 1);
        assert_eq!(read(&two).columns.len(), 0);
        for text in ["a,b,c\n1 x,y,\n", "MSS , Maximum,\n"] {
            assert_eq!(read(text).rows, []);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\PC|[\n,;0-9 ]){0,200}") {
            prop_assert!(read(&text).rows.iter().all(|row| text.contains(&row.label)));
        }
    }
}
