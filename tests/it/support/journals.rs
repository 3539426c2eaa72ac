//! What the journal of a run in a test holds.

use std::path::Path;

use netplan::results::{EventKind, Sample, journal};

/// The samples of a run directory, in the order in which they ended.
pub fn samples(run: &Path) -> Vec<Sample> {
    let events = journal::read(run).unwrap().events;
    let samples = events.into_iter().filter_map(|event| match event.kind {
        EventKind::Sample(sample) => Some(sample),
        _ => None,
    });
    samples.collect()
}
