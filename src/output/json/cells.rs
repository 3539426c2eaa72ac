//! All cells of the document, written by several threads: a large report has gigabytes of them.

use std::io;
use std::num::NonZero;
use std::thread::{self, Builder, available_parallelism};

use super::cell::Cell;
use crate::diag::json;
use crate::report::warnings::Warnings;
use crate::report::{CellReport, Report};

/// A thread takes cells up to so many samples at a time, which bounds its buffer. A single cell can have
/// more, and is then written without a buffer.
const SAMPLES_AT_ONCE: usize = 4_096;
/// More threads would wait for the writer.
const MOST_THREADS: usize = 8;
/// Of the array in the document.
const LEVEL: usize = 1;

/// Writes the cells as an array, in the schedule's order.
///
/// # Errors
/// When `writer` fails.
pub fn write(report: &Report, warnings: &Warnings, mut writer: impl io::Write) -> io::Result<()> {
    let threads = available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_THREADS);
    let mut rest = &*report.cells;
    writer.write_all(b"[")?;
    let mut is_first = true;
    while !rest.is_empty() {
        let mut chunks = Vec::with_capacity(threads);
        for _ in 0..threads {
            let (chunk, others) = rest.split_at(length_of_chunk(rest));
            rest = others;
            chunks.push(chunk);
        }
        for text in in_parallel(report, warnings, &chunks)? {
            match text {
                // Each cell begins with a comma.
                Text::Written(bytes) => {
                    let text = bytes.get(usize::from(is_first)..).unwrap_or_default();
                    writer.write_all(text)?;
                    is_first &= bytes.is_empty();
                }
                Text::TooLong(cell) => {
                    if let Some(cell) = Cell::new(report, warnings, cell) {
                        writer.write_all(if is_first { b"" } else { b"," })?;
                        json::new_line(&mut writer, LEVEL + 1)?;
                        json::write_pretty(&mut writer, &cell, LEVEL + 1)?;
                        is_first = false;
                    }
                }
            }
        }
    }
    if !is_first {
        json::new_line(&mut writer, LEVEL)?;
    }
    writer.write_all(b"]")
}

/// What becomes of a chunk.
enum Text<'a> {
    /// Its cells, each after a comma.
    Written(Vec<u8>),
    /// A single cell of too many samples.
    TooLong(&'a CellReport),
}

/// How many of these cells make a chunk; at least one if there is any.
fn length_of_chunk(cells: &[CellReport]) -> usize {
    let mut samples = 0;
    let fits = cells.iter().take_while(|cell| {
        samples += cell.samples.len() + cell.failed_attempts.len() + 1;
        samples <= SAMPLES_AT_ONCE
    });
    fits.count().max(1).min(cells.len())
}

fn in_parallel<'a>(
    report: &Report,
    warnings: &Warnings,
    chunks: &[&'a [CellReport]],
) -> io::Result<Vec<Text<'a>>> {
    thread::scope(|scope| {
        let started: Vec<_> = chunks
            .iter()
            .map(|chunk| {
                let spawned = Builder::new().spawn_scoped(scope, || text(report, warnings, chunk));
                (*chunk, spawned.ok())
            })
            .collect();
        let texts = started.into_iter().map(|(chunk, thread)| {
            // A system without another thread to give, or one that failed: this thread does it.
            let written = thread.and_then(|thread| thread.join().ok());
            written.unwrap_or_else(|| text(report, warnings, chunk))
        });
        texts.collect()
    })
}

fn text<'a>(report: &Report, warnings: &Warnings, chunk: &'a [CellReport]) -> io::Result<Text<'a>> {
    if let [cell] = chunk
        && cell.samples.len() > SAMPLES_AT_ONCE
    {
        return Ok(Text::TooLong(cell));
    }
    let mut bytes = Vec::new();
    for cell in chunk
        .iter()
        .filter_map(|cell| Cell::new(report, warnings, cell))
    {
        bytes.push(b',');
        json::new_line(&mut bytes, LEVEL + 1)?;
        json::write_pretty(&mut bytes, &cell, LEVEL + 1)?;
    }
    Ok(Text::Written(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::results::Sample;
    use crate::schedule::{Schedule, Selection};

    fn report(sizes: u32) -> Report {
        let text = format!(
            "version: 1\nname: p\nworkers: {{ w1: {{}}, w2: {{}} }}\n\
             paths: [{{ name: a, from: w1, to: w2, via: pod_ip }}]\n\
             tests: [{{ iperf3: {{ mss: {{ from: 100, to: {}, step: 1 }} }} }}]\n",
            99 + sizes
        );
        let plan = plan::load(Source::new("p", text), &[]).unwrap();
        let schedule = Schedule::of(&plan, &Selection::all());
        Report::fold([], plan, schedule)
    }

    fn add_samples(cell: &mut CellReport, samples: u32) {
        cell.samples.extend((1..=samples).map(|number| Sample {
            sample: number,
            ..Sample::example(&cell.id)
        }));
    }

    #[test]
    fn threads_write_what_one_would() {
        let most = u32::try_from(SAMPLES_AT_ONCE).unwrap();
        let mut several = report(7);
        // Chunks of several cells, of one, and a cell without a buffer: at the start and at the end.
        for (cell, samples) in (0..).zip([most + 1, 5, most - 6, 3, most, 1, most + 1]) {
            add_samples(&mut several.cells[cell], samples);
        }
        for report in [report(1), report(9000), several] {
            let warnings = Warnings::from_report(&report);
            let cells = report.cells.iter();
            let all: Vec<_> = cells
                .map(|cell| Cell::new(&report, &warnings, cell))
                .collect();
            let mut expected = Vec::new();
            json::write_pretty(&mut expected, &all, LEVEL).unwrap();
            let mut written = Vec::new();
            write(&report, &warnings, &mut written).unwrap();
            assert!(written == expected);
        }
        let mut none = Vec::new();
        let empty = Report {
            cells: Vec::new(),
            ..report(1)
        };
        write(&empty, &Warnings::from_report(&empty), &mut none).unwrap();
        assert_eq!(none, b"[]");
    }
}
