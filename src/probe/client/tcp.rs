//! Round trips over one TCP connection that is kept, and made anew when it breaks.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};

use super::detail::Detail;
use super::window::Window;
use crate::probe::clock::{Clock, MILLISECOND, Nanos};
use crate::probe::connection::{ATTEMPT_WITHIN, Attempt, Break};
use crate::probe::packet::{Kind, LENGTH, Packet};
use crate::probe::record::intervals::Intervals;
use crate::probe::record::latency::Latencies;
use crate::probe::record::silence::Silence;
use crate::system::receive::receive;
use crate::tools::probe_output::{Breaks, Fate};

/// The pause after a connection attempt that failed at once.
const PAUSE: Nanos = 100 * MILLISECOND;
/// Packets that wait for room in the socket's buffer. Of more, the oldest are not sent.
const MOST_OWED: u64 = 65_536;

/// A connection to one server.
#[derive(Debug)]
pub(super) struct Tcp {
    to: SocketAddr,
    state: State,
    token: u64,
    interval: Nanos,
    pub record: Record,
}

#[derive(Debug)]
enum State {
    Open(Connection),
    Connecting(Attempt),
    /// Tries again at this time.
    Broken(Nanos),
}

#[derive(Debug)]
struct Connection {
    socket: Attempt,
    /// Of a packet that was sent in part.
    rest: Vec<u8>,
    /// When the oldest packet was due that had no room.
    owed_from: Option<Nanos>,
    /// Of an answer that has arrived in part.
    partial: [u8; LENGTH],
    filled: usize,
    awaited: u64,
}

/// What came of the packets of a measurement.
#[derive(Debug)]
pub(super) struct Record {
    pub sent: u64,
    pub answered: u64,
    pub broken: Breaks,
    pub survived: u64,
    pub latencies: Latencies,
    pub server_delays: Latencies,
    pub silence: Silence<Detail>,
    pub intervals: Option<Intervals>,
    /// Why the connection broke since the last answer.
    broke: Option<Break>,
}

impl Record {
    fn new(window: Window, interval: Nanos) -> Self {
        Self {
            sent: 0,
            answered: 0,
            broken: Breaks::default(),
            survived: 0,
            latencies: Latencies::default(),
            server_delays: Latencies::default(),
            silence: Silence::new(window.start, window.round_trip, interval),
            intervals: window.record(),
            broke: None,
        }
    }

    fn detail(&self, open: bool) -> Detail {
        let fate = match self.broke {
            None => Fate::Survived,
            Some(Break::Reset) => Fate::Reset,
            Some(Break::Timeout) => Fate::Timeout,
            Some(Break::Closed) => Fate::Closed,
            Some(Break::Other) => Fate::Broken,
        };
        Detail {
            connection: Some(fate),
            open,
        }
    }

    fn answer(&mut self, packet: Packet, at: Nanos) {
        self.answered += 1;
        let latency = at.saturating_sub(packet.time);
        self.latencies.add(latency);
        if let Some(intervals) = &mut self.intervals {
            intervals.answer(packet.time, Some(latency));
        }
        self.server_delays
            .add(Nanos::from(packet.held_us).saturating_mul(1_000));
        let is_gap = self.silence.answer(at, packet.time, self.detail(false));
        self.survived += u64::from(is_gap && self.broke.is_none());
        self.broke = None;
    }

    /// Nothing more comes after this time.
    pub(super) fn end(&mut self, at: Nanos) {
        self.silence.end(at, self.detail(true));
    }
}

impl Connection {
    fn new(socket: Attempt) -> Self {
        socket.prepare();
        Self {
            socket,
            rest: Vec::new(),
            owed_from: None,
            partial: [0; LENGTH],
            filled: 0,
            awaited: 0,
        }
    }

