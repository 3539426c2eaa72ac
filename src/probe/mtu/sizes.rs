//! Sizes of datagrams and of the IP packets that carry them, in bytes.

use std::net::IpAddr;

use crate::probe::packet;

/// What is before the payload of a datagram: an IP header without options and the UDP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Headers(u32);

/// UDP's length field has 16 bits; the header is part of it (RFC 768).
const LARGEST_DATAGRAM: u32 = 65_535;
const UDP: u32 = 8;

impl Headers {
    pub(super) fn to(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(_) => 20 + UDP,
            IpAddr::V6(_) => 40 + UDP,
        })
    }

    pub(super) fn payload_of(self, packet: u32) -> u32 {
        packet.saturating_sub(self.0)
    }

    /// The packet of a datagram without padding.
    pub(super) fn smallest_packet(self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "a constant of 40")]
        let payload = packet::LENGTH as u32;
        self.0 + payload
    }

    /// The largest packet that can carry a datagram. The length of an IPv4 packet includes its header (RFC 791), that of
    /// an IPv6 packet does not (RFC 8200).
    pub(super) fn largest_packet(self) -> u32 {
        match self.0 {
            28 => LARGEST_DATAGRAM,
            headers => LARGEST_DATAGRAM - UDP + headers,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn the_largest_payload_is_the_largest_that_udp_can_carry() {
        let v4 = Headers::to(Ipv4Addr::LOCALHOST.into());
        let v6 = Headers::to(Ipv6Addr::LOCALHOST.into());
        assert_eq!(v4.payload_of(v4.largest_packet()), 65_507);
        assert_eq!(v6.payload_of(v6.largest_packet()), 65_527);
        assert_eq!(v4.payload_of(1500), 1472);
        assert_eq!(v6.payload_of(1500), 1452);
        assert_eq!((v4.smallest_packet(), v6.smallest_packet()), (68, 88));
    }
}
