//! The largest packet that arrives unfragmented, in each direction.
//!
//! The client sends datagrams of growing size that nobody may fragment. The server answers with a small packet, and for the
//! other direction with a packet of the size that it is asked for. `search` decides which sizes to try and what the
//! outcomes mean, and is pure.

pub(super) mod client;
mod search;
pub(super) mod session;
mod sizes;
mod unfragmented;
