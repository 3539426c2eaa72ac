//! Kubernetes objects on one Linux machine, in network namespaces.
//!
//! Deciding and doing are apart. From manifests and settings, [`Blueprint::new`] works out everything: the node
//! of each pod, every address, the text of every program's input. The sandbox, hidden processes of the same
//! binary, carries it out in namespaces that end with it; the command line talks to it over a socket.

mod blueprint;
mod capture;
mod client;
mod in_order;
mod ipc;
mod machine;
mod manifests;
mod preflight;
pub mod sandbox;
mod sandbox_process;
mod unenforced;

pub use blueprint::assemble::Blueprint;
pub use blueprint::network::{Namespace, Network, Step};
pub use client::Local;
pub use machine::path_lookup::is_installed;
pub use machine::tool_check::tool_check;
pub use preflight::{family_problems, preflight};
pub use unenforced::unenforced;
