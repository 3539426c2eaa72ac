//! Connects to a host and says what came of it, name resolution and each address apart.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;
use nix::errno::Errno;
use nix::sys::socket::{getsockopt, sockopt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::rpc::pb::dialled_address::Outcome;
use crate::rpc::pb::{DialledAddress, DialledHost};

/// Addresses of one host that are tried.
const MOST_ADDRESSES: usize = 8;

/// Resolves a host, and connects to all of its addresses at once. With `send_segment` it sends a full segment
/// over each connection.
pub(in crate::worker) async fn dial(
    host: &str,
    port: u16,
    within: Duration,
    send_segment: bool,
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
    let answers = addresses.map(|address| connect(address, port, deadline, send_segment));
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

async fn connect(
    address: IpAddr,
    port: u16,
    deadline: Instant,
    send_segment: bool,
) -> DialledAddress {
    let begun = Instant::now();
    let connected = timeout_at(deadline, TcpStream::connect(SocketAddr::new(address, port))).await;
    let took_us = micros(begun.elapsed());
    let mut dialled = DialledAddress {
        address: address.to_string(),
        took_us,
        ..DialledAddress::default()
    };
    dialled.outcome = Some(match connected {
        Ok(Ok(mut stream)) => {
            if send_segment {
                let sent = timeout_at(deadline, full_segment(&mut stream)).await;
                (dialled.segment_bytes, dialled.segment_lost) = match sent {
                    Ok(bytes) => (bytes, false),
                    Err(_) => (segment_size(&stream), true),
                };
            }
            Outcome::Connected(true)
        }
        Ok(Err(error)) => failure(&error),
        Err(_) => Outcome::TimedOut(true),
    });
    dialled
}

/// The payload of a full segment of a connection, in bytes; 0 when the kernel does not say.
fn segment_size(stream: &TcpStream) -> u32 {
    getsockopt(stream, sockopt::TcpMaxSeg).unwrap_or_default()
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
        let open = dial("127.0.0.1", port, WITHIN, false).await;
        assert_eq!(outcome(&open), &Outcome::Connected(true));
        let named = dial("localhost", port, WITHIN, false).await;
        assert!(
            named
                .addresses
                .iter()
                .any(|found| found.address == "127.0.0.1"
                    && found.outcome == Some(Outcome::Connected(true))),
            "{named:?}"
        );
        drop(listener);
        let closed = dial("127.0.0.1", port, WITHIN, false).await;
        assert_eq!(outcome(&closed), &Outcome::Refused(true));
    }

    #[tokio::test]
    async fn a_full_segment_is_answered_or_lost() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        // Nobody accepts the connection, so that nothing answers.
        let silent = dial("127.0.0.1", port, Duration::from_millis(50), true).await;
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
        let closed = dial("127.0.0.1", port, WITHIN, true).await;
        other.join().unwrap();
        let found = &closed.addresses[0];
        assert!(
            !found.segment_lost && found.segment_bytes > 1000,
            "{found:?}"
        );
    }

    #[tokio::test]
    async fn a_name_without_an_address_says_why() {
        let unknown = dial("unknown.invalid", 1, WITHIN, false).await;
        assert!(!unknown.unresolved.is_empty());
        assert!(unknown.addresses.is_empty());
    }
}
