//! What a run leaves: events, the journal, the run's directory, statistics over samples.

pub mod environment;
mod event;

pub use event::{Event, EventKind, Outcome, Sample, VERSION};
