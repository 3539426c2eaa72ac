//! The role inside a worker pod: connects, starts tools, supervises them with deadlines.
//!
//! It decides nothing: the orchestrator says which process to start, how it is ready, and when it
//! has to be gone. While a sample runs, nothing else happens here.

mod bounded_output;
pub mod client;
mod confine;
pub mod connections;
mod fence;
mod interfaces;
mod leftovers;
mod link;
mod listening;
mod netlink;
pub mod observe;
pub mod process;
mod programs;
pub mod server;
mod session;
mod shutdown;
mod sockets;
mod steps;
mod stream;
mod surroundings;

pub use confine::confine;
pub use session::{Error, PATIENCE, Parting, Settings, run};
pub use shutdown::terminated;
pub use surroundings::gather;
