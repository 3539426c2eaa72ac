//! Which addresses a worker may announce: tools will send traffic to them.

use std::net::{IpAddr, Ipv4Addr};

/// Why a worker whose connection comes from `peer` must not announce this address.
pub(super) fn refusal(announced: IpAddr, peer: IpAddr) -> Option<&'static str> {
    let announced = announced.to_canonical();
    let is_broadcast = match announced {
        // Clusters give pods addresses of the reserved 240.0.0.0/4, and Linux takes them as unicast.
        IpAddr::V4(address) => address == Ipv4Addr::BROADCAST,
        IpAddr::V6(_) => false,
    };
    if is_unspecified(announced) {
        Some("it means any address")
    } else if announced.is_multicast() {
        Some("it is a multicast address")
    } else if is_broadcast {
        Some("it is the broadcast address")
    } else if announced.is_loopback() && !peer.to_canonical().is_loopback() {
        Some("it is a loopback address, and others cannot reach it")
    } else if is_link_local_v6(announced) {
        Some("it is a link-local address, which says nothing without an interface")
    } else {
        None
    }
}

/// `0.0.0.0/8` ("this network", RFC 1122, section 3.2.1.3) and `::`.
fn is_unspecified(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 0,
        IpAddr::V6(address) => address.is_unspecified(),
    }
}

fn is_link_local_v6(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// Where a worker's connection comes from, when that is none of the addresses that it announces. A connection
/// over loopback says nothing about the pod's network.
pub(super) fn other_origin(announced: &[IpAddr], peer: IpAddr) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    let is_announced = announced.iter().any(|own| own.to_canonical() == peer);
    (!is_announced && !peer.is_loopback()).then_some(peer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_unicast_addresses_are_taken() {
        let peer: IpAddr = "10.1.2.3".parse().unwrap();
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        for good in [
            "10.0.0.1",
            "192.168.0.255",
            "169.254.1.1",
            "240.0.0.1",
            "255.255.255.254",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(refusal(good.parse().unwrap(), peer), None, "{good}");
        }
        for bad in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "::",
            "::1",
            "ff02::1",
            "fe80::1",
            "::ffff:0.0.0.0",
            "::ffff:224.0.0.1",
            "::ffff:127.0.0.1",
        ] {
            assert!(refusal(bad.parse().unwrap(), peer).is_some(), "{bad}");
        }
        for loopback in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(
                refusal(loopback.parse().unwrap(), local),
                None,
                "{loopback}"
            );
            assert_eq!(
                refusal(loopback.parse().unwrap(), "::1".parse().unwrap()),
                None
            );
        }
    }

    #[test]
    fn another_origin_is_seen_across_notations() {
        let origin = |announced: &str, peer: &str| {
            let announced: Vec<IpAddr> =
                announced.split(',').map(|ip| ip.parse().unwrap()).collect();
            other_origin(&announced, peer.parse().unwrap()).map(|ip| ip.to_string())
        };
        assert_eq!(origin("10.0.0.1", "10.0.0.1"), None);
        assert_eq!(origin("10.0.0.1", "::ffff:10.0.0.1"), None);
        assert_eq!(origin("10.0.0.1", "10.0.0.2").as_deref(), Some("10.0.0.2"));
        assert_eq!(origin("10.0.0.1", "fd00::1").as_deref(), Some("fd00::1"));
        assert_eq!(origin("10.0.0.1,fd00::1", "fd00::1"), None);
        assert_eq!(origin("10.0.0.1", "127.0.0.1"), None);
    }

    proptest! {
        #[test]
        fn what_is_taken_is_unicast(bits: u32, peer: u32) {
            let (announced, peer) = (Ipv4Addr::from_bits(bits), Ipv4Addr::from_bits(peer));
            if refusal(announced.into(), peer.into()).is_none() {
                prop_assert!(!announced.is_multicast() && !announced.is_broadcast());
                prop_assert!(!announced.is_unspecified());
                prop_assert!(!announced.is_loopback() || peer.is_loopback());
            }
        }
    }
}
