//! A measurement, from the first connection to the document.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::prctl::set_timerslack;

use super::document::Recorded;
use super::packets::{Delays, Packets};
use super::server_cost::REACHED_WITHIN;
use super::tcp::Tcp;
use super::udp::Udp;
use super::window::Window;
use super::{connects, server_cost};
use crate::probe::clock::{Clock, Nanos, nanos, wall_clock};
use crate::probe::connection::Attempt;
use crate::probe::cost::cpu_time;
use crate::probe::error::Error;
use crate::tools::probe_output::Document;

/// How exactly the kernel wakes this process, in nanoseconds; by itself it takes 50 µs more.
const TIMER_SLACK_NS: u64 = 1_000;

/// What is measured.
#[derive(Clone, Copy, Debug)]
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
}

/// Measures. Blocks until it is done.
///
/// # Errors
/// When the server cannot be reached at first. What happens later is what is measured.
pub fn run(settings: &Settings) -> Result<Document, Error> {
    let server = SocketAddr::new(settings.to, settings.port);
    // Without it turns are a little late, and say so.
    let _ = set_timerslack(TIMER_SLACK_NS);
    let not_reached = |why| Error::NotReached { to: server, why };
    // Also finds out whether the server is there.
    server_cost::ask(server, REACHED_WITHIN).map_err(not_reached)?;
    let clock = Clock::start();
    let connection = connected(server, clock).map_err(not_reached)?;
    let path = Path {
        connects_to: SocketAddr::new(settings.to, settings.port.saturating_add(1)),
        connect_interval: settings.connect_interval.map(nanos),
        round_trip: clock.now().saturating_sub(connection.begun),
        clock,
    };
    let mut packets = Packets {
        udp: settings.udp.then(|| Udp::open(server)).transpose()?,
        tcp: settings.tcp.then(|| Tcp::over(connection, server)),
        interval: nanos(settings.interval),
    };
    if !settings.warmup.is_zero() {
        path.measure(&mut packets, settings.warmup)?;
    }
    let (server_before, client_before) = (server_cost::ask(server, REACHED_WITHIN), cpu_time());
    let begun = Instant::now();
    let (start, began_at) = (clock.now(), wall_clock());
    let (packet_delays, connects) = path.measure(&mut packets, settings.lasts)?;
    let client_cpu = cpu_time().saturating_sub(client_before);
    let wall = begun.elapsed();
    let server_after = server_cost::ask(server, REACHED_WITHIN);
    let server_cpu = match (server_before, server_after) {
        (Ok(before), Ok(after)) => after.checked_sub(before),
        _ => None,
    };
    let recorded = Recorded {
        start,
        began_at,
        lasted: nanos(settings.lasts),
        packets: &packets,
        packet_delays,
        connects: path.connect_interval.zip(connects),
        client_cpu,
        server_cpu,
        wall,
    };
    Ok(recorded.document())
}

/// What is measured again and again: for the warm-up, and then for the result.
#[derive(Clone, Copy, Debug)]
struct Path {
    connects_to: SocketAddr,
    connect_interval: Option<Nanos>,
    round_trip: Nanos,
    clock: Clock,
}

impl Path {
    /// Sends all kinds of traffic at once for this time.
    fn measure(
        self,
        packets: &mut Packets,
        lasts: Duration,
    ) -> io::Result<(Delays, Option<connects::Record>)> {
        let Self {
            connects_to,
            clock,
            round_trip,
            ..
        } = self;
        let token = getrandom::u64().map_err(io::Error::from)?;
        let start = clock.now();
        let window = Window {
            start,
            end: start.saturating_add(nanos(lasts)),
            round_trip,
        };
        thread::scope(|scope| {
            let connects = self.connect_interval.map(|interval| {
                let work = move || connects::measure(connects_to, interval, window, clock);
                thread::Builder::new().spawn_scoped(scope, work)
            });
            let connects = connects.transpose()?;
            let delays = if packets.udp.is_some() || packets.tcp.is_some() {
                packets.measure(token, window, clock)
            } else {
                Delays::default()
            };
            let joined = connects.map(|thread| {
                let joined = thread.join();
                joined.map_err(|_| io::Error::other("the thread that makes connections panicked"))
            });
            Ok((delays, joined.transpose()?))
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
