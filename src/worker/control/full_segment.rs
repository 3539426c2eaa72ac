//! Exchanges full TCP segments with another worker in each direction: do large packets arrive where small ones do?
//!
//! Each direction has a connection of its own. The dialling end asks with a small packet, and the listening end answers with
//! one; then a full segment goes to the listening end, or comes back. Where a link takes smaller packets only and an ICMP message says
//! so, TCP sends smaller ones within a round trip. In a black hole it sends the same packet again and again. A kernel with
//! `net.ipv4.tcp_mtu_probing=1` makes its segments smaller by itself after some 3 s without an answer, so the exchange waits
//! less long. With 2 they are small from the start, and TCP does not hang.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use nix::sys::socket::{getsockopt, sockopt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For the connection and the small packets. A path that is slower is not judged.
const OPENED_WITHIN: Duration = Duration::from_millis(500);
/// For the full segment. TCP has sent it three times by then: Linux repeats after 0.2 s, and then after twice as long each time.
const ARRIVED_WITHIN: Duration = Duration::from_millis(1200);
/// The largest payload that a segment can have.
const LARGEST_SEGMENT: u32 = 65_535;
/// A request: the direction, and the payload of the segment that follows.
const REQUEST_BYTES: usize = 5;

/// Which end sends the full segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) enum Way {
    /// The one that dials.
    Forward,
    /// The one that listens.
    Reverse,
}

/// What became of a full segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) struct Exchanged {
    pub way: Way,
    /// Its payload.
    pub bytes: u32,
    pub is_lost: bool,
}

impl Way {
    const BOTH: [Way; 2] = [Way::Forward, Way::Reverse];

    /// The first byte of a request. Nothing else that dials a worker begins with it.
    fn byte(self) -> u8 {
        match self {
            Way::Forward => 1,
            Way::Reverse => 2,
        }
    }
}

/// The payload of a full segment of a connection, in bytes; 0 when the kernel does not say.
pub(super) fn segment_size(stream: &TcpStream) -> u32 {
    getsockopt(stream, sockopt::TcpMaxSeg).unwrap_or_default()
}

/// Exchanges segments with a worker that listens there. A direction is missing if even small packets got no answer.
pub(in crate::worker) async fn exchange(at: SocketAddr) -> Vec<Exchanged> {
    let ways = join_all(Way::BOTH.map(|way| exchange_one(at, way))).await;
    ways.into_iter().flatten().collect()
}

/// Counts a segment as lost when that happens over two connections in a row: then small packets did pass meanwhile, and a few lost
/// packets do not explain it.
async fn exchange_one(at: SocketAddr, way: Way) -> Option<Exchanged> {
    let first = try_once(at, way).await?;
    if first.is_lost {
        try_once(at, way).await
    } else {
        Some(first)
    }
}

async fn try_once(at: SocketAddr, way: Way) -> Option<Exchanged> {
    let opened = timeout(OPENED_WITHIN, open(at, way)).await;
    let (mut stream, bytes) = opened.ok()?.ok()?;
    let sent = async {
        match way {
            Way::Forward => {
                stream.write_all(&zeros(bytes)).await?;
                stream.read_u8().await?;
            }
            Way::Reverse => {
                stream.write_u8(0).await?;
                stream.read_exact(&mut zeros(bytes)).await?;
            }
        }
        io::Result::Ok(())
    };
    let is_lost = match timeout(ARRIVED_WITHIN, sent).await {
        Ok(Ok(())) => false,
        // The other end is gone.
        Ok(Err(_)) => return None,
        Err(_) => true,
    };
    Some(Exchanged {
        way,
        bytes,
        is_lost,
    })
}

/// A connection over which small packets have gone both ways, and the payload of the full segment that comes next.
async fn open(at: SocketAddr, way: Way) -> io::Result<(TcpStream, u32)> {
    let mut stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    // Neither end keeps the address for a while after the connection.
    stream.set_zero_linger()?;
    let own = segment_size(&stream);
    let mut request = [way.byte(), 0, 0, 0, 0];
    request[1..].copy_from_slice(&own.to_be_bytes());
    stream.write_all(&request).await?;
    let other = stream.read_u32().await?;
    let bytes = match way {
        Way::Forward => own,
        Way::Reverse => other,
    };
    match bytes {
        1..=LARGEST_SEGMENT => Ok((stream, bytes)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Answers a connection, and waits until the other end closes it. Returns at once if that one does not ask for a segment.
pub(super) async fn answer(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = [0; REQUEST_BYTES];
    let (first, rest) = request.split_at_mut(1);
    stream.read_exact(first).await?;
    let asked = Way::BOTH.into_iter().find(|way| [way.byte()] == *first);
    let Some(way) = asked else {
        return Ok(());
    };
    stream.read_exact(rest).await?;
    let [_, size @ ..] = request;
    let own = segment_size(stream).min(LARGEST_SEGMENT);
    stream.write_u32(own).await?;
    match way {
        Way::Forward => {
            let bytes = u32::from_be_bytes(size).min(LARGEST_SEGMENT);
            stream.read_exact(&mut zeros(bytes)).await?;
            stream.write_u8(0).await?;
        }
        Way::Reverse => {
            // A packet of its own for the segment: the small one has arrived.
            stream.read_u8().await?;
            stream.write_all(&zeros(own)).await?;
        }
    }
    stream.read_u8().await.map(drop)
}

fn zeros(bytes: u32) -> Vec<u8> {
    vec![0; bytes as usize]
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        (listener, at)
    }

    #[tokio::test]
    async fn segments_arrive_both_ways() {
        let (listener, at) = listener().await;
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move { answer(&mut stream).await });
            }
        });
        let found = exchange(at).await;
        serving.abort();
        let is_whole = |one: &Exchanged| one.bytes > 1000 && !one.is_lost;
        assert!(found.iter().all(is_whole), "{found:?}");
        let ways: Vec<Way> = found.iter().map(|one| one.way).collect();
        assert_eq!(ways, Way::BOTH);
    }

    /// Listens, and answers small packets only: nothing more in either direction.
    #[tokio::test]
    async fn a_segment_without_an_answer_is_lost() {
        let (listener, at) = listener().await;
        let serving = tokio::spawn(async move {
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.read_exact(&mut [0; REQUEST_BYTES]).await.unwrap();
                stream.write_u32(1448).await.unwrap();
                open.push(stream);
            }
        });
        let found = exchange(at).await;
        serving.abort();
        let lost: Vec<(Way, bool)> = found.iter().map(|one| (one.way, one.is_lost)).collect();
        assert_eq!(lost, Way::BOTH.map(|way| (way, true)));
        assert_eq!(found[1].bytes, 1448);
    }

    #[tokio::test]
    async fn without_an_answer_to_small_packets_nothing_is_known() {
        let (silent, at) = listener().await;
        assert_eq!(exchange(at).await, []);
        drop(silent);
        assert_eq!(exchange(at).await, []);
    }
}
