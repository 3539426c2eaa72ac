//! The programs that measure: their command lines, readiness, ports, and what their output means.
//!
//! Pure: nothing here starts a process.

mod commands;
mod declared;
mod failure;
mod headline;
mod installed;
mod iperf3;
mod metrics;
mod netperf;
mod ports;
mod programs;
mod timing;
mod tool;
mod words;

pub use commands::{CellCommands, commands, commands_of};
pub use declared::Declared;
pub use failure::{Cause, Failure, Speaker};
pub use headline::{CellMeans, Headlines, figures};
pub use installed::{Installed, Unfit, Use, VersionQuery, names_tcp};
pub use iperf3::Iperf3;
pub use metrics::{MetricNames, Metrics, name};
pub use netperf::Netperf;
pub use ports::Ports;
pub use programs::{declared_programs, programs};
pub use timing::{GRACE, deadline, forecast, usual_sample};
pub use tool::{Client, Ended, How, Job, Port, Program, Ready, Server, Tool, Transport, all, of};
