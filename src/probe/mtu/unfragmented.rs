//! A UDP socket to one peer whose packets nobody may fragment, and what is said of those that are too big.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
};

use super::search::SaidBy;
use crate::probe::packet::{LENGTH, Packet};

/// Room for an error and the address of who reports it (`sock_extended_err`), in bytes.
const CONTROL_BYTES: usize = 256;
/// Origins of an error (`SO_EE_ORIGIN_*` in linux/errqueue.h).
const ORIGIN_LOCAL: u8 = 1;
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;
/// Errors that are read at once; the kernel keeps no more than fit into the socket's buffer.
const MOST_ERRORS: usize = 256;
/// Sockets do not wait for no time at all.
const SHORTEST_WAIT: Duration = Duration::from_micros(100);

/// Somebody's word that a packet is too big.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub said_by: SaidBy,
    /// The largest packet that is taken, in bytes; 0 when that is not said.
    pub mtu: u32,
    /// The number of the packet, where it is known.
    pub number: Option<u64>,
}

/// What came of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Done,
    /// The interface is too small for it: the largest packet that it takes, or 0.
    TooBig(u32),
    /// Something else, such as a missing route.
    Failed,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// A packet of the probe, and its length with the padding.
    Packet(Packet, usize),
    Other,
    /// Routers refuse packets.
    Refusals(Vec<Refusal>),
    /// Nobody listens at the peer.
    NobodyListens,
    Nothing,
}

#[derive(Debug)]
pub(super) struct Unfragmented {
    socket: UdpSocket,
    buffer: Vec<u8>,
}

impl Unfragmented {
    /// Has the kernel send the socket's packets whole, whatever it knows of the path, and keep what routers say of them.
    ///
    /// # Errors
    /// When the kernel cannot do that.
    pub(super) fn over(socket: UdpSocket, peer: SocketAddr) -> io::Result<Self> {
        if peer.is_ipv4() {
            set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE)?;
            setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
        } else {
            set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::PROBE)?;
            setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
        }
        Ok(Self {
            socket,
            buffer: vec![0; 1 << 16],
        })
    }

    /// Sends a packet, padded to so many bytes. `told` takes what routers say of earlier packets.
    pub(super) fn send(
        &self,
        packet: Packet,
        payload: usize,
        mut told: impl FnMut(Refusal),
    ) -> Sent {
        let bytes = packet.padded(payload);
        // The error of an earlier packet is told instead of sending: once for each, and both may be there.
        for _ in 0..3 {
            let Err(error) = self.socket.send(&bytes) else {
                return Sent::Done;
            };
            let mut own = None;
            for refusal in self.refusals() {
                match refusal.said_by {
                    SaidBy::Interface => own = Some(refusal.mtu),
                    SaidBy::Router => told(refusal),
                }
            }
            if let Some(mtu) = own {
                return Sent::TooBig(mtu);
            }
            match error.raw_os_error().map(Errno::from_raw) {
                Some(Errno::EMSGSIZE | Errno::ECONNREFUSED) => {}
                _ => return Sent::Failed,
            }
        }
        Sent::Failed
    }

    /// Waits at most so long for something.
    ///
    /// # Errors
    /// When the kernel cannot wait.
    pub(super) fn receive(&mut self, within: Duration) -> io::Result<Received> {
        self.socket
            .set_read_timeout(Some(within.max(SHORTEST_WAIT)))?;
        let length = match self.socket.recv(&mut self.buffer) {
            Ok(length) => length,
            Err(error) => {
                let told: Vec<Refusal> = self.refusals();
                return Ok(match error.raw_os_error().map(Errno::from_raw) {
                    _ if !told.is_empty() => Received::Refusals(told),
                    Some(Errno::ECONNREFUSED) => Received::NobodyListens,
                    Some(Errno::EAGAIN) => Received::Nothing,
                    _ => Received::Other,
                });
            }
        };
        let packet = self.buffer.get(..LENGTH.min(length));
        let packet = packet.and_then(Packet::from_bytes);
        Ok(packet.map_or(Received::Other, |packet| Received::Packet(packet, length)))
    }

    /// The refusals that wait in the socket's queue of errors.
    fn refusals(&self) -> Vec<Refusal> {
        let errors = (0..MOST_ERRORS).map_while(|_| self.next_error().ok());
        errors.flatten().collect()
    }

    /// The next error; `None` when it is no refusal.
    fn next_error(&self) -> Result<Option<Refusal>, Errno> {
        let mut packet = [0; LENGTH];
        let mut control = [0; CONTROL_BYTES];
        let mut parts = [IoSliceMut::new(&mut packet)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let fd = self.socket.as_raw_fd();
        let message = recvmsg::<()>(fd, &mut parts, Some(&mut control), flags)?;
        let length = message.bytes;
        let error = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::Ipv4RecvErr(error, _)
            | ControlMessageOwned::Ipv6RecvErr(error, _) => Some(error),
            _ => None,
        });
        Ok(error.and_then(|error| {
            let said_by = match error.ee_origin {
                ORIGIN_LOCAL => SaidBy::Interface,
                ORIGIN_ICMP | ORIGIN_ICMP6 => SaidBy::Router,
                _ => return None,
            };
            (i32::try_from(error.ee_errno) == Ok(Errno::EMSGSIZE as i32)).then(|| {
                // What the router returns of the packet, as far as it does.
                let packet = packet.get(..length).and_then(Packet::from_bytes);
                Refusal {
                    said_by,
                    mtu: error.ee_info,
                    number: packet.map(|packet| packet.number),
                }
            })
        }))
    }
}
