//! What the kernel says of sockets and interfaces, by netlink and `/proc`.

pub(in crate::worker) mod fence;
pub(in crate::worker) mod interface;
pub(in crate::worker) mod interface_totals;
pub(in crate::worker) mod listening;
pub(in crate::worker) mod sock_diag;
pub mod tcp_connection;
pub(in crate::worker) mod tcp_watch;
