//! Answers packets over connections, a thread for each.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::socket::MsgFlags;
use socket2::{Domain, Protocol, Socket, Type};

use super::addresses::all_addresses;
use super::delay::{held_us, longest_us};
use crate::probe::cost::cpu_time;
use crate::probe::packet::{Kind, LENGTH, Packet};
use crate::system::receive::{receive, stamp_arrivals};

/// Connections that wait to be taken.
const BACKLOG: i32 = 4096;
/// Connections that are served at once; a client has two.
const MOST: usize = 1_024;
/// Packets that are read at once.
const AT_ONCE: usize = 64;

pub(super) fn listen(port: u16) -> io::Result<TcpListener> {
    all_addresses(port, |address| {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    })
}

/// Takes connections for ever.
pub(super) fn accept(listener: &TcpListener) {
    let served = Arc::new(());
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Out of files or memory, mostly.
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        if Arc::strong_count(&served) > MOST {
            continue;
        }
        let token = Arc::clone(&served);
        // Without a thread the connection is closed, which the client sees.
        let _ = thread::Builder::new().spawn(move || {
            let _ = answer(stream);
            drop(token);
        });
    }
}

/// Answers until the client is gone.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stamp_arrivals(&stream);
    let mut buffer = [0; LENGTH * AT_ONCE];
    let mut filled = 0;
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let received = receive(&stream, room, MsgFlags::empty())?;
        if received.length == 0 {
            return Ok(());
        }
        filled += received.length;
        let held_us = held_us(received.stamp);
        let whole = filled - filled % LENGTH;
        let mut answers = Vec::with_capacity(whole);
        for bytes in buffer.get(..whole).unwrap_or_default().chunks(LENGTH) {
            let Some(answer) = Packet::from_bytes(bytes).and_then(|it| answer_to(it, held_us))
            else {
                // Not a client of ours.
                return Ok(());
            };
            answers.extend(answer.to_bytes());
        }
        stream.write_all(&answers)?;
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

fn answer_to(request: Packet, held_us: u32) -> Option<Packet> {
    match request.kind {
        Kind::Request => Some(Packet {
            kind: Kind::Answer,
            held_us,
            ..request
        }),
        Kind::CostRequest => Some(Packet {
            kind: Kind::Cost,
            time: u64::try_from(cpu_time().as_nanos()).unwrap_or(u64::MAX),
            held_us: longest_us(),
            ..request
        }),
        _ => None,
    }
}
