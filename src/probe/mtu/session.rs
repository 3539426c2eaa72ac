//! The server's end of a search: one thread for each client.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::search::SaidBy;
use super::unfragmented::{Received, Refusal, Sent, Unfragmented};
use crate::probe::packet::{Kind, LENGTH, Packet};

/// Clients that are served at once.
const MOST: usize = 64;
/// A client that sends nothing for this long has ended.
const IDLE: Duration = Duration::from_secs(3);
/// The largest payload of a datagram, in bytes.
const LARGEST: usize = 65_527;

/// Serves the clients of a server.
#[derive(Debug, Default)]
pub(in crate::probe) struct Sessions {
    open: Arc<()>,
}

/// Where a request came from, and the server's own address that it was sent to.
#[derive(Clone, Copy, Debug)]
pub(in crate::probe) struct Ends {
    pub client: SocketAddr,
    pub at: IpAddr,
    pub port: u16,
}

impl Sessions {
    /// Answers a client's first request, and all that follow. The answers need a socket of their own: only on one that is
    /// connected to the client does the kernel say which of its packets a router refuses.
    ///
    /// # Errors
    /// When no socket or thread can be had.
    pub(in crate::probe) fn begin(&self, first: Packet, ends: Ends) -> io::Result<()> {
        if Arc::strong_count(&self.open) > MOST {
            return Ok(());
        }
        let session = Session(Unfragmented::over(connected(ends)?, ends.client)?);
        let token = Arc::clone(&self.open);
        thread::Builder::new().spawn(move || {
            let _ = session.answer_all(first);
            drop(token);
        })?;
        Ok(())
    }
}

fn connected(ends: Ends) -> io::Result<UdpSocket> {
    let Ends { client, at, port } = ends;
    let mut own = SocketAddr::new(at, port);
    if let (SocketAddr::V6(own), SocketAddr::V6(client)) = (&mut own, client) {
        own.set_scope_id(client.scope_id());
    }
    let domain = Domain::for_address(client);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    // The server listens on the same port. The kernel gives a packet to the socket that fits best.
    socket.set_reuse_address(true)?;
    socket.bind(&own.into())?;
    socket.connect(&client.into())?;
    Ok(socket.into())
}

struct Session(Unfragmented);

impl Session {
    fn answer_all(mut self, first: Packet) -> io::Result<()> {
        self.answer(first);
        loop {
            match self.0.receive(IDLE)? {
                Received::Packet(request, _) => self.answer(request),
                Received::Refusals(refusals) => self.tell(&refusals),
                Received::Other => {}
                Received::NobodyListens | Received::Nothing => return Ok(()),
            }
        }
    }

    fn answer(&self, request: Packet) {
        if request.kind != Kind::SizeRequest {
            return;
        }
        let asked = usize::try_from(request.time).unwrap_or(LARGEST);
        let answer = Packet {
            kind: Kind::SizeAnswer,
            ..request
        };
        let mut told = Vec::new();
        let sent = self
            .0
            .send(answer, asked.clamp(LENGTH, LARGEST), |it| told.push(it));
        if let Sent::TooBig(mtu) = sent {
            told.push(Refusal {
                said_by: SaidBy::Interface,
                mtu,
                number: Some(request.number),
            });
        }
        self.tell(&told);
    }

    /// Tells the client which answers are too big. One that is not known by its number has none.
    fn tell(&self, refusals: &[Refusal]) {
        for refusal in refusals {
            let packet = Packet {
                kind: match refusal.said_by {
                    SaidBy::Interface => Kind::TooBigForInterface,
                    SaidBy::Router => Kind::TooBigForRouter,
                },
                token: 0,
                number: refusal.number.unwrap_or(u64::MAX),
                time: refusal.mtu.into(),
                held_us: 0,
            };
            // What follows from further refusals is told when they are read.
            let _ = self.0.send(packet, LENGTH, |_| {});
        }
    }
}
