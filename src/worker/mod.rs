//! The role inside a worker pod: connects, starts tools, supervises them with deadlines.
//!
//! It decides nothing: the orchestrator says which process to start, how it is ready, and when it
//! must end. While a sample runs, nothing else happens here.

mod accept;
pub mod client;
mod control;
mod host_info;
mod journal_copy;
pub mod kernel;
pub mod observe;
mod offloads;
mod outbox;
mod own_service;
mod path_test;
mod pauses;
mod policy_check;
mod run;
pub mod server;
mod session;
mod settings;
mod shared_copy;
mod shutdown;
mod steps;
pub mod tool_process;

pub use host_info::gather;
pub use offloads::switch_offloads_off;
pub use run::{Error, Parting, run};
pub use settings::{COPY_PATIENCE, PATIENCE, Settings};
pub use shutdown::terminated;
pub use tool_process::confine::confine;
