//! A client's closed TCP connections, as the kernel's announcements describe them: which of them carried the data, and
//! what its `struct tcp_info` says.

use std::collections::HashSet;

use super::fence::Fence;
use super::sock_diag::{INET_DIAG_MSG, SOCK_DIAG_BY_FAMILY, destination, source};
use crate::system::netlink::{self, u32_at, u64_at};

/// A connection whose both ends acknowledged less carried no data to speak of. iperf3's control connection
/// carries a few kilobytes, and keeps the default MSS: to take it for the data would be a lie.
const DATA: u64 = 64 * 1024;

/// `INET_DIAG_INFO`: the attribute that is a `struct tcp_info`.
const INET_DIAG_INFO: u16 = 2;
/// Fields of `struct tcp_info` (`linux/tcp.h`) by their offset.
mod tcp_info {
    pub(in crate::worker) const SND_MSS: usize = 16;
    pub(in crate::worker) const RCV_MSS: usize = 20;
    pub(in crate::worker) const RTT: usize = 68;
    pub(in crate::worker) const TOTAL_RETRANS: usize = 100;
    pub(in crate::worker) const BYTES_ACKED: usize = 120;
    pub(in crate::worker) const BYTES_RECEIVED: usize = 128;
}

/// A closed TCP connection as the client's kernel saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Payload bytes of a full segment the way most data went, options already taken off.
    pub mss: u32,
    pub total_retrans: u32,
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: u32,
    /// Payload bytes that the other side has acknowledged.
    pub bytes_acked: u64,
    /// Payload bytes that the other side has sent.
    pub bytes_received: u64,
    /// No other connection carried data, and the client sent it: what the connection says of loss and time is the
    /// whole client's.
    pub alone: bool,
}

impl Connection {
    /// Payload bytes the way most of them went.
    fn carried(&self) -> u64 {
        self.bytes_acked.max(self.bytes_received)
    }

    /// Whether the client received most of them.
    fn receives(&self) -> bool {
        self.bytes_received > self.bytes_acked
    }
}

/// Which connections are watched.
#[derive(Debug)]
pub(super) struct Wanted {
    pub port: u16,
    /// Local ports of those that an earlier client left behind: the kernel still delivers their last
    /// bytes, and destroys them only then.
    pub left_behind: HashSet<u16>,
}

/// What became of a client's connections.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The one that carried the most bytes.
    most: Option<Connection>,
    /// How many were announced.
    all: usize,
    /// How many of these carried data.
    data: usize,
    /// Some have not been announced yet.
    pub open: bool,
    /// Until it passes, an announcement may be an earlier client's.
    pub fence: Fence,
}

impl Seen {
    /// Nothing yet; the fence separates it from what earlier clients did.
    pub fn behind(fence: Fence) -> Self {
        Self {
            fence,
            ..Self::default()
        }
    }

    /// Takes the wanted connections that a datagram announces.
    pub fn extend(&mut self, datagram: &[u8], to: &Wanted) {
        let announced = netlink::messages(datagram)
            .filter(|message| message.kind == SOCK_DIAG_BY_FAMILY)
            .map(|message| message.payload);
        for announcement in announced {
            self.pass_fence(announcement);
            if let Some(connection) = connection_to(announcement, to) {
                self.add(connection);
            }
        }
    }

    /// Forgets all earlier announcements when this one is the fence's last.
    fn pass_fence(&mut self, announcement: &[u8]) {
        let ports = source(announcement).zip(destination(announcement));
        if ports.is_some_and(|(local, remote)| self.fence.announced(local, remote)) {
            *self = Self {
                open: self.open,
                ..Self::default()
            };
        }
    }

    fn add(&mut self, connection: Connection) {
        self.all += 1;
        self.data += usize::from(connection.carried() >= DATA);
        if self
            .most
            .is_none_or(|most| most.carried() <= connection.carried())
        {
            self.most = Some(connection);
        }
    }

    /// Whether a connection of this client that carried data has been announced.
    pub fn has_data(&self) -> bool {
        self.fence.has_passed() && self.data > 0
    }

    pub fn answer(&self) -> Option<Connection> {
        let of_its_kind = if self.data > 0 { self.data } else { self.all };
        Some(Connection {
            alone: of_its_kind == 1 && !self.open && !self.most?.receives(),
            ..self.most?
        })
    }
}

