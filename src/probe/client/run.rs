//! A measurement, from the first connection to the document.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::prctl::set_timerslack;
use serde::{Deserialize, Serialize};

use super::document::Recorded;
use super::packets::{Delays, Packets};
use super::pump::{Pump, Pumped};
use super::server_cost::REACHED_WITHIN;
use super::tcp::Tcp;
use super::udp::Udp;
use super::window::Window;
use super::{connects, server_cost};
use crate::probe::clock::{Clock, Nanos, nanos, wall_clock};
use crate::probe::connection::Attempt;
use crate::probe::error::Error;
use crate::tools::probe_output::Document;

/// How exactly the kernel wakes this process, in nanoseconds; by itself it takes 50 µs more.
const TIMER_SLACK_NS: u64 = 1_000;

/// What is measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Settings {
    pub to: IpAddr,
    /// Of packets; new connections go to the next one.
    pub port: u16,
    pub udp: bool,
    pub tcp: bool,
    /// Between packets.
    pub interval: Duration,
    /// Between new connections; none without it.
    pub connect_interval: Option<Duration>,
    /// Traffic before the measurement.
    pub warmup: Duration,
    pub lasts: Duration,
    /// The length of the intervals that are recorded; none without it.
    pub intervals: Option<Duration>,
}

impl Settings {
    /// How long it sends.
    pub(super) fn sends_for(&self) -> Duration {
        self.warmup.saturating_add(self.lasts)
    }
}

/// Lets the kernel wake this thread, and those that it starts, on time.
pub(super) fn wake_on_time() {
    // Without it turns are a little late, and say so.
    let _ = set_timerslack(TIMER_SLACK_NS);
}

/// Measures one path. Blocks until it is done.
///
/// # Errors
/// When the server cannot be reached at first. What happens later is what is measured.
pub(super) fn measure(settings: &Settings, pump: &Pump) -> Result<Document, Error> {
    let server = SocketAddr::new(settings.to, settings.port);
    let not_reached = |why| Error::NotReached { to: server, why };
    // Also finds out whether the server is there.
    server_cost::ask(server, REACHED_WITHIN).map_err(not_reached)?;
    let clock = pump.clock();
    let connection = connected(server, clock).map_err(not_reached)?;
    let path = Path {
        connects_to: SocketAddr::new(settings.to, settings.port.saturating_add(1)),
        connect_interval: settings.connect_interval.map(nanos),
        round_trip: clock.now().saturating_sub(connection.begun),
        pump,
    };
    let mut packets = Packets {
        udp: settings.udp.then(|| Udp::open(server)).transpose()?,
        tcp: settings.tcp.then(|| Tcp::over(connection, server)),
        interval: nanos(settings.interval),
    };
    if !settings.warmup.is_zero() {
        packets = path.measure(packets, settings.warmup, None)?.packets;
    }
    let server_before = server_cost::ask(server, REACHED_WITHIN);
    let (begun, now, wall_now) = (Instant::now(), clock.now(), wall_clock());
    let intervals = settings.intervals.map(nanos);
    let measured = path.measure(packets, settings.lasts, intervals)?;
    let wall = begun.elapsed();
    let server_after = server_cost::ask(server, REACHED_WITHIN);
    let server_cpu = match (server_before, server_after) {
        (Ok(before), Ok(after)) => after.checked_sub(before),
        _ => None,
    };
    let Measured {
        start,
        packets,
        delays,
        connects,
        cpu,
        paths,
    } = measured;
    let recorded = Recorded {
        start,
        began_at: wall_now.saturating_add(start.saturating_sub(now)),
        lasted: nanos(settings.lasts),
        packets: &packets,
        packet_delays: delays,
        connects: path.connect_interval.zip(connects),
        intervals,
        client_cpu: cpu,
        paths,
        server_cpu,
        wall,
    };
    Ok(recorded.document())
}

/// What is measured again and again: for the warm-up, and then for the result.
#[derive(Clone, Copy, Debug)]
struct Path<'a> {
    connects_to: SocketAddr,
    connect_interval: Option<Nanos>,
    round_trip: Nanos,
    pump: &'a Pump,
}

/// What came of it.
#[derive(Debug)]
struct Measured {
    start: Nanos,
    packets: Packets,
    delays: Delays,
    connects: Option<connects::Record>,
    cpu: Duration,
    paths: usize,
}

impl Path<'_> {
    /// Sends all kinds of traffic at once for this time.
    fn measure(
        self,
        packets: Packets,
        lasts: Duration,
        intervals: Option<Nanos>,
    ) -> io::Result<Measured> {
        let Self {
            connects_to,
            round_trip,
            pump,
            ..
        } = self;
        let token = getrandom::u64().map_err(io::Error::from)?;
        let clock = pump.clock();
        let start = pump.next_start(packets.interval);
        let window = Window {
            start,
            end: start.saturating_add(nanos(lasts)),
            round_trip,
            intervals,
        };
        thread::scope(|scope| {
            let connects = self.connect_interval.map(|interval| {
                let work = move || connects::measure(connects_to, interval, window, clock);
                thread::Builder::new().spawn_scoped(scope, work)
            });
            let connects = connects.transpose()?;
            let pumped = if packets.udp.is_some() || packets.tcp.is_some() {
                pump.measure(packets, token, window)?
            } else {
                Pumped::nothing(packets)
            };
            let joined = connects.map(|thread| {
                let joined = thread.join();
                joined.map_err(|_| io::Error::other("the thread that makes connections panicked"))
            });
            let connects = joined.transpose()?;
            let connects_cpu = connects.as_ref().map(|record| record.cpu);
            Ok(Measured {
                start,
                packets: pumped.packets,
                delays: pumped.delays,
                cpu: pumped.cpu + connects_cpu.unwrap_or_default(),
                paths: pumped.paths,
                connects,
            })
        })
    }
}

/// A connection that is made.
fn connected(to: SocketAddr, clock: Clock) -> io::Result<Attempt> {
    let begun = clock.now();
    let stream = std::net::TcpStream::connect_timeout(&to, REACHED_WITHIN)?;
    stream.set_nonblocking(true)?;
    Ok(Attempt {
        socket: stream.into(),
        begun,
    })
}
