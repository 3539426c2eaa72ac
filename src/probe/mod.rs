//! netplan's own probe: what a client and a server of the tool `probe` do.
//!
//! The client sends small numbered packets at fixed times, whether or not answers come, and notes when each answer
//! arrives. From that follow latency, loss and the times in which no answer arrived. `record/` decides what the arrivals
//! mean and is pure; `client/` and `server/` do the rest. `mtu/` finds the largest packets that arrive. `docs/tools.md` describes what is measured.

mod client;
mod clock;
mod connection;
mod cost;
mod error;
mod mtu;
mod packet;
mod record;
mod server;

pub use client::run::Settings as ClientSettings;
pub use client::sharing::run;
pub use error::Error;
pub use mtu::client::find_mtu;
pub use server::run::{Settings as ServerSettings, serve};
