//! The client of the probe.

mod connects;
mod detail;
mod document;
mod packets;
pub(super) mod run;
mod server_cost;
mod tcp;
mod udp;
mod window;
