//! Drives the schedule: `state` decides, the driver does.

pub mod state;
