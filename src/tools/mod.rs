//! The programs that measure: their command lines, readiness, ports, and what their output means.
//!
//! Pure: nothing here starts a process.

mod commands;
mod declared;
mod failure;
mod headline;
mod installed;
mod iperf3;
mod loads;
mod metrics;
mod netperf;
mod output;
mod ports;
mod probe;
mod programs;
mod registry;
mod series;
mod timing;
mod together;
mod tool;

pub use crate::catalog::{Program, Transport, name};
pub use commands::{CellCommands, LoadCommands, commands, commands_of_cell};
pub use failure::{Cause, Failure, Speaker};
pub use headline::{CellMeans, Headlines, figures};
pub use installed::{Installed, Use, VersionQuery, names_tcp};
pub use iperf3::{Recording, Settings, read_recording};
pub use loads::{LoadTool, loads};
pub use metrics::{MetricNames, Metrics, Rejected};
pub use output::process_end::{
    CUT_MARK_BYTES, Cut, Ended, How, LARGEST_OUTPUT_BYTES, SERVER_OUTPUT_BYTES,
    SMALLEST_OUTPUT_BYTES, client_output_bytes, cut_mark, is_cut_mark, stderr_bytes,
};
pub use output::tool_text::{cut_note, first_lines};
pub use ports::Ports;
pub use probe::output::{BlackHole, Fate, Gap, Gaps, Outages, Traffic};
pub use probe::{Probing, probed};
pub use probe::{READY as PROBE_READY, output as probe_output};
pub use programs::{declared_programs, programs};
pub use registry::{built_in, from_spec};
pub use series::{Interval, MOST_INTERVALS, Series};
pub use timing::{GRACE, deadline, forecast, usual_sample};
pub use together::port_conflict;
pub use tool::{Client, Job, Port, Ready, Server, Tool};
