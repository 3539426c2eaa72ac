//! Asks the server what it costs.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::probe::packet::{Kind, LENGTH, Packet};

/// How long the server may take to be reached at first.
pub(in crate::probe) const REACHED_WITHIN: Duration = Duration::from_secs(3);
/// How long the server may take to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

/// The CPU time of the server's process so far.
///
/// # Errors
/// When it cannot be asked.
pub(in crate::probe) fn ask(server: SocketAddr, within: Duration) -> io::Result<Duration> {
    let mut stream = TcpStream::connect_timeout(&server, within)?;
    stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
    stream.set_write_timeout(Some(ANSWERED_WITHIN))?;
    let request = Packet {
        kind: Kind::CostRequest,
        token: 0,
        number: 0,
        time: 0,
        held_us: 0,
    };
    stream.write_all(&request.to_bytes())?;
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes)?;
    let cost = Packet::from_bytes(&bytes).filter(|packet| packet.kind == Kind::Cost);
    let cost = cost.ok_or_else(|| io::Error::other("it is no server of netplan's probe"))?;
    Ok(Duration::from_nanos(cost.time))
}
