//! The programs that measure: their command lines, readiness, ports, and what their output means.
//!
//! Pure: nothing here starts a process.

mod commands;
mod declared;
mod document;
mod ended;
mod failure;
mod headline;
mod installed;
mod iperf3;
mod metrics;
mod netperf;
mod plausible;
mod ports;
mod programs;
mod timing;
mod tool;
mod words;

pub use commands::{CellCommands, commands, commands_of};
pub use declared::Declared;
pub use ended::{
    CUT_MARK_BYTES, Cut, Ended, How, LARGEST_OUTPUT_BYTES, SERVER_OUTPUT_BYTES,
    SMALLEST_OUTPUT_BYTES, client_output_bytes, cut_mark, is_cut_mark, stderr_bytes,
};
pub use failure::{Cause, Failure, Speaker};
pub use headline::{CellMeans, Headlines, figures};
pub use installed::{Installed, Unfit, Use, VersionQuery, names_tcp};
pub use iperf3::Iperf3;
pub use metrics::{MetricNames, Metrics, Rejected, name};
pub use netperf::Netperf;
pub use ports::Ports;
pub use programs::{declared_programs, programs};
pub use timing::{GRACE, deadline, forecast, usual_sample};
pub use tool::{Client, Job, Port, Program, Ready, Server, Tool, Transport, all, of};
pub use words::{cut_note, first_lines};
