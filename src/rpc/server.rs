//! HTTP/2 settings of the servers.

use tonic::transport::Server;

use super::{KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT};

/// Calls that one connection may have open. A worker has one, a command line a few.
const MAX_CALLS: u32 = 32;
/// The bytes of a call's headers; they carry little.
const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// A server for connections of [`super::incoming`].
#[must_use]
pub fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(Some(MAX_CALLS))
        .http2_max_header_list_size(Some(MAX_HEADER_BYTES))
}
