//! Drives the schedule: `state` decides, the driver does.

pub mod message;
mod progress;
pub mod state;
mod task;

pub use task::Task;
