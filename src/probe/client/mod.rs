//! The client of the probe.

mod connects;
mod detail;
mod document;
mod packets;
mod pump;
pub(super) mod run;
pub(super) mod server_cost;
pub(super) mod sharing;
mod tcp;
mod udp;
mod window;
