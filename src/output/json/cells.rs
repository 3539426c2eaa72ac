//! All cells of the document, written by several threads: a large report has gigabytes of them.

use std::io;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, Builder, Scope, available_parallelism};

use super::cell::Cell;
use crate::diag::json;
use crate::report::warnings::Warnings;
use crate::report::{CellReport, Report};

/// A chunk takes cells up to so many samples. Its text fits into the processor's cache.
const SAMPLES_OF_CHUNK: usize = 64;
/// A cell with more samples is written without a buffer, which bounds the buffers.
const SAMPLES_OF_BUFFER: usize = 1_024;
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
    let chunks = chunks(&report.cells);
    writer.write_all(b"[")?;
    let mut is_first = true;
    thread::scope(|scope| {
        // Each thread takes every nth chunk, and is at most one ahead of the writer.
        let texts: Vec<_> = (0..threads)
            .map(|nth| {
                let own = chunks.iter().skip(nth).step_by(threads);
                spawn(scope, report, warnings, own)
            })
            .collect();
        for (chunk, texts) in chunks.iter().zip(texts.iter().cycle()) {
            if let [cell] = chunk
                && is_too_long(cell)
            {
                if let Some(cell) = Cell::new(report, warnings, cell) {
                    writer.write_all(if is_first { b"" } else { b"," })?;
                    json::new_line(&mut writer, LEVEL + 1)?;
                    json::write_pretty(&mut writer, &cell, LEVEL + 1)?;
                    is_first = false;
                }
                continue;
            }
            // A system without another thread to give, or one that failed: this thread does it.
            let text = match texts.recv() {
                Ok(text) => text,
                Err(_) => text(report, warnings, chunk)?,
            };
            // Each cell begins with a comma.
            writer.write_all(text.get(usize::from(is_first)..).unwrap_or_default())?;
            is_first &= text.is_empty();
        }
        if !is_first {
            json::new_line(&mut writer, LEVEL)?;
        }
        writer.write_all(b"]")
    })
}

/// The cells in their order, by chunks that are not empty.
fn chunks(cells: &[CellReport]) -> Vec<&[CellReport]> {
    let mut chunks = Vec::new();
    let mut rest = cells;
    while !rest.is_empty() {
        let mut samples = 0;
        let fits = rest.iter().take_while(|cell| {
            samples += cell.samples.len() + cell.failed_attempts.len() + 1;
            samples <= SAMPLES_OF_CHUNK
        });
        let (chunk, others) = rest.split_at(fits.count().max(1).min(rest.len()));
        chunks.push(chunk);
        rest = others;
    }
    chunks
}

fn is_too_long(cell: &CellReport) -> bool {
    cell.samples.len() > SAMPLES_OF_BUFFER
}

/// Starts a thread that sends the text of each chunk but those of a single cell that is too long.
fn spawn<'scope, 'a: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    report: &'a Report,
    warnings: &'a Warnings,
    chunks: impl Iterator<Item = &'a &'a [CellReport]> + Send + 'scope,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(1);
    let write = move || {
        for chunk in chunks {
            if matches!(chunk, [cell] if is_too_long(cell)) {
                continue;
            }
            let Ok(text) = text(report, warnings, chunk) else {
                return;
            };
            if sender.send(text).is_err() {
                return;
            }
        }
    };
    // Without a thread the receiver has no sender.
    drop(Builder::new().spawn_scoped(scope, write));
    receiver
}

/// Each cell after a comma.
fn text(report: &Report, warnings: &Warnings, chunk: &[CellReport]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for cell in chunk
        .iter()
        .filter_map(|cell| Cell::new(report, warnings, cell))
    {
        bytes.push(b',');
        json::new_line(&mut bytes, LEVEL + 1)?;
        json::write_pretty(&mut bytes, &cell, LEVEL + 1)?;
    }
    Ok(bytes)
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
        let schedule = Schedule::new(&plan, &Selection::all());
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
        let most = u32::try_from(SAMPLES_OF_BUFFER).unwrap();
        let few = u32::try_from(SAMPLES_OF_CHUNK).unwrap();
        let mut several = report(7);
        // Chunks of several cells, of one, and a cell without a buffer: at the start and at the end.
        for (cell, samples) in (0..).zip([most + 1, 5, few - 7, 3, most, 1, most + 1]) {
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
