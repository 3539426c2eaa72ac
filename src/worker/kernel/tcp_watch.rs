//! What became of a tool's TCP connections, as the kernel tells it.
//!
//! The kernel announces each TCP socket that it destroys, with its `struct tcp_info`, to whoever has
//! joined the group `SKNLGRP_INET_TCP_DESTROY` of a `sock_diag` netlink socket; no privilege is needed,
//! and only sockets of the own network namespace are announced. The announcements wait in the
//! netlink socket's buffer until the client has ended, so nothing runs on the machine while the
//! sample does. An announcement may come late, also during the next sample: what comes before a
//! [`Fence`] is an earlier client's.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::SockProtocol;
use tokio::sync::oneshot;

use super::fence::Fence;
use super::sock_diag::open_to;
use super::tcp_connection::{Connection, Seen, Wanted};
use crate::system::netlink::Socket;

/// How long the announcement of a connection that carried data is waited for after the client's
/// end; only when none has come yet. One round trip is needed for the closing, and a lost segment
/// costs at least 200 ms more (`TCP_RTO_MIN`).
const GRACE: Duration = Duration::from_millis(300);

/// How long the client waits for the fence to pass, which mostly takes some 10 µs. When it passes
/// later, what was announced until then is not used.
const FENCE_WITHIN: Duration = Duration::from_millis(100);

/// `SKNLGRP_INET_TCP_DESTROY` and `SKNLGRP_INET6_TCP_DESTROY` (`linux/sock_diag.h`) as group bits.
const DESTROYED_TCP: u32 = 1 << 0 | 1 << 2;

/// Watches the TCP connections to one port, from its making to [`Watch::finish`].
#[derive(Debug)]
pub struct Watch {
    socket: Socket,
    to: Wanted,
    seen: Seen,
}

impl Watch {
    /// Begins to watch connections whose destination port is `port`. Waits, briefly, until earlier
    /// ones have been announced. None on a kernel that cannot tell: the sample then runs without it.
    pub async fn start(port: u16) -> Option<Self> {
        let (sender, watch) = oneshot::channel();
        // A thread of its own, since the fence moves it from CPU to CPU.
        let thread = std::thread::Builder::new().name("watch".to_owned());
        let start = move || {
            // Nobody waits any more when the client was stopped.
            let _ = sender.send(Self::start_blocking(port));
        };
        thread.spawn(start).ok()?;
        watch.await.ok()?
    }

    fn start_blocking(port: u16) -> Option<Self> {
        // Before the socket is opened: what is destroyed in between is not announced.
        let left_behind = open_to(port);
        let socket = Socket::open(SockProtocol::NetlinkSockDiag, DESTROYED_TCP).ok()?;
        let to = Wanted { port, left_behind };
        let seen = Seen::behind(Fence::build().unwrap_or_default());
        let mut watch = Self { socket, to, seen };
        watch.wait(FENCE_WITHIN, Self::read, |seen| seen.fence.has_passed())?;
        Some(watch)
    }

    /// The connection that carried the most bytes. Waits briefly when none that carried data
    /// has been announced yet. None also when the kernel dropped announcements: the one that
    /// matters may have been among them.
    pub async fn finish(mut self) -> Option<Connection> {
        self.look().ok()?;
        if self.seen.has_data() {
            return self.seen.answer();
        }
        // Rare and short, so a thread of the pool may wait for it.
        let wait = move || {
            self.wait(GRACE, Self::look, Seen::has_data)?;
            self.seen.has_data().then(|| self.seen.answer())?
        };
        tokio::task::spawn_blocking(wait).await.ok()?
    }

    /// Reads announcements until there is what is waited for, or the time is over. None when they
    /// cannot be read.
    fn wait(
        &mut self,
        within: Duration,
        read: impl Fn(&mut Self) -> io::Result<()>,
        is_there: impl Fn(&Seen) -> bool,
    ) -> Option<()> {
        let end = Instant::now() + within;
        read(self).ok()?;
        while !is_there(&self.seen) {
            let left = end.saturating_duration_since(Instant::now());
            let Some(left) = u16::try_from(left.as_millis()).ok().filter(|&ms| ms > 0) else {
                break;
            };
            let mut announced = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            match poll(&mut announced, left) {
                Ok(_) | Err(Errno::EINTR) => read(self).ok()?,
                Err(_) => return None,
            }
        }
        Some(())
    }

    /// Reads all announcements that are there, after a look at the connections that are still open.
    fn look(&mut self) -> io::Result<()> {
        let open = open_to(self.to.port);
        self.seen.open = open.difference(&self.to.left_behind).next().is_some();
        self.read()
    }

    /// Reads all announcements that are there.
    fn read(&mut self) -> io::Result<()> {
        loop {
            match self.socket.receive() {
                Ok(datagram) => self.seen.extend(&datagram, &self.to),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
