//! Drives the schedule: `state` decides, the driver does.
