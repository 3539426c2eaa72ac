//! `series.csv`: tidy, a row an interval within a sample, of the samples that have intervals.

use std::io;

use super::field;
use crate::report::Report;

/// The columns. `value` is in the unit that the name of the metric carries.
const COLUMNS: [&str; 10] = [
    "run", "cell", "test", "path", "sample", "metric", "start_s", "end_s", "value", "counts",
];

/// Whether any sample has intervals.
#[must_use]
pub fn has_intervals(report: &Report) -> bool {
    let mut samples = report.cells.iter().flat_map(|cell| &cell.samples);
    samples.any(|sample| !sample.series.is_empty())
}

/// Writes the intervals of the report's samples as CSV, in the order of `samples.csv`. `counts` is `no` for an interval
/// that the lowest one is not taken from.
///
/// # Errors
/// When `writer` fails.
pub fn write(report: &Report, writer: &mut dyn io::Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(COLUMNS)?;
    for cell in &report.cells {
        let (test, path) = match report.row(cell.row) {
            Some((_, test, path)) => (&*test.name, &*path.name),
            None => ("", ""),
        };
        let all = cell.samples.iter();
        let all = all.flat_map(|sample| sample.series.iter().map(move |series| (sample, series)));
        for (sample, series) in all {
            let mut counted = series.counted().into_iter().peekable();
            let number = sample.sample.to_string();
            for interval in series.intervals() {
                let counts = counted.next_if_eq(&interval).is_some();
                let [start, end, figure] = [interval.start_s, interval.end_s, interval.value]
                    .map(|value| value.to_string());
                let texts = [
                    &*report.run,
                    &cell.id.0,
                    test,
                    path,
                    &number,
                    series.metric(),
                ];
                let figures = [&*start, &end, &figure, if counts { "yes" } else { "no" }];
                for text in texts {
                    csv.write_field(field::field(text).as_bytes())?;
                }
                for figure in figures {
                    csv.write_field(figure)?;
                }
                csv.write_record(None::<&[u8]>)?;
            }
        }
    }
    csv.flush()
}
