//! Drives the schedule: `state` decides, the driver does.

mod driver;
mod lines;
mod records;
mod run;
mod service;
pub mod state;
mod store;

pub use run::{Error, Linger, Settings, run};
