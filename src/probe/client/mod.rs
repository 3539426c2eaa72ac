//! The client of the probe.

mod connects;
mod detail;
mod document;
mod packets;
pub(super) mod run;
pub(super) mod server_cost;
mod tcp;
mod udp;
mod window;
