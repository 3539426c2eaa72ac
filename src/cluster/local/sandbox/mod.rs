//! The processes that hold the local cluster's namespaces.
//!
//! ```text
//! netplan run ──socket──┐
//!   └─ hold   makes the namespaces, waits
//!        └─ init   pid 1 of them: network, kubelet; ends with the socket
//!             └─ pod   pid 1 of a pod: mounts, then becomes the pod's command
//! ```
//!
//! When the command line ends, however it does, the socket closes, `init` exits, and the kernel
//! kills everything that is in its pid namespace; with the last process go the mounts, the
//! interfaces and the rules.

mod dispatch;
mod etc;
mod faults;
mod hold;
mod init;
mod isolate;
mod mounts;
mod netns;
mod pods;
mod probe;
mod reporting;
mod stage;
mod threads;

pub use dispatch::dispatch;
pub(super) use probe::features::{Feature, ProbeRequest};
pub(super) use probe::limits::Amounts;
pub(super) use stage::Stage;
