//! How the command line and the sandbox talk to each other.

pub mod framing;
pub mod messages;
