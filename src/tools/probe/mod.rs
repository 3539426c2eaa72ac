//! netplan's own probe: this program itself, with the subcommand `probe`.

mod command;
mod intervals;
mod mode;
pub mod output;
mod parse;
mod tool;

pub use command::READY;
pub use mode::{Probe, Probing, probed};
