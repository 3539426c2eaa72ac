//! What the kernel says of an interface, by rtnetlink.
//!
//! Asked of the kernel and not read in `/sys`, which may show the interfaces of the network
//! namespace that it was mounted in, and not the worker's.

use nix::sys::socket::SockProtocol;

use crate::rpc::pb::Traffic;
use crate::system::netlink::{Socket, attribute, messages, u32_at, u64_at};

/// `RTM_GETLINK`, `RTM_NEWLINK`, `IFLA_MTU` and `IFLA_STATS64` (`linux/rtnetlink.h`,
/// `linux/if_link.h`).
const GET_LINK: u16 = 18;
const NEW_LINK: u16 = 16;
const MTU: u16 = 4;
const STATS64: u16 = 23;
/// Length of `struct ifinfomsg`; attributes follow it.
const IFINFOMSG: usize = 16;

/// An interface's MTU.
pub(in crate::worker) fn mtu_of(index: u32) -> Option<u32> {
    mtu_in(&answer(index)?)
}

/// What an interface has carried so far.
pub(in crate::worker) fn traffic_of(index: u32) -> Option<Traffic> {
    traffic_in(&answer(index)?)
}

fn answer(index: u32) -> Option<Vec<u8>> {
    let socket = Socket::open(SockProtocol::NetlinkRoute, 0).ok()?;
    // rtnetlink answers within the call that asks.
    socket.send(&link_request(index)).ok()?;
    socket.receive().ok()
}

/// Asks for one interface by its index.
fn link_request(index: u32) -> Vec<u8> {
    const NLM_F_REQUEST: u16 = 1;
    let mut request = 32_u32.to_ne_bytes().to_vec();
    request.extend(GET_LINK.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    request.extend([0; 8]);
    // struct ifinfomsg: family and type, then the index, then flags.
    request.extend([0; 4]);
    request.extend(index.to_ne_bytes());
    request.extend([0; 8]);
    request
}

fn attribute_of_link(datagram: &[u8], wanted: u16) -> Option<&[u8]> {
    messages(datagram)
        .filter(|message| message.kind == NEW_LINK)
        .find_map(|link| attribute(link.payload.get(IFINFOMSG..)?, wanted))
}

fn mtu_in(datagram: &[u8]) -> Option<u32> {
    u32_at(attribute_of_link(datagram, MTU)?, 0)
}

/// `struct rtnl_link_stats64` begins with packets received and sent, then bytes received and sent.
fn traffic_in(datagram: &[u8]) -> Option<Traffic> {
    let stats = attribute_of_link(datagram, STATS64)?;
    Some(Traffic {
        received_packets: u64_at(stats, 0)?,
        sent_packets: u64_at(stats, 8)?,
        received_bytes: u64_at(stats, 16)?,
        sent_bytes: u64_at(stats, 24)?,
    })
}

#[cfg(test)]
mod tests {
    use nix::net::if_::if_nametoindex;
    use proptest::prelude::*;

    use super::*;
    use crate::system::netlink::attribute_bytes;
    use crate::system::netlink::tests::message;

    #[test]
    fn mtu_and_counters_are_found_among_the_attributes() {
        let stats: Vec<u8> = [3_u64, 4, 300, 400, 0, 0]
            .iter()
            .flat_map(|n| n.to_ne_bytes())
            .collect();
        let mut payload = vec![0; IFINFOMSG];
        payload.extend(attribute_bytes(3, b"eth0\0"));
        payload.extend(attribute_bytes(MTU, &1400_u32.to_ne_bytes()));
        payload.extend(attribute_bytes(STATS64, &stats));
        let link = message(NEW_LINK, &payload);
        assert_eq!(mtu_in(&link), Some(1400));
        let expected = Traffic {
            received_bytes: 300,
            sent_bytes: 400,
            received_packets: 3,
            sent_packets: 4,
        };
        assert_eq!(traffic_in(&link), Some(expected));
        // NLMSG_ERROR
        assert_eq!(mtu_in(&message(2, &payload)), None);
    }

    #[test]
    fn the_loopback_interface_is_found() {
        let index = if_nametoindex("lo").unwrap();
        assert!(mtu_of(index).unwrap() >= 1280);
        assert!(traffic_of(index).is_some());
        assert_eq!(mtu_of(u32::MAX), None);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = (mtu_in(&bytes), traffic_in(&bytes));
            let link = message(NEW_LINK, &bytes);
            let _ = (mtu_in(&link), traffic_in(&link));
        }
    }
}
