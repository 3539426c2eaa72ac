//! The role inside a worker pod: connects, starts tools, supervises them with deadlines.
//!
//! It decides nothing: the orchestrator says which process to start, how it is ready, and when it
//! must end. While a sample runs, nothing else happens here.

mod bounded_output;
pub mod client;
mod confine;
mod fence;
mod host_info;
mod interface;
mod interface_totals;
mod leftovers;
mod listening;
mod netlink;
pub mod observe;
mod path_lookup;
pub mod process;
mod programs;
pub mod server;
mod session;
mod shutdown;
mod sock_diag;
mod steps;
mod stream;
pub mod tcp_watch;

pub use confine::confine;
pub use host_info::gather;
pub use session::{Error, PATIENCE, Parting, Settings, run};
pub use shutdown::terminated;
