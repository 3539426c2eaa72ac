//! Kubernetes objects on one Linux machine, in network namespaces.
//!
//! Deciding and doing are apart. From manifests and settings, [`plan`] works out everything: who
//! sits where, every address, the text of every program's input. The holder, a hidden process
//! of the same binary, carries it out in namespaces that end with it, and the command line talks
//! to the holder over a socket.

mod client;
mod expand;
mod fabric;
mod host_paths;
mod layout;
mod limits;
mod link;
mod manifests;
mod nat;
mod pod_plan;
mod preflight;
mod programs;
mod protocol;
mod tool_check;
mod userns;
mod watchdog;
mod wire;

mod blueprint;
pub mod holder;

pub use blueprint::{Blueprint, plan};
pub use client::Local;
pub use fabric::{Fabric, Namespace, Step};
pub use preflight::preflight;
pub use programs::found;
pub use tool_check::tool_check;
