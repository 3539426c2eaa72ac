//! Drives the schedule: `state` decides, the driver does.

mod address;
mod arrivals;
mod audience;
mod copier;
mod copy_fetch;
mod driver;
mod finish;
mod gather;
mod journal_stream;
mod journal_writer;
mod log_archive;
mod log_lines;
mod messages;
mod run;
mod run_log;
mod service;
mod session_rate;
pub mod state;
mod store;

pub use run::{COPY_PATIENCE, Copies, Error, Linger, Settings, run};
