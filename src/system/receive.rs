//! Packets with the time at which the kernel got them: how long they wait for this process does not count.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

/// What one call received.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// In bytes; 0 when the other end of a stream has closed it.
    pub length: usize,
    /// By the clock that people set; `None` where the kernel does not say.
    pub stamp: Option<TimeSpec>,
}

/// Has the kernel stamp what a socket receives. Where it does not, the time of reading counts.
pub fn stamp_arrivals(socket: &impl AsFd) {
    let _ = setsockopt(socket, sockopt::ReceiveTimestampns, &true);
}

/// Receives a packet, or a part of a stream, without waiting if `flags` say so.
///
/// # Errors
/// Those of recvmsg(2), e.g. `EAGAIN` when there is nothing.
pub fn receive(
    socket: &impl AsRawFd,
    buffer: &mut [u8],
    flags: MsgFlags,
) -> Result<Received, Errno> {
    let mut control = cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    let stamp = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
        _ => None,
    });
    Ok(Received {
        length: message.bytes,
        stamp,
    })
}
