//! The whole local cluster as data, before any of it exists.

mod addresses;
pub mod assemble;
mod expand;
pub mod fault;
pub mod layout;
mod link;
mod nat;
pub mod network;
pub mod pod_plan;
mod policies;
mod service_families;
