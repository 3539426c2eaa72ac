//! The gRPC contract in Rust: generated code, TLS, conversions. Nothing here decides.

use std::time::Duration;

mod connect;
mod convert;
mod identity;
mod incoming;
mod listen;
mod peer;
mod server;
mod tls;
mod version;

pub use connect::{Client, ConnectError, WorkerClient, connect, connect_over, connect_worker_over};
pub use convert::{Malformed, answer, ended, exit, how_ready, ready, record, what_ended};
pub use identity::{CLIENT, Identity, IdentityError, ORCHESTRATOR, RunIdentities};
pub use incoming::{Connection, MAX_CONNECTIONS_PER_PEER, MAX_HANDSHAKES, incoming};
pub use listen::listen;
pub use peer::Peer;
pub use server::server;
pub use tls::TlsError;
pub use version::{OtherVersion, VERSION, same_version, with_version};

use crate::tools::LARGEST_OUTPUT_BYTES;

/// The longest line of a journal that a message carries: that of the run's start, with the plan.
pub const MAX_LINE_BYTES: usize = 8 << 20;

/// The largest message that either end takes: a line of the journal with what is kept of a process.
/// The last term is for the other fields.
pub const MAX_MESSAGE_BYTES: usize = LARGEST_OUTPUT_BYTES + MAX_LINE_BYTES + (64 << 10);

/// A peer that is silent for longer than interval and timeout together is gone. Long enough that
/// pings hardly ever fall into a sample.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The code that tonic generates from `proto/`. It is committed, so that a build needs no generator;
/// a test verifies that it is current.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_debug_implementations,
    reason = "generated code"
)]
pub mod pb {
    include!("generated/netplan.v1.rs");
}
