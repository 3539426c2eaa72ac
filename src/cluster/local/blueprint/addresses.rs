//! The addresses of the local cluster, in each family.
//!
//! Pods, by node, are `10.244.<node>.0/24` and `fd00:10:244:<node>::/64`; Services are `10.96.0.0/16`, as with
//! kubeadm, and `fd00:10:96::/112`. Nodes count from 1 in addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::plan::Family;

/// What is at the start of each range; the gateway of a node's pods is the first address.
const GATEWAY: u32 = 1;

/// Where all pods are.
pub const fn pod_range(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "10.244.0.0/16",
        Family::Ipv6 => "fd00:10:244::/48",
    }
}

/// Where all virtual IPs are.
pub const fn service_range(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "10.96.0.0/16",
        Family::Ipv6 => "fd00:10:96::/112",
    }
}

/// The pods of a node, which counts from 0.
pub fn node_pod_range(family: Family, node: u32) -> String {
    let bits = match family {
        Family::Ipv4 => 24,
        Family::Ipv6 => 64,
    };
    format!("{}/{bits}", pod(family, node, 0))
}

/// The pod with this number, below 256, on a node.
pub fn pod(family: Family, node: u32, number: u32) -> IpAddr {
    match family {
        Family::Ipv4 => v4([10, 244, 0, 0], (node + 1) * 256 + number),
        Family::Ipv6 => v6([0xfd00, 0x10, 0x244, 0, 0, 0, 0, 0], node + 1, number),
    }
}

/// The gateway of a node's pods, on the node.
pub fn gateway(family: Family, node: u32) -> IpAddr {
    pod(family, node, GATEWAY)
}

/// The Service with this number.
pub fn service(family: Family, number: u32) -> IpAddr {
    match family {
        Family::Ipv4 => v4([10, 96, 0, 0], number),
        Family::Ipv6 => v6([0xfd00, 0x10, 0x96, 0, 0, 0, 0, 0], 0, number),
    }
}

/// A node's own address on its links.
pub fn node_address(family: Family, node: u32) -> IpAddr {
    match family {
        Family::Ipv4 => v4([192, 168, 77, 1], node),
        Family::Ipv6 => v6([0xfd00, 0x192, 0x168, 0, 0, 0, 0, 0], 0x77, node + 1),
    }
}

/// The length of an address in bits.
pub const fn bits(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS,
        IpAddr::V6(_) => Ipv6Addr::BITS,
    }
}

fn v4(base: [u8; 4], by: u32) -> IpAddr {
    Ipv4Addr::from_bits(Ipv4Addr::from(base).to_bits() + by).into()
}

/// The address of `host` in the /64 that `subnet` numbers.
fn v6(base: [u16; 8], subnet: u32, host: u32) -> IpAddr {
    let base = Ipv6Addr::from(base).to_bits();
    Ipv6Addr::from_bits(base + (u128::from(subnet) << 64) + u128::from(host)).into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::plan::MOST_EMULATED_NODES;

    #[test]
    fn addresses_are_in_their_ranges_and_differ() {
        let text = |address: IpAddr| address.to_string();
        assert_eq!(text(pod(Family::Ipv4, 0, 11)), "10.244.1.11");
        assert_eq!(text(pod(Family::Ipv6, 0, 11)), "fd00:10:244:1::b");
        assert_eq!(text(service(Family::Ipv4, 300)), "10.96.1.44");
        assert_eq!(text(service(Family::Ipv6, 300)), "fd00:10:96::12c");
        assert_eq!(text(node_address(Family::Ipv6, 1)), "fd00:192:168:77::2");
        assert_eq!(node_pod_range(Family::Ipv4, 1), "10.244.2.0/24");
        assert_eq!(node_pod_range(Family::Ipv6, 1), "fd00:10:244:2::/64");
        let mut seen = HashSet::new();
        for family in [Family::Ipv4, Family::Ipv6] {
            for node in 0..MOST_EMULATED_NODES {
                assert!(seen.insert(gateway(family, node)));
                assert!(seen.insert(node_address(family, node)));
                assert!(seen.insert(pod(family, node, 255)));
            }
            assert!(seen.insert(service(family, 60_010)));
        }
    }
}
