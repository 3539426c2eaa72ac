//! What is needed of the journal of a finished run, read line by line: it may be larger than the memory
//! that the orchestrator's pod may use.

use std::path::Path;

use crate::results::environment::host_metrics::{self, End};
use crate::results::journal::{self, Reader};
use crate::results::{Event, EventKind, JournalError};
use crate::tools::Metrics;

/// The names of the raw outputs, in the order of their events.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn raw_names(folder: &Path) -> Result<Vec<String>, JournalError> {
    collect(folder, |event| event.kind.raw_name().map(str::to_owned))
}

/// The events with what tables and CSV need of them: without command lines, warnings, and what the
/// ends observed.
///
/// # Errors
/// When the journal cannot be read.
pub(super) fn short_events(folder: &Path) -> Result<Vec<Event>, JournalError> {
    collect(folder, |event| Some(shorten(event)))
}

fn collect<T>(folder: &Path, take: impl Fn(Event) -> Option<T>) -> Result<Vec<T>, JournalError> {
    let mut journal = Reader::open(folder)?;
    let mut taken = Vec::new();
    let failed = |source| JournalError::Io {
        doing: "read",
        path: folder.join(journal::FILE_NAME),
        source,
    };
    while let Some(event) = journal.next_event().map_err(failed)? {
        taken.extend(take(event));
    }
    Ok(taken)
}

/// An event without command lines, warnings, and what the ends observed.
pub(super) fn shorten(mut event: Event) -> Event {
    if let EventKind::Sample(sample) | EventKind::LoadSample { sample, .. } = &mut event.kind {
        sample.command = [].into();
        sample.server_command = [].into();
        sample.warnings = Vec::new();
        sample.series = Vec::new();
        let is_observed = |name: &str| {
            host_metrics::ALL
                .iter()
                .any(|metric| End::BOTH.iter().any(|end| metric.at(*end) == name))
        };
        let mut metrics = Metrics::default();
        for (name, value) in sample.metrics.iter().filter(|(name, _)| !is_observed(name)) {
            metrics.set(name, value);
        }
        sample.metrics = metrics;
    }
    event
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::store::Store;
    use super::*;
    use crate::results::{Sample, Warning};
    use crate::schedule::CellId;
    use crate::tools::name;

    fn sample(raw: Option<&str>) -> EventKind {
        let mut metrics = Metrics::default();
        metrics.set(name::THROUGHPUT_BPS, 1e9);
        metrics.set(host_metrics::SENT_BYTES.at(End::Client), 5.0);
        EventKind::Sample(Sample {
            path: "b".to_owned(),
            tool: "iperf3".to_owned(),
            command: ["iperf3"].map(Into::into).into(),
            server_command: ["iperf3"].map(Into::into).into(),
            metrics,
            warnings: vec![Warning::Loopback],
            raw: raw.map(str::to_owned),
            ..Sample::example(&CellId("a/b".to_owned()))
        })
    }

    #[test]
    fn figures_and_names_of_a_journal_are_read_up_to_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for (seq, raw) in (0_u64..).zip([Some("one.json"), None, Some("two.json")]) {
            let event = Event {
                v: crate::results::VERSION,
                seq,
                at: jiff::Timestamp::UNIX_EPOCH,
                kind: sample(raw),
            };
            let _ = writeln!(text, "{}", journal::to_line(&event).unwrap());
        }
        text += "{\"v\":1,\"seq\":3";
        std::fs::write(folder.path().join(journal::FILE_NAME), text).unwrap();
        assert_eq!(raw_names(folder.path()).unwrap(), ["one.json", "two.json"]);
        let events = short_events(folder.path()).unwrap();
        assert_eq!(events.len(), 3);
        let mut earlier = Vec::new();
        let store = Store::open(folder.path(), None, &mut |event| {
            earlier.push(shorten(event));
        });
        assert_eq!((&earlier, store.unwrap().next_seq()), (&events, 3));
        for event in events {
            let EventKind::Sample(sample) = event.kind else {
                panic!("{event:?}")
            };
            let figures: Vec<(&str, f64)> = sample.metrics.iter().collect();
            assert_eq!(figures, [(name::THROUGHPUT_BPS, 1e9)]);
            assert!(sample.command.is_empty() && sample.warnings.is_empty());
            assert_eq!((sample.path.as_str(), sample.sample), ("b", 1));
        }
        assert!(raw_names(&folder.path().join("none")).is_err());
    }
}
