//! Round trips over UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use std::os::fd::AsRawFd;

use super::detail::Detail;
use super::window::Window;
use crate::probe::clock::{Clock, Nanos};
use crate::probe::packet::{Kind, LENGTH, Packet};
use crate::probe::record::intervals::Intervals;
use crate::probe::record::latency::Latencies;
use crate::probe::record::sequence::Sequence;
use crate::probe::record::silence::Silence;
use crate::system::receive::{receive, stamp_arrivals};

/// A socket to one server.
#[derive(Debug)]
pub(super) struct Udp {
    socket: UdpSocket,
    token: u64,
    pub record: Record,
}

/// What came of the packets of a measurement.
#[derive(Debug)]
pub(super) struct Record {
    pub sent: u64,
    pub sequence: Sequence,
    pub latencies: Latencies,
    pub server_delays: Latencies,
    pub silence: Silence<Detail>,
    pub intervals: Option<Intervals>,
}

impl Record {
    fn new(window: Window, interval: Nanos) -> Self {
        Self {
            sent: 0,
            sequence: Sequence::default(),
            latencies: Latencies::default(),
            server_delays: Latencies::default(),
            silence: Silence::new(window.start, window.round_trip, interval),
            intervals: window.record(),
        }
    }
}

impl Udp {
    pub(super) fn open(to: SocketAddr) -> io::Result<Self> {
        let any = match to {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(to)?;
        stamp_arrivals(&socket);
        Ok(Self {
            socket,
            token: 0,
            record: Record::new(Window::default(), 1),
        })
    }

    /// Begins a measurement, whose packets carry this token.
    pub(super) fn begin(&mut self, token: u64, window: Window, interval: Nanos) {
        self.token = token;
        self.record = Record::new(window, interval);
    }

    /// Whether answers are missing.
    pub(super) fn awaits(&self) -> bool {
        self.record.sent > self.record.sequence.arrived
    }

    pub(super) fn send(&mut self, now: Nanos) {
        let packet = Packet {
            kind: Kind::Request,
            token: self.token,
            number: self.record.sent,
            time: now,
            held_us: 0,
        };
        let bytes = packet.to_bytes();
        let send = || send(self.socket.as_raw_fd(), &bytes, MsgFlags::MSG_DONTWAIT);
        // An error of an earlier packet is told instead of sending. What cannot be sent is lost.
        if send().is_err() {
            let _ = send();
        }
        self.record.sent += 1;
        if let Some(intervals) = &mut self.record.intervals {
            intervals.send(now);
        }
    }

    /// Reads all answers that are there.
    pub(super) fn receive(&mut self, clock: Clock) {
        let mut buffer = [0; LENGTH];
        while self.awaits() {
            match receive(&self.socket, &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(received) => {
                    let packet = buffer.get(..received.length).and_then(Packet::from_bytes);
                    if let Some(packet) = packet {
                        self.take(packet, clock.arrival(received.stamp, packet.time));
                    }
                }
                // What an ICMP message says of an earlier packet. Each is told once.
                Err(Errno::ECONNREFUSED | Errno::EHOSTUNREACH | Errno::ENETUNREACH) => {}
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, packet: Packet, at: Nanos) {
        let record = &mut self.record;
        let is_mine = packet.kind == Kind::Answer
            && packet.token == self.token
            && packet.number < record.sent;
        if !is_mine || !record.sequence.arrive(packet.number) {
            return;
        }
        let latency = at.saturating_sub(packet.time);
        record.latencies.add(latency);
        if let Some(intervals) = &mut record.intervals {
            intervals.answer(packet.time, Some(latency));
        }
        record
            .server_delays
            .add(Nanos::from(packet.held_us).saturating_mul(1_000));
        record.silence.answer(at, packet.time, Detail::default());
    }
}
