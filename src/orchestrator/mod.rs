//! Drives the schedule: `state` decides, the driver does.

mod address;
mod driver;
mod finish;
mod leave;
mod lines;
mod records;
mod run;
mod service;
mod session_rate;
pub mod state;
mod store;

pub use run::{Error, Linger, Settings, run};
