//! The TCP sockets of this network namespace, as the kernel lists them.
//!
//! By netlink (`sock_diag(7)`) and not from `/proc/net/tcp`: there each read walks the kernel's whole
//! table of connections anew, which grows with the machine's memory and takes milliseconds.

use std::collections::HashSet;
use std::io;

use nix::sys::socket::SockProtocol;

use crate::system::netlink::{self, Socket, array_at};

/// `SOCK_DIAG_BY_FAMILY` (`linux/sock_diag.h`).
pub(in crate::worker) const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// Length of `struct inet_diag_msg` (`linux/inet_diag.h`); attributes follow it.
pub(in crate::worker) const INET_DIAG_MSG: usize = 72;
/// `idiag_sport` and `idiag_dport` in it, in network byte order.
const SOURCE_PORT: usize = 4;
const DESTINATION_PORT: usize = 6;

/// Types of messages (`linux/netlink.h`).
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// `AF_INET` and `AF_INET6` (`linux/socket.h`).
const FAMILIES: [u8; 2] = [2, 10];
const IPPROTO_TCP: u8 = 6;
/// Bits by the numbers in `net/tcp_states.h`: `ESTABLISHED`, `SYN_SENT`, `FIN_WAIT1`, `FIN_WAIT2`,
/// `CLOSE_WAIT`, `LAST_ACK`, `CLOSING`. One in `TIME_WAIT` has been destroyed already, and its port may
/// be taken again.
const OPEN: u32 = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11;
const LISTEN: u32 = 1 << 10;

/// The local ports of the connections to `port`. Empty on a kernel that cannot tell.
pub(in crate::worker) fn open_to(port: u16) -> HashSet<u16> {
    let local = |socket: &[u8]| {
        let is_wanted = destination(socket)? == port;
        is_wanted.then(|| source(socket))?
    };
    list(OPEN, local).unwrap_or_default()
}

/// Whether a socket listens on `port`.
///
/// # Errors
/// The kernel's, for one that cannot tell.
pub(in crate::worker) fn listens(port: u16) -> io::Result<bool> {
    Ok(list(LISTEN, source)?.contains(&port))
}

/// What is read from the sockets in one of these states.
fn list(states: u32, read: impl Fn(&[u8]) -> Option<u16>) -> io::Result<HashSet<u16>> {
    let mut found = HashSet::new();
    for family in FAMILIES {
        let socket = Socket::open(SockProtocol::NetlinkSockDiag, 0)?;
        socket.send(&request(family, states))?;
        // The kernel answers within the calls that ask.
        'answer: loop {
            let datagram = socket.receive()?;
            for message in netlink::messages(&datagram) {
                match message.kind {
                    SOCK_DIAG_BY_FAMILY => found.extend(read(message.payload)),
                    NLMSG_ERROR => return Err(io::ErrorKind::Unsupported.into()),
                    NLMSG_DONE => break 'answer,
                    _ => {}
                }
            }
        }
    }
    Ok(found)
}

/// A `struct nlmsghdr` and a `struct inet_diag_req_v2` (`linux/inet_diag.h`) that asks for all TCP
/// sockets in one of these states.
fn request(family: u8, states: u32) -> Vec<u8> {
    const NLM_F_REQUEST: u16 = 1;
    const NLM_F_DUMP: u16 = 0x300;
    let mut request = 72_u32.to_ne_bytes().to_vec();
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    request.extend([0; 8]);
    // Family, protocol, no extensions, padding.
    request.extend([family, IPPROTO_TCP, 0, 0]);
    request.extend(states.to_ne_bytes());
    // Any ports, addresses, interface and cookie.
    request.extend([0; 48]);
    request
}

/// The local port in a `struct inet_diag_msg`.
pub(in crate::worker) fn source(socket: &[u8]) -> Option<u16> {
    array_at(socket, SOURCE_PORT).map(u16::from_be_bytes)
}

/// The remote port in a `struct inet_diag_msg`.
pub(in crate::worker) fn destination(socket: &[u8]) -> Option<u16> {
    array_at(socket, DESTINATION_PORT).map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};

    use super::*;

    fn connections_of(at: SocketAddr) {
        let listener = TcpListener::bind(at).unwrap();
        let to = listener.local_addr().unwrap();
        assert_eq!(open_to(to.port()), HashSet::new(), "it only listens");
        assert!(listens(to.port()).unwrap());
        let connect = || TcpStream::connect(to).unwrap();
        let streams: Vec<TcpStream> = (0..100).map(|_| connect()).collect();
        let local = |stream: &TcpStream| stream.local_addr().unwrap().port();
        let ports: HashSet<u16> = streams.iter().map(local).collect();
        assert_eq!(open_to(to.port()), ports);
        assert!(!listens(local(&streams[0])).unwrap());
    }

    #[test]
    fn sockets_are_listed_with_their_ports() {
        connections_of((Ipv4Addr::LOCALHOST, 0).into());
        // Where the kernel has it.
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
            connections_of((Ipv6Addr::LOCALHOST, 0).into());
        }
    }
}
