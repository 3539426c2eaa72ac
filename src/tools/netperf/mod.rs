//! netperf 2.7: throughput, request/response latency, connection rate.

mod command;
mod intervals;
mod mode;
mod parse;
mod protocols;
mod tool;

pub use mode::Netperf;
