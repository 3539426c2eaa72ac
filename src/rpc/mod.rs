//! The gRPC contract in Rust: generated code, TLS, tokens, conversions. Nothing here decides.
//!
//! TLS is rustls with ring, the only provider that is compiled in; tonic takes it by itself, so
//! that nothing has to be installed for the process.

mod connect;
mod convert;
mod identity;
mod peer;
mod tls;
mod token;
mod version;

pub use connect::{Client, ConnectError, connect, connect_over, words};
pub use convert::{Malformed, ended, exit, what_ended};
pub use identity::{CLIENT, Identity, IdentityError, ORCHESTRATOR, RunIdentities};
pub use peer::Peer;
pub use tls::server;
pub use token::{Bearer, Guard};
pub use version::{OtherVersion, VERSION, same_version, with_version};

/// The largest message that either end takes: an exit carries two streams of at most 16 MiB.
pub const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// What tonic generated from `proto/`.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_debug_implementations,
    reason = "generated code"
)]
pub mod pb {
    tonic::include_proto!("netplan.v1");
}