    /// Whether all of these bytes and those before them went into the socket's buffer, or none of these did.
    fn write(&mut self, bytes: &[u8]) -> Result<bool, Errno> {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        let fd = self.socket.socket.as_raw_fd();
        while !self.rest.is_empty() {
            match send(fd, &self.rest, flags) {
                Ok(sent) => drop(self.rest.drain(..sent)),
                Err(Errno::EAGAIN) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        match send(fd, bytes, flags) {
            Ok(sent) => {
                self.rest.extend(bytes.get(sent..).unwrap_or_default());
                Ok(true)
            }
            Err(Errno::EAGAIN) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Tcp {
    /// Over this connection, which is made.
    pub(super) fn over(attempt: Attempt, to: SocketAddr) -> Self {
        Self {
            to,
            state: State::Open(Connection::new(attempt)),
            token: 0,
            interval: 1,
            record: Record::new(Window::default(), 1),
        }
    }

    /// Begins a measurement, whose packets carry this token.
    pub(super) fn begin(&mut self, token: u64, window: Window, interval: Nanos) {
        self.token = token;
        self.interval = interval.max(1);
        self.record = Record::new(window, interval);
        if let State::Open(connection) = &mut self.state {
            connection.awaited = 0;
            connection.owed_from = None;
        }
    }

    /// Whether answers are missing that may still come.
    pub(super) fn awaits(&self) -> bool {
        matches!(&self.state, State::Open(connection) if connection.awaited > 0)
    }

    /// Sends the packet of this turn, after those that had no room before. Their latency counts from when they were due.
    pub(super) fn send(&mut self, now: Nanos) {
        let State::Open(connection) = &mut self.state else {
            self.reconnect(now);
            return;
        };
        let mut time = match connection.owed_from.take() {
            Some(from) => from.max(now.saturating_sub(self.interval.saturating_mul(MOST_OWED))),
            None => now,
        };
        while time <= now {
            let packet = Packet {
                kind: Kind::Request,
                token: self.token,
                number: self.record.sent,
                time,
                held_us: 0,
            };
            match connection.write(&packet.to_bytes()) {
                Ok(true) => {
                    self.record.sent += 1;
                    connection.awaited += 1;
                    if let Some(intervals) = &mut self.record.intervals {
                        intervals.send(time);
                    }
                    time += self.interval;
                }
                Ok(false) => {
                    connection.owed_from = Some(time);
                    return;
                }
                Err(error) => return self.breaks(error.into(), now),
            }
        }
    }

    /// Reads all answers that are there, one at a time: each read tells one time of arrival.
    pub(super) fn receive(&mut self, clock: Clock) {
        loop {
            let State::Open(connection) = &mut self.state else {
                return;
            };
            if connection.awaited == 0 {
                return;
            }
            let room = connection.partial.get_mut(connection.filled..);
            let socket = &connection.socket.socket;
            match receive(socket, room.unwrap_or_default(), MsgFlags::MSG_DONTWAIT) {
                Ok(received) if received.length == 0 => {
                    return self.breaks(Break::Closed, clock.now());
                }
                Ok(received) => {
                    connection.filled += received.length;
                    if connection.filled < LENGTH {
                        continue;
                    }
                    connection.filled = 0;
                    let packet = Packet::from_bytes(&connection.partial);
                    if let Some(packet) = packet.filter(|packet| packet.token == self.token) {
                        connection.awaited -= 1;
                        let at = clock.arrival(received.stamp, packet.time);
                        self.record.answer(packet, at);
                    }
                }
                Err(Errno::EAGAIN | Errno::EINTR) => return,
                Err(error) => return self.breaks(error.into(), clock.now()),
            }
        }
    }

    fn breaks(&mut self, why: Break, now: Nanos) {
        let broken = &mut self.record.broken;
        match why {
            Break::Reset => broken.reset += 1,
            Break::Timeout => broken.timeout += 1,
            Break::Closed => broken.closed += 1,
            Break::Other => broken.other += 1,
        }
        self.record.broke = Some(why);
        self.state = State::Broken(now);
    }

    /// Makes the connection anew, a step at a time.
    fn reconnect(&mut self, now: Nanos) {
        let next = match &self.state {
            State::Open(_) => return,
            State::Broken(at) if now < *at => return,
            State::Broken(_) => Attempt::begin(self.to, now).map(Some),
            State::Connecting(attempt) => match attempt.result() {
                None if attempt.is_overdue(now, ATTEMPT_WITHIN) => {
                    Attempt::begin(self.to, now).map(Some)
                }
                None => return,
                Some(result) => result.map(|()| None),
            },
        };
        let connecting = std::mem::replace(&mut self.state, State::Broken(now + PAUSE));
        match (next, connecting) {
            (Ok(Some(attempt)), _) => self.state = State::Connecting(attempt),
            (Ok(None), State::Connecting(attempt)) => {
                self.state = State::Open(Connection::new(attempt));
            }
            _ => {}
        }
    }
}
