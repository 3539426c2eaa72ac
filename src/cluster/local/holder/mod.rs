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

mod connect;
mod etc;
mod init;
mod isolate;
mod kubelet;
mod mounts;
mod netns;
mod pod;
mod probe;
mod probe_limits;
mod stage;
mod tail;
mod threads;

pub(super) use probe::{Feature, Wanted};
pub(super) use probe_limits::Amounts;
pub(super) use stage::Stage;
pub use stage::dispatch;
