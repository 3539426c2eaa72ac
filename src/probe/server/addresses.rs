//! The addresses on which the server listens.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses to listen on: all of both families, or of IPv4 where the system has no IPv6.
pub(super) fn all_addresses<T>(
    port: u16,
    open: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    open(both).or_else(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Err(error),
        _ => open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
    })
}
