//! Connects to a host and says what came of it, name resolution and each address apart.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;
use nix::errno::Errno;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

use super::full_segment::{exchange, segment_size};
use crate::rpc::pb::dialled_address::Outcome;
use crate::rpc::pb::{DialledAddress, DialledHost};

/// Addresses of one host that are tried.
const MOST_ADDRESSES: usize = 8;

/// For the first attempt to connect; each further one has twice as long, for slow paths.
pub(in crate::worker) const FIRST_ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// For an exchange of full segments.
const EXCHANGED_WITHIN: Duration = Duration::from_secs(3);

/// What to do with full segments, once an address is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) enum Segments {
    None,
    /// Send one, which the other end answers in any way, e.g. by closing.
    Send,
    /// Exchange them with a worker, in both directions.
    Exchange,
}

/// Resolves a host, and connects to all of its addresses at once.
pub(in crate::worker) async fn dial(
    host: &str,
    port: u16,
    within: Duration,
    segments: Segments,
) -> DialledHost {
    let begun = Instant::now();
    let deadline = begun + within;
    let resolved = resolve(host, deadline).await;
    let resolved_in_us = micros(begun.elapsed());
    let (addresses, unresolved) = match resolved {
        Ok(addresses) => (addresses, String::new()),
        Err(why) => (BTreeSet::new(), why),
    };
    let addresses = addresses.into_iter().take(MOST_ADDRESSES);
    let answers = addresses.map(|address| connect(address, port, deadline, segments));
    DialledHost {
        host: host.to_owned(),
        resolved_in_us,
        unresolved,
        addresses: join_all(answers).await,
    }
}

/// The addresses of a host, or why it has none.
async fn resolve(host: &str, deadline: Instant) -> Result<BTreeSet<IpAddr>, String> {
    if let Ok(address) = host.parse() {
        return Ok(BTreeSet::from([address]));
    }
    match timeout_at(deadline, lookup_host((host, 0))).await {
        Ok(Ok(found)) => {
            let addresses: BTreeSet<IpAddr> = found.map(|address| address.ip()).collect();
            if addresses.is_empty() {
                return Err("the name is known, without an address".to_owned());
            }
            Ok(addresses)
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

/// Connects to one address, with a new socket after each attempt that takes too long: one whose first packet left before the
/// node knew the Service gets no answer, and its repetitions come a second later.
pub(in crate::worker) async fn connect(
    address: IpAddr,
    port: u16,
    deadline: Instant,
    segments: Segments,
) -> DialledAddress {
    let at = SocketAddr::new(address, port);
    let mut patience = FIRST_ANSWER_WITHIN;
    let (connected, took_us) = loop {
        let begun = Instant::now();
        let until = deadline.min(begun + patience);
        let connected = timeout_at(until, TcpStream::connect(at)).await;
        if connected.is_ok() || until == deadline {
            break (connected, micros(begun.elapsed()));
        }
        patience *= 2;
    };
    let mut dialled = DialledAddress {
        address: address.to_string(),
        took_us,
        ..DialledAddress::default()
    };
    dialled.outcome = Some(match connected {
        Ok(Ok(mut stream)) => {
            (dialled.segment_bytes, dialled.segment_lost) = match segments {
                Segments::None => (0, false),
                Segments::Send => {
                    let sent = timeout_at(deadline, full_segment(&mut stream)).await;
                    sent.map_or_else(|_| (segment_size(&stream), true), |bytes| (bytes, false))
                }
                Segments::Exchange => exchanged(at).await,
            };
            Outcome::Connected(true)
        }
        Ok(Err(error)) => failure(&error),
        Err(_) => Outcome::TimedOut(true),
    });
    dialled
}

/// The payload of the full segments that were exchanged, and whether one got lost. Without both directions nothing is known:
/// 0 bytes.
async fn exchanged(at: SocketAddr) -> (u32, bool) {
    let exchanged = timeout(EXCHANGED_WITHIN, exchange(at)).await;
    let exchanged = exchanged.unwrap_or_default();
    let lost = exchanged.iter().filter(|one| one.is_lost);
    match lost.map(|one| one.bytes).max() {
        Some(bytes) => (bytes, true),
        None if exchanged.len() < 2 => (0, false),
        None => (
            exchanged.iter().map(|one| one.bytes).min().unwrap_or(0),
            false,
        ),
    }
}

/// Sends one full segment of zeros and returns when the other end answers in any way, e.g. by closing. The
/// payload's size; 0 when it could not be sent.
async fn full_segment(stream: &mut TcpStream) -> u32 {
    let bytes = segment_size(stream);
    let segment = vec![0; bytes as usize];
    if bytes == 0 || stream.set_nodelay(true).is_err() || stream.write_all(&segment).await.is_err()
    {
        return 0;
    }
    // An error is an answer, too: the other end has reset the connection.
    let _ = stream.read(&mut [0]).await;
    bytes
}

/// What an error of `connect` means.
fn failure(error: &io::Error) -> Outcome {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => Outcome::Refused(true),
        Some(Errno::ETIMEDOUT) => Outcome::TimedOut(true),
        Some(
            errno @ (Errno::EHOSTUNREACH
            | Errno::ENETUNREACH
            | Errno::EADDRNOTAVAIL
            | Errno::EAFNOSUPPORT),
        ) => Outcome::Unreachable(errno.desc().to_owned()),
        _ => Outcome::Failed(error.to_string()),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(5);

    fn outcome(host: &DialledHost) -> &Outcome {
        assert_eq!(host.unresolved, "");
        host.addresses[0].outcome.as_ref().unwrap()
    }

    #[tokio::test]
    async fn a_listener_connects_and_a_closed_port_refuses() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = dial("127.0.0.1", port, WITHIN, Segments::None).await;
        assert_eq!(outcome(&open), &Outcome::Connected(true));
        let named = dial("localhost", port, WITHIN, Segments::None).await;
        assert!(
            named
                .addresses
                .iter()
                .any(|found| found.address == "127.0.0.1"
                    && found.outcome == Some(Outcome::Connected(true))),
            "{named:?}"
        );
        drop(listener);
        let closed = dial("127.0.0.1", port, WITHIN, Segments::None).await;
        assert_eq!(outcome(&closed), &Outcome::Refused(true));
    }

    #[tokio::test]
    async fn a_full_segment_is_answered_or_lost() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        // Nobody accepts the connection, so that nothing answers.
        let silent = dial("127.0.0.1", port, Duration::from_millis(50), Segments::Send).await;
        let found = &silent.addresses[0];
        assert_eq!(found.outcome, Some(Outcome::Connected(true)));
        assert!(
            found.segment_lost && found.segment_bytes > 1000,
            "{found:?}"
        );
        drop(listener);

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // Some of it, as TLS does before it closes the connection.
            io::Read::read_exact(&mut stream, &mut [0; 5]).unwrap();
        });
        let closed = dial("127.0.0.1", port, WITHIN, Segments::Send).await;
        other.join().unwrap();
        let found = &closed.addresses[0];
        assert!(
            !found.segment_lost && found.segment_bytes > 1000,
            "{found:?}"
        );
    }

    #[tokio::test]
    async fn a_name_without_an_address_says_why() {
        let unknown = dial("unknown.invalid", 1, WITHIN, Segments::None).await;
        assert!(!unknown.unresolved.is_empty());
        assert!(unknown.addresses.is_empty());
    }
}