/// Reads an announcement; None for one that is not wanted, or without `struct tcp_info`. The struct
/// may be longer than what is read: newer kernels append to it.
fn connection_to(announcement: &[u8], to: &Wanted) -> Option<Connection> {
    if destination(announcement)? != to.port || to.left_behind.contains(&source(announcement)?) {
        return None;
    }
    let info = netlink::attribute(announcement.get(INET_DIAG_MSG..)?, INET_DIAG_INFO)?;
    let bytes_acked = u64_at(info, tcp_info::BYTES_ACKED)?;
    let bytes_received = u64_at(info, tcp_info::BYTES_RECEIVED).unwrap_or_default();
    let mss = if bytes_received > bytes_acked {
        tcp_info::RCV_MSS
    } else {
        tcp_info::SND_MSS
    };
    Some(Connection {
        mss: u32_at(info, mss)?,
        total_retrans: u32_at(info, tcp_info::TOTAL_RETRANS)?,
        rtt_us: u32_at(info, tcp_info::RTT)?,
        bytes_acked,
        bytes_received,
        alone: false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::system::netlink::attribute_bytes;
    use crate::system::netlink::tests::message;

    /// An announcement as the kernel lays it out, `info` bytes long.
    fn announcement(port: u16, connection: Connection, info: usize) -> Vec<u8> {
        let mut payload = vec![0; INET_DIAG_MSG];
        payload[6..8].copy_from_slice(&port.to_be_bytes());
        let mut bytes = vec![0; 240];
        let mss = if connection.receives() {
            20..24
        } else {
            16..20
        };
        bytes[mss].copy_from_slice(&connection.mss.to_ne_bytes());
        bytes[68..72].copy_from_slice(&connection.rtt_us.to_ne_bytes());
        bytes[100..104].copy_from_slice(&connection.total_retrans.to_ne_bytes());
        bytes[120..128].copy_from_slice(&connection.bytes_acked.to_ne_bytes());
        bytes[128..136].copy_from_slice(&connection.bytes_received.to_ne_bytes());
        bytes.truncate(info);
        payload.extend(attribute_bytes(8, &[0]));
        payload.extend(attribute_bytes(INET_DIAG_INFO, &bytes));
        message(SOCK_DIAG_BY_FAMILY, &payload)
    }

    fn connection(mss: u32, bytes_acked: u64) -> Connection {
        Connection {
            mss,
            total_retrans: 3,
            rtt_us: 41,
            bytes_acked,
            bytes_received: 0,
            alone: true,
        }
    }

    fn seen(datagram: &[u8], to: &Wanted) -> Option<Connection> {
        let mut seen = Seen::default();
        seen.extend(datagram, to);
        seen.answer()
    }

    #[test]
    fn what_is_announced_before_the_fence_has_passed_is_not_this_clients() {
        let old = announcement(5201, connection(1448, 90_000), 232);
        let new = announcement(5201, connection(524, 80_000), 232);
        let mut of_fence = announcement(0, connection(0, 0), 232);
        let source = netlink::HEADER + 4;
        of_fence[source..source + 2].copy_from_slice(&40_000_u16.to_be_bytes());
        let seen = |datagrams: &[&[u8]]| {
            let mut seen = Seen::behind(Fence::new([40_000]));
            seen.extend(&datagrams.concat(), &to(5201));
            seen.has_data().then(|| seen.answer().unwrap())
        };
        assert_eq!(
            seen(&[&old, &of_fence, &new]),
            Some(connection(524, 80_000))
        );
        assert_eq!(seen(&[&old, &of_fence]), None);
        assert_eq!(seen(&[&old, &new]), None, "either may be the earlier one");
    }

    fn to(port: u16) -> Wanted {
        Wanted {
            port,
            left_behind: HashSet::new(),
        }
    }

    #[test]
    fn what_an_earlier_client_left_behind_is_not_this_ones() {
        let mut old = announcement(5201, connection(1448, 90_000), 232);
        // Behind the header, family, state, timer and retries.
        let source = netlink::HEADER + 4;
        old[source..source + 2].copy_from_slice(&0x9F3E_u16.to_be_bytes());
        let new = announcement(5201, connection(524, 80_000), 232);
        let wanted = Wanted {
            left_behind: HashSet::from([0x9F3E]),
            ..to(5201)
        };
        let datagram = [old, new].concat();
        assert_eq!(seen(&datagram, &wanted), Some(connection(524, 80_000)));
        assert_eq!(
            seen(&datagram, &to(5201)),
            Some(Connection {
                alone: false,
                ..connection(1448, 90_000)
            })
        );
    }

    #[test]
    fn the_connection_with_the_most_bytes_is_chosen() {
        let datagram = [
            announcement(5201, connection(1448, 900), 232),
            announcement(5201, connection(588, 90_000), 232),
            announcement(5201, connection(588, 80_000), 232),
            announcement(80, connection(536, 100_000), 232),
        ]
        .concat();
        assert_eq!(
            seen(&datagram, &to(5201)),
            Some(Connection {
                alone: false,
                ..connection(588, 90_000)
            })
        );
        assert_eq!(seen(&datagram, &to(443)), None);
    }

    #[test]
    fn of_a_connection_that_received_the_mss_is_that_of_what_came() {
        let received = Connection {
            bytes_received: 90_000,
            ..connection(588, 37)
        };
        let control = announcement(5201, connection(1448, 900), 232);
        let datagram = [announcement(5201, received, 232), control].concat();
        let expected = Connection {
            alone: false,
            ..received
        };
        assert_eq!(seen(&datagram, &to(5201)), Some(expected));
    }

    #[test]
    fn one_of_many_does_not_speak_for_all() {
        let of = |bytes: &[u64]| {
            let announced = bytes
                .iter()
                .map(|bytes| announcement(1, connection(588, *bytes), 232));
            let datagram: Vec<u8> = announced.flatten().collect();
            seen(&datagram, &to(1)).unwrap().alone
        };
        assert!(of(&[90_000]) && of(&[900]));
        assert!(of(&[900, 90_000]), "a control connection is none of them");
        assert!(!of(&[90_000, 90_000]) && !of(&[900, 900]));
        let open = Seen {
            most: Some(connection(588, 90_000)),
            all: 1,
            data: 1,
            open: true,
            fence: Fence::default(),
        };
        assert!(
            !open.answer().unwrap().alone,
            "the others may be on their way"
        );
    }

    #[test]
    fn a_kernel_whose_tcp_info_is_too_short_says_nothing() {
        assert_eq!(seen(&announcement(1, connection(1, 1), 104), &to(1)), None);
    }

    proptest! {
        #[test]
        fn any_announcement_is_read_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..400), port: u16,
        ) {
            let _ = seen(&bytes, &to(port));
            let _ = seen(&message(SOCK_DIAG_BY_FAMILY, &bytes), &to(port));
        }
    }
}
