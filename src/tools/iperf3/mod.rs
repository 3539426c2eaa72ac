//! iperf3 3.12 and later: throughput of TCP and UDP.

mod command;
mod intervals;
mod options;
mod parse;
mod recording;
mod sums;
mod tool;

pub use options::Iperf3;
pub use recording::{Recording, Settings, read_recording};
