//! The documents of an import, each known to make a plan.

use std::collections::HashSet;

use super::placed::Document;
use super::runs::runs;
use super::shape::Shape;
use crate::diag::Problem;
use crate::import::run::ImportedRun;

/// The documents of an import.
#[derive(Debug, Default)]
pub struct Documents {
    documents: Vec<Document>,
    /// Tests that a plan can have.
    fit: HashSet<(Shape, Option<u64>)>,
}

impl Documents {
    /// Adds a document.
    ///
    /// # Errors
    /// When a plan cannot have its test, e.g. for a duration of more than a day. Then it is left out.
    pub fn add(&mut self, document: Document) -> Result<(), Problem> {
        let test = document.reading.test.as_ref();
        if let Some(test) = test.filter(|test| !self.fit.contains(test)) {
            runs("document", vec![document.clone()])?;
            self.fit.insert(test.clone());
        }
        self.documents.push(document);
        Ok(())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Makes a run of the documents of each column and run; all runs have the same tests and paths. `source` names the
    /// import.
    ///
    /// # Errors
    /// When the documents together make no plan that netplan reads: there are too many cells or samples.
    pub fn runs(self, source: &str) -> Result<Vec<ImportedRun>, Problem> {
        // Each document makes a plan by itself, so that there are too many of them.
        runs(source, self.documents).map_err(|problem| {
            problem.help("name fewer files, or choose a `--pattern` that has fewer cells")
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::import::iperf3::{Match, Reading};
    use crate::results::EventKind;

    /// A document of iperf3 with these settings, of a test that went well.
    fn document(values: [u64; 8], is_udp: bool, fails: bool) -> Vec<u8> {
        let [streams, mss, block, rate, window, duration, omit, flags] = values;
        let mut start = json!({
            "version": "iperf 3.16", "system_info": "Linux a 5.15", "sock_bufsize": window,
            "timestamp": { "timesecs": 1_708_512_066 }, "connecting_to": { "host": "b" },
            "test_start": {
                "protocol": if is_udp { "UDP" } else { "TCP" }, "num_streams": streams, "blksize": block,
                "omit": omit, "duration": duration, "target_bitrate": rate, "reverse": flags & 1, "bidir": 0,
            },
        });
        if flags & 2 > 0 {
            start["tcp_mss"] = mss.into();
        }
        if flags & 4 > 0 {
            // It failed before it began.
            return json!({ "start": { "version": "iperf 3.16" }, "end": {}, "error": "refused" })
                .to_string()
                .into_bytes();
        }
        let rates = json!({ "bytes": 1e9, "bits_per_second": 8e8, "seconds": duration });
        let mut document =
            json!({ "start": start, "end": { "sum_sent": rates, "sum_received": rates } });
        if fails {
            document["error"] = "unable to connect to server: Connection refused".into();
        }
        document.to_string().into_bytes()
    }

    fn settings() -> impl Strategy<Value = [u64; 8]> {
        // Mostly what people use, sometimes anything.
        let or_any = |values: &'static [u64]| {
            let usual = prop::sample::select(values);
            prop_oneof![20 => Just(values[0]), 9 => usual, 1 => any::<u64>()]
        };
        [
            or_any(&[1, 8]).boxed(),
            or_any(&[96, 1460]).boxed(),
            prop_oneof![or_any(&[1460]), or_any(&[1400, 131_072])].boxed(),
            or_any(&[0, 100_000_000]).boxed(),
            or_any(&[0, 1 << 20]).boxed(),
            or_any(&[10, 0, 60]).boxed(),
            or_any(&[0, 1]).boxed(),
            (0..8_u64).boxed(),
        ]
    }

    proptest! {
        /// Whatever the documents say: each is left out, or is an attempt of exactly one cell of its run.
        #[test]
        fn every_document_is_in_its_run_once(
            documents in prop::collection::vec(
                (settings(), any::<bool>(), any::<bool>(), "[ab]", "[12]", "[xy]"), 1..12,
            ),
        ) {
            let mut imported = Documents::default();
            let mut added = 0;
            for (file, (settings, is_udp, fails, column, run, cell)) in documents.into_iter().enumerate() {
                let Ok(reading) = Reading::read(document(settings, is_udp, fails)) else {
                    continue;
                };
                let place = Match { column, run, cell };
                let modified = Timestamp::UNIX_EPOCH;
                let document = Document { place, file, extension: "json", modified, reading };
                added += usize::from(imported.add(document).is_ok());
            }
            let runs = imported.runs("generated").unwrap();
            let files: HashSet<usize> = runs.iter().flat_map(|run| &run.raw).map(|(file, _)| *file).collect();
            prop_assert_eq!(files.len(), added);
            for run in &runs {
                let attempts = run.events.iter().filter(|event| matches!(
                    event.kind,
                    EventKind::Sample(_) | EventKind::AttemptFailed { .. }
                ));
                prop_assert_eq!(attempts.count(), run.raw.len());
                prop_assert!(run.events.is_sorted_by_key(|event| (event.seq, event.at)));
            }
            // All runs have the same cells.
            let ended = |run: &ImportedRun| -> Vec<String> {
                let cells = run.events.iter().filter_map(|event| match &event.kind {
                    EventKind::CellEnded { cell, .. } => Some(cell.0.clone()),
                    _ => None,
                });
                let mut cells: Vec<String> = cells.collect();
                cells.sort();
                cells
            };
            prop_assert!(runs.windows(2).all(|two| ended(&two[0]) == ended(&two[1])));
        }
    }
}
