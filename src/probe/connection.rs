//! TCP connections that are made without waiting and closed without a trace.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

use super::clock::{MILLISECOND, Nanos};
use crate::system::receive::stamp_arrivals;

/// After so long without an acknowledgement the kernel gives a connection up (`TCP_USER_TIMEOUT`), in milliseconds. Its own
/// limit is some 15 minutes.
const GIVE_UP_AFTER_MS: u32 = 30_000;

/// Why a connection was not made, or broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// The other end refused or reset it.
    Reset,
    /// No answer came in time.
    Timeout,
    /// The other end closed it.
    Closed,
    /// Something else, such as a missing route.
    Other,
}

impl From<Errno> for Break {
    fn from(error: Errno) -> Self {
        match error {
            Errno::ECONNREFUSED | Errno::ECONNRESET | Errno::EPIPE | Errno::ECONNABORTED => {
                Break::Reset
            }
            Errno::ETIMEDOUT => Break::Timeout,
            _ => Break::Other,
        }
    }
}

/// A connection attempt, and later the connection.
#[derive(Debug)]
pub(super) struct Attempt {
    pub socket: Socket,
    pub begun: Nanos,
}

impl Attempt {
    /// Sends the first packet of a connection and does not wait for the answer. The connection is closed by a reset, which
    /// leaves no `TIME_WAIT` behind: 1000 connections a second would use all ports in 28 seconds.
    ///
    /// # Errors
    /// When the kernel refuses it at once.
    pub(super) fn begin(to: SocketAddr, now: Nanos) -> Result<Self, Break> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))
            .and_then(|socket| {
                socket.set_nonblocking(true)?;
                socket.set_linger(Some(Duration::ZERO))?;
                Ok(socket)
            })
            .map_err(|error| reason(&error))?;
        match socket.connect(&to.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {}
            Err(error) => return Err(reason(&error)),
        }
        Ok(Self { socket, begun: now })
    }

    /// Whether the connection is made; `None` while that is not known.
    pub(super) fn result(&self) -> Option<Result<(), Break>> {
        match self.socket.take_error() {
            Ok(Some(error)) | Err(error) => Some(Err(reason(&error))),
            // Until it is made it has no peer.
            Ok(None) => self.socket.peer_addr().is_ok().then_some(Ok(())),
        }
    }

    /// Whether no answer came within this time.
    pub(super) fn is_overdue(&self, now: Nanos, within: Nanos) -> bool {
        now.saturating_sub(self.begun) >= within
    }

    /// Prepares a connection for packets that are sent at once, with stamps of their arrival.
    pub(super) fn prepare(&self) {
        // Without these it still works, but worse.
        let _ = self.socket.set_tcp_nodelay(true);
        let _ = self.socket.set_linger(Some(Duration::ZERO));
        let _ = setsockopt(&self.socket, sockopt::TcpUserTimeout, &GIVE_UP_AFTER_MS);
        stamp_arrivals(&self.socket);
    }
}

/// How long an attempt may take before another one is made instead.
pub(super) const ATTEMPT_WITHIN: Nanos = 1_000 * MILLISECOND;

fn reason(error: &io::Error) -> Break {
    error
        .raw_os_error()
        .map_or(Break::Other, |code| Errno::from_raw(code).into())
}
