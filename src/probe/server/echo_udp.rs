//! Answers datagrams, each from the address that it was sent to.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::UdpSocket;
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
use crate::probe::packet::{Kind, LENGTH, Packet};
use crate::probe::receive::stamp_arrivals;

/// Room for a stamp and the addresses of a datagram (`in_pktinfo`, `in6_pktinfo`), in bytes.
const CONTROL_BYTES: usize = 128;

pub(super) fn open(port: u16) -> io::Result<UdpSocket> {
    all_addresses(port, |address| {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
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
    loop {
        let _ = answer_one(socket);
    }
}

fn answer_one(socket: &UdpSocket) -> Result<(), Errno> {
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
    let Some(request) = packet.filter(|packet| packet.kind == Kind::Request) else {
        return Ok(());
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
