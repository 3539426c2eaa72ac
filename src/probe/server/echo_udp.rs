//! Answers datagrams, each from the address that it was sent to.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, Socket, Type};

use super::addresses::all_addresses;
use super::delay::held_us;
use crate::probe::mtu::session::{Ends, Sessions};
use crate::probe::packet::{Kind, LENGTH, Packet};
use crate::system::receive::stamp_arrivals;

/// Room for a stamp and the addresses of a datagram (`in_pktinfo`, `in6_pktinfo`), in bytes.
const CONTROL_BYTES: usize = 128;

pub(super) fn open(port: u16) -> io::Result<UdpSocket> {
    all_addresses(port, |address| {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        // Searches for the largest packet have sockets of their own on this port.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        } else {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        }
        stamp_arrivals(&socket);
        socket.bind(&address.into())?;
        Ok(socket.into())
    })
}

/// Answers for ever.
pub(super) fn answer(socket: &UdpSocket) {
    // One that fails, fails for one packet: of a client that is gone the kernel reports errors here.
    let sessions = Sessions::default();
    loop {
        let _ = answer_one(socket, &sessions);
    }
}

fn answer_one(socket: &UdpSocket, sessions: &Sessions) -> Result<(), Errno> {
    let mut buffer = [0; LENGTH];
    let mut control = [0; CONTROL_BYTES];
    debug_assert!(CONTROL_BYTES >= cmsg_space!(TimeSpec).len());
    let mut parts = [IoSliceMut::new(&mut buffer)];
    let fd = socket.as_raw_fd();
    let message =
        recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut control), MsgFlags::empty())?;
    let (length, from) = (message.bytes, message.address);
    let (mut stamp, mut v4, mut v6) = (None, None, None);
    for control in message.cmsgs()? {
        match control {
            ControlMessageOwned::ScmTimestampns(at) => stamp = Some(at),
            ControlMessageOwned::Ipv4PacketInfo(mut info) => {
                // Which interface it leaves by is for the routes to say.
                info.ipi_ifindex = 0;
                v4 = Some(info);
            }
            ControlMessageOwned::Ipv6PacketInfo(mut info) => {
                info.ipi6_ifindex = 0;
                v6 = Some(info);
            }
            _ => {}
        }
    }
    let packet = buffer.get(..length).and_then(Packet::from_bytes);
    let request = match packet {
        Some(packet) if packet.kind == Kind::Request => packet,
        Some(packet) if packet.kind == Kind::SizeRequest => {
            let at = v6
                .map(|info| Ipv6Addr::from(info.ipi6_addr.s6_addr).to_canonical())
                .or(v4.map(|info| Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()).into()));
            if let (Some(client), Some(at)) = (from.as_ref().and_then(address), at) {
                let port = socket.local_addr().map_or(0, |own| own.port());
                // The client asks again.
                let _ = sessions.begin(packet, Ends { client, at, port });
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    let answer = Packet {
        kind: Kind::Answer,
        held_us: held_us(stamp),
        ..request
    };
    let source = (v4.as_ref().map(ControlMessage::Ipv4PacketInfo))
        .or(v6.as_ref().map(ControlMessage::Ipv6PacketInfo));
    let bytes = answer.to_bytes();
    sendmsg(
        fd,
        &[IoSlice::new(&bytes)],
        source.as_slice(),
        MsgFlags::empty(),
        from.as_ref(),
    )?;
    Ok(())
}

/// The sender of a datagram; one of IPv4 as such also on a socket of both families.
fn address(from: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = from.as_sockaddr_in() {
        return Some(SocketAddrV4::from(*v4).into());
    }
    let v6 = SocketAddrV6::from(*from.as_sockaddr_in6()?);
    Some(match v6.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::from((ip, v6.port())),
        IpAddr::V6(_) => v6.into(),
    })
}
