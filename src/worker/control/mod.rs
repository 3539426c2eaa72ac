//! What a worker does for the command line: it listens on its pod's loopback addresses, where the
//! cluster's port-forward leads without the pod network.

pub(super) mod accepting;
pub(super) mod dial;
pub(super) mod full_segment;
mod name_servers;
mod serve;
mod service;

pub(super) use serve::serve;
