//! Whether something listens on a port: the kernel's own lists of sockets, of the network namespace
//! of the process that reads them.

use std::time::Duration;

use tokio::time::sleep;

use super::sock_diag;
use crate::tools::{Port, Transport};

/// `TCP_LISTEN`, and `TCP_CLOSE`, which a UDP socket without a peer is in (`net/tcp_states.h`).
const LISTEN: &str = "0A";
const UNCONNECTED: &str = "07";

/// Pauses between looks: the kernel tells nobody of a new listener.
const FIRST_PAUSE: Duration = Duration::from_micros(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Returns as soon as something listens on the port; never before. The caller has the deadline.
pub(in crate::worker) async fn open(port: Port) {
    let mut pause = FIRST_PAUSE;
    while !is_open(port) {
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether something listens on the port now, by IPv4 or IPv6.
pub(in crate::worker) fn is_open(port: Port) -> bool {
    if let (Transport::Tcp, Ok(listens)) = (port.transport, sock_diag::listens(port.number)) {
        return listens;
    }
    let (files, state) = match port.transport {
        Transport::Tcp => (["tcp", "tcp6"], LISTEN),
        Transport::Udp => (["udp", "udp6"], UNCONNECTED),
    };
    files.iter().any(|file| {
        std::fs::read_to_string(format!("/proc/self/net/{file}"))
            .is_ok_and(|sockets| has(&sockets, port.number, state))
    })
}

/// Whether a list of sockets (`/proc/net/tcp` in proc(5)) has one with this local port and state.
fn has(sockets: &str, port: u16, state: &str) -> bool {
    sockets.lines().skip(1).any(|line| {
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1).and_then(|local| local.rsplit_once(':'));
        let number = local.and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
        number == Some(port) && fields.nth(1) == Some(state)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOCKETS: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   \
        0: 00000000:1451 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n   \
        1: 0100007F:4D36 0100007F:9F3E 01 00000000:00000000 02:000004D2 00000000     0\n";

    #[test]
    fn listeners_are_found_and_connections_are_not() {
        assert!(has(SOCKETS, 5201, LISTEN));
        assert!(!has(SOCKETS, 19766, LISTEN));
        assert!(!has(SOCKETS, 5202, LISTEN));
    }

    #[tokio::test]
    async fn a_port_is_open_while_somebody_listens() {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = std::net::UdpSocket::bind("[::1]:0").unwrap();
        let port = |number, transport| Port { number, transport };
        open(port(tcp.local_addr().unwrap().port(), Transport::Tcp)).await;
        open(port(udp.local_addr().unwrap().port(), Transport::Udp)).await;
        assert!(!is_open(port(1, Transport::Tcp)));
    }

    proptest! {
        #[test]
        fn any_list_is_read(text: String, port: u16) {
            let _ = has(&text, port, LISTEN);
        }
    }
}
