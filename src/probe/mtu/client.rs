//! The client's end of a search: both directions at once.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use super::search::{Outcome, SaidBy, Search};
use super::sizes::Headers;
use super::unfragmented::{Received, Refusal, Sent, Unfragmented};
use crate::probe::client::server_cost::{self, REACHED_WITHIN};
use crate::probe::cost::cpu_time;
use crate::probe::error::Error;
use crate::probe::packet::{Kind, LENGTH, Packet};
use crate::tools::probe_output::{self as output, Document};

/// A search that takes longer is given up, unless it may take longer.
const LONGEST: Duration = Duration::from_secs(3);
/// How often a packet is sent before it counts as vanished: losses are no black hole.
const REPEATS: u32 = 4;
/// The same for the first one.
const FIRST_REPEATS: u32 = 8;
const FIRST_PATIENCE: Duration = Duration::from_millis(200);
/// The time between two of them beside four round trips, so that an end that does not run at once is no loss.
const PATIENCE: Duration = Duration::from_millis(40);
const LONGEST_PATIENCE: Duration = Duration::from_millis(500);

/// Which way the packets of a size go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Forward,
    Reverse,
}

/// A size that is tried.
#[derive(Clone, Copy, Debug)]
struct Try {
    way: Way,
    /// Of the IP packet.
    size: u32,
    number: u64,
    outcome: Option<Outcome>,
}

struct Client {
    socket: Unfragmented,
    headers: Headers,
    token: u64,
    next_number: u64,
}

/// Finds the largest packet that arrives unfragmented in each direction. Blocks until it is done: some round trips where
/// all who drop packets say so, and about a second elsewhere.
///
/// # Errors
/// When the server cannot be reached, or the search takes longer than both `lasts` and 3 s.
pub fn find_mtu(to: IpAddr, port: u16, lasts: Duration) -> Result<Document, Error> {
    let server = SocketAddr::new(to, port);
    server_cost::ask(server, REACHED_WITHIN)
        .map_err(|why| Error::NotReached { to: server, why })?;
    let (began_at, begun, cpu) = (SystemTime::now(), Instant::now(), cpu_time());
    let limit = lasts.max(LONGEST);
    let mut client = Client::new(server)?;
    let smallest = client.headers.smallest_packet();
    let round_trip = client.reach(server, smallest)?;
    let patience = (PATIENCE + 4 * round_trip).min(LONGEST_PATIENCE);
    let new = || Search::new(smallest, client.headers.largest_packet());
    let mut searches = [(Way::Forward, new()), (Way::Reverse, new())];
    loop {
        let sizes = searches.iter().flat_map(|(way, search)| {
            let sizes = search.candidates().into_iter();
            sizes.map(|size| (*way, size))
        });
        let sizes: Vec<(Way, u32)> = sizes.collect();
        if sizes.is_empty() {
            break;
        }
        if begun.elapsed() >= limit {
            return Err(Error::MtuNotFound { limit });
        }
        let tries = client.round(&sizes, REPEATS, patience)?;
        for (way, search) in &mut searches {
            let own = tries.iter().filter(|one| one.way == *way);
            let outcome = |one: &Try| (one.size, one.outcome.unwrap_or(Outcome::Silence));
            search.take(&own.map(outcome).collect::<Vec<_>>());
        }
    }
    let took = begun.elapsed();
    let [forward, reverse] = searches.map(|(_, search)| {
        let (largest_bytes, limit) = search.found();
        output::LargestPacket {
            largest_bytes,
            payload_bytes: client.headers.payload_of(largest_bytes),
            limit,
        }
    });
    let cpu_s = cpu_time().saturating_sub(cpu).as_secs_f64();
    let since_epoch = began_at.duration_since(SystemTime::UNIX_EPOCH);
    Ok(Document {
        netplan_probe: output::FORMAT,
        began_at_us: micros(since_epoch.unwrap_or_default()),
        duration_s: took.as_secs_f64(),
        udp: None,
        tcp: None,
        connect: None,
        intervals: None,
        mtu: Some(output::Mtu { forward, reverse }),
        client: output::Client {
            cpu_percent: cpu_s / took.as_secs_f64().max(1e-9) * 100.0,
            paths: 1,
            delay: None,
            stalls: output::Gaps::default(),
        },
        server: None,
    })
}

