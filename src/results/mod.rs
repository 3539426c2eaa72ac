//! What a run leaves: events, the journal, the run's directory.

pub mod archive;
pub mod environment;
pub mod epoch_file;
mod event;
pub mod journal;
pub mod mark;
mod progress;
mod record_reader;
pub mod run_dir;
mod run_list;
pub mod run_summary;
pub mod warnings;

pub use environment::{
    Cluster, Configuration, Environment, IMPORTED, JoinedWorker, MachineKey, WorkerEnvironment,
};
pub use event::{
    CommandLine, Event, EventKind, OLDEST_VERSION, Outcome, Sample, VERSION, command_line,
};
pub use journal::{Journal, JournalError, Recovered, Tear};
pub use progress::Progress;
pub use record_reader::{RecordReader, StoredRecord};
pub use run_dir::{RunDir, RunDirError};
pub use run_list::{StoredRun, runs_in};
pub use run_summary::{RunSummary, SeriesValue};
pub use warnings::{Circumstances, Warning};
