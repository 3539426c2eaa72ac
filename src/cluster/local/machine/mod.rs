//! This machine: its programs, its limits, and what it allows.

pub mod families;
pub mod host_paths;
pub mod path_lookup;
pub mod process_limit;
pub mod tool_check;
pub mod userns;
pub mod watchdog;