impl Client {
    fn new(server: SocketAddr) -> io::Result<Self> {
        let any = match server {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(server)?;
        Ok(Self {
            socket: Unfragmented::over(socket, server)?,
            headers: Headers::to(server.ip()),
            token: getrandom::u64().map_err(io::Error::from)?,
            next_number: 0,
        })
    }

    /// The time of a round trip.
    fn reach(&mut self, server: SocketAddr, smallest: u32) -> Result<Duration, Error> {
        let sizes = [(Way::Forward, smallest)];
        let first = self.round(&sizes, FIRST_REPEATS, FIRST_PATIENCE)?;
        if first
            .iter()
            .any(|one| one.outcome != Some(Outcome::Arrived))
        {
            return Err(Error::NoAnswer { to: server });
        }
        // The first one also had the server prepare.
        let begun = Instant::now();
        self.round(&sizes, FIRST_REPEATS, FIRST_PATIENCE)?;
        Ok(begun.elapsed())
    }

    /// Tries these sizes, each again and again until something comes of it.
    fn round(
        &mut self,
        sizes: &[(Way, u32)],
        repeats: u32,
        patience: Duration,
    ) -> io::Result<Vec<Try>> {
        let first = self.next_number;
        let tries = sizes.iter().zip(first..).map(|(&(way, size), number)| Try {
            way,
            size,
            number,
            outcome: None,
        });
        let mut tries: Vec<Try> = tries.collect();
        self.next_number = first.saturating_add(tries.len() as u64);
        for repeat in 1..=repeats {
            for nth in 0..tries.len() {
                if tries.get(nth).is_some_and(|one| one.outcome.is_none()) {
                    self.send(nth, &mut tries);
                }
            }
            // Answers may be late, the last ones too.
            let wait = if repeat == repeats {
                2 * patience
            } else {
                patience
            };
            self.receive(Instant::now() + wait, &mut tries)?;
            if tries.iter().all(|one| one.outcome.is_some()) {
                break;
            }
        }
        Ok(tries)
    }

    fn send(&self, nth: usize, tries: &mut [Try]) {
        let Some(&Try {
            way, size, number, ..
        }) = tries.get(nth)
        else {
            return;
        };
        let payload = self.headers.payload_of(size);
        let (sent, asked) = match way {
            Way::Forward => (payload as usize, LENGTH as u64),
            Way::Reverse => (LENGTH, payload.into()),
        };
        let packet = Packet {
            kind: Kind::SizeRequest,
            token: self.token,
            number,
            time: asked,
            held_us: 0,
        };
        let mut told = Vec::new();
        if let Sent::TooBig(mtu) = self.socket.send(packet, sent, |it| told.push(it)) {
            told.push(Refusal {
                said_by: SaidBy::Interface,
                mtu,
                number: Some(number),
            });
        }
        for refusal in &told {
            refuse(tries, Way::Forward, refusal);
        }
    }

    /// Reads until something has come of all, or the time is over. What is there is read even then: this process may have
    /// been late.
    fn receive(&mut self, until: Instant, tries: &mut [Try]) -> io::Result<()> {
        while tries.iter().any(|one| one.outcome.is_none()) {
            let now = Instant::now();
            let left = until.saturating_duration_since(now);
            match self.socket.receive(left)? {
                Received::Packet(packet, length) => self.take(packet, length, tries),
                Received::Refusals(told) => {
                    for refusal in &told {
                        refuse(tries, Way::Forward, refusal);
                    }
                }
                Received::Other | Received::NobodyListens | Received::Nothing => {
                    if left.is_zero() {
                        return Ok(());
                    }
                }
            }
            if now >= until + LONGEST_PATIENCE {
                return Ok(());
            }
        }
        Ok(())
    }

    fn take(&self, packet: Packet, length: usize, tries: &mut [Try]) {
        let said_by = match packet.kind {
            Kind::SizeAnswer if packet.token == self.token => {
                let answered = |one: &&mut Try| {
                    let payload = match one.way {
                        Way::Forward => LENGTH,
                        Way::Reverse => self.headers.payload_of(one.size) as usize,
                    };
                    one.number == packet.number && payload == length
                };
                if let Some(one) = tries.iter_mut().find(answered) {
                    one.outcome = Some(Outcome::Arrived);
                }
                return;
            }
            Kind::TooBigForInterface => SaidBy::Interface,
            Kind::TooBigForRouter => SaidBy::Router,
            _ => return,
        };
        let refusal = Refusal {
            said_by,
            mtu: u32::try_from(packet.time).unwrap_or(0),
            number: Some(packet.number),
        };
        refuse(tries, Way::Reverse, &refusal);
    }
}

/// Notes a refusal for the packet of its number, and for all others that are too big for whoever refuses.
fn refuse(tries: &mut [Try], way: Way, refusal: &Refusal) {
    let Refusal {
        said_by,
        mtu,
        number,
    } = *refusal;
    for one in tries.iter_mut().filter(|one| one.way == way) {
        let is_it = number == Some(one.number) || (mtu > 0 && one.size > mtu);
        if is_it && one.outcome.is_none() {
            one.outcome = Some(Outcome::TooBig { said_by, mtu });
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
