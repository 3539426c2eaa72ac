//! Connects to a host and says what came of it, name resolution and each address apart.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;
use nix::errno::Errno;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::rpc::pb::dialled_address::Outcome;
use crate::rpc::pb::{DialledAddress, DialledHost};

/// Addresses of one host that are tried.
const MOST_ADDRESSES: usize = 8;

/// Resolves a host, and connects to all of its addresses at once. No request is sent.
pub(super) async fn dial(host: &str, port: u16, within: Duration) -> DialledHost {
    let begun = Instant::now();
    let deadline = begun + within;
    let resolved = resolve(host, deadline).await;
    let resolved_in_us = micros(begun.elapsed());
    let (addresses, unresolved) = match resolved {
        Ok(addresses) => (addresses, String::new()),
        Err(why) => (BTreeSet::new(), why),
    };
    let addresses = addresses.into_iter().take(MOST_ADDRESSES);
    DialledHost {
        host: host.to_owned(),
        resolved_in_us,
        unresolved,
        addresses: join_all(addresses.map(|address| connect(address, port, deadline))).await,
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

async fn connect(address: IpAddr, port: u16, deadline: Instant) -> DialledAddress {
    let begun = Instant::now();
    let connected = timeout_at(deadline, TcpStream::connect(SocketAddr::new(address, port))).await;
    DialledAddress {
        address: address.to_string(),
        took_us: micros(begun.elapsed()),
        outcome: Some(match connected {
            Ok(Ok(_)) => Outcome::Connected(true),
            Ok(Err(error)) => failure(&error),
            Err(_) => Outcome::TimedOut(true),
        }),
    }
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
        let open = dial("127.0.0.1", port, WITHIN).await;
        assert_eq!(outcome(&open), &Outcome::Connected(true));
        let named = dial("localhost", port, WITHIN).await;
        assert!(
            named
                .addresses
                .iter()
                .any(|found| found.address == "127.0.0.1"
                    && found.outcome == Some(Outcome::Connected(true))),
            "{named:?}"
        );
        drop(listener);
        let closed = dial("127.0.0.1", port, WITHIN).await;
        assert_eq!(outcome(&closed), &Outcome::Refused(true));
    }

    #[tokio::test]
    async fn a_name_without_an_address_says_why() {
        let unknown = dial("unknown.invalid", 1, WITHIN).await;
        assert!(!unknown.unresolved.is_empty());
        assert!(unknown.addresses.is_empty());
        let late = dial("unknown.invalid", 1, Duration::ZERO).await;
        assert_eq!(late.unresolved, "no answer in time");
    }
}
