//! netperf 2.7: throughput, request/response latency, connection rate.

mod command;
mod parse;
mod protocols;
mod tool;

pub use tool::Netperf;
