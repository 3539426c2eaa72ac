//! The pods of a local cluster and their processes.

pub mod capture;
pub mod connect;
pub mod entry;
pub mod kubelet;
mod log_buffer;
