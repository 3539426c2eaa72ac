//! The whole local cluster as data, before any of it exists.

pub mod assemble;
mod expand;
mod layout;
mod link;
mod nat;
pub mod network;
pub mod pod_plan;
