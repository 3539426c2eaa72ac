//! What breaks the network and the pods for a while, on request.

mod batch;
mod freeze;
mod rules;
pub mod switchboard;
