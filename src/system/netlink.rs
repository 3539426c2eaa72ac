//! Netlink messages, as far as netplan reads and writes them, and a socket that carries them.
//!
//! Every length field is checked against the bytes that are there: a message that lies about its
//! length ends the iteration, it never panics. Layouts: `linux/netlink.h`, `linux/rtnetlink.h`.
//! Parsed by hand because the attributes that netplan wants are some forty lines away; the
//! crates for this bring whole protocols.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvfrom, send,
    socket,
};

/// Length of `struct nlmsghdr`.
pub const HEADER: usize = 16;
/// Length of `struct rtattr`.
const ATTRIBUTE_HEADER: usize = 4;
/// More than the kernel puts into one datagram (`NLMSG_GOODSIZE` is at most 8 KiB).
const DATAGRAM: usize = 16 * 1024;

/// A non-blocking netlink socket in the network namespace of the thread that opens it.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl Socket {
    /// Opens a socket and joins the multicast groups whose bits are set in `groups`.
    ///
    /// # Errors
    /// The kernel's, for one that lacks the protocol or forbids the groups.
    pub fn open(protocol: SockProtocol, groups: u32) -> io::Result<Self> {
        let fd = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            protocol,
        )?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        Ok(Self(fd))
    }

    /// Sends a request to the kernel.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send(&self, request: &[u8]) -> io::Result<()> {
        send(self.0.as_raw_fd(), request, MsgFlags::empty())?;
        Ok(())
    }

    /// The next datagram that the kernel itself sent; one from another process is passed over.
    ///
    /// # Errors
    /// `WouldBlock` when none is there; `ENOBUFS` when the kernel had to drop some.
    pub fn receive(&self) -> io::Result<Vec<u8>> {
        let mut datagram = vec![0; DATAGRAM];
        loop {
            match recvfrom::<NetlinkAddr>(self.0.as_raw_fd(), &mut datagram) {
                Ok((length, Some(from))) if from.pid() == 0 => {
                    datagram.truncate(length);
                    return Ok(datagram);
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A message: its type and what follows its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub kind: u16,
    pub payload: &'a [u8],
}

/// Writes a message with its header, padded. `flags` are those of `struct nlmsghdr`.
///
/// The sequence number and the port number of the sender are 0: the kernel answers the socket that asked.
#[must_use]
pub fn message_bytes(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend(payload);
    bytes.resize(aligned(bytes.len()), 0);
    bytes
}

/// Writes an attribute with its header, padded.
#[must_use]
pub fn attribute_bytes(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(ATTRIBUTE_HEADER + value.len()).unwrap_or(u16::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(aligned(bytes.len()), 0);
    bytes
}

/// The messages of a datagram, up to the first that is malformed.
pub fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(datagram, 0)?).ok()?;
        let kind = u16_at(datagram, 4)?;
        let payload = datagram.get(HEADER..length)?;
        datagram = datagram.get(aligned(length)..).unwrap_or_default();
        Some(Message { kind, payload })
    })
}

/// The first attribute of this kind in a run of attributes.
#[must_use]
pub fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16_at(attributes, 0)?);
        let kind = u16_at(attributes, 2)?;
        let value = attributes.get(ATTRIBUTE_HEADER..length)?;
        if kind == wanted {
            return Some(value);
        }
        attributes = attributes.get(aligned(length)..)?;
    }
}

/// Messages and attributes begin at multiples of four bytes.
fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

/// A number in the machine's byte order, as netlink headers and attributes have it.
#[must_use]
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_ne_bytes)
}

/// A number in the machine's byte order.
#[must_use]
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_ne_bytes)
}

/// A number in the machine's byte order.
#[must_use]
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_ne_bytes)
}

/// As many bytes as the array holds, from `at` on.
#[must_use]
pub fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message without flags.
    #[must_use]
    pub fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
        message_bytes(kind, 0, payload)
    }

    #[test]
    fn an_attribute_that_is_not_there_is_none() {
        let bytes = attribute_bytes(1, b"abc");
        assert_eq!(attribute(&bytes, 2), None);
        assert_eq!(attribute(&bytes, 1), Some(b"abc".as_slice()));
    }

    #[test]
    fn a_length_that_lies_ends_the_iteration() {
        let mut bytes = message(20, b"payload");
        bytes[0] = 200;
        assert_eq!(messages(&bytes).count(), 0);
        bytes[0] = 3;
        assert_eq!(messages(&bytes).count(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..600), kind: u16) {
            for message in messages(&bytes) {
                let _ = attribute(message.payload, kind);
            }
            let _ = attribute(&bytes, kind);
        }

        #[test]
        fn what_was_packed_comes_back(
            packed in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        ) {
            let bytes: Vec<u8> = packed.iter().flat_map(|(kind, payload)| message(*kind, payload)).collect();
            let back: Vec<_> = messages(&bytes).map(|m| (m.kind, m.payload.to_vec())).collect();
            prop_assert_eq!(&back, &packed);

            let bytes: Vec<u8> = packed.iter().flat_map(|(kind, value)| attribute_bytes(*kind, value)).collect();
            for (kind, _) in &packed {
                let first = packed.iter().find(|(k, _)| k == kind).map(|(_, value)| value.as_slice());
                prop_assert_eq!(attribute(&bytes, *kind), first);
            }
        }
    }
}
