//! The link between two nodes: rate and delay by queues, loss by the receiving node's filter.

use std::fmt::Write as _;

use super::layout::node_name;
use crate::plan::units::{BitRate, Percent};
use crate::plan::{ETHERNET_BYTES, Link, MOST_QUEUE_BYTES, Offloads, largest_packet};

/// A node's end of its link to another node.
pub fn device(other: u32) -> String {
    node_name(other).replace("node-", "to")
}

/// The `tc` lines for one end of a link; empty when the link is as fast as the machine.
///
/// A rate is held by a token bucket (tc-tbf(8)), which counts Ethernet, IP and TCP headers. With
/// a delay the bucket sits below netem: packets are late first and queue then, which is the same
/// to the ends of a path as the other way round.
pub fn queue(link: &Link, mtu: u32, offloads: Offloads, device: &str) -> String {
    let mut lines = String::new();
    let mut parent = "root";
    if let Some(delay) = link.delay.filter(|delay| !delay.0.is_zero()) {
        let _ = writeln!(
            lines,
            "qdisc add dev {device} root handle 1: netem delay {}us limit {}",
            delay.0.as_micros(),
            delay_packets(link, delay.0),
        );
        parent = "parent 1:1 handle 10:";
    }
    if let Some(rate) = link.rate {
        let Bucket { burst, limit } = bucket(link, rate, mtu.into(), offloads);
        let _ = writeln!(
            lines,
            "qdisc add dev {device} {parent} tbf rate {}bit burst {burst} limit {limit}",
            rate.0,
        );
    }
    lines
}

struct Bucket {
    /// Bytes that may pass at once: 2 ms worth, so that timers need not be exact; at least two
    /// packets, since one that is larger than the bucket never passes. Over one second this is 0.2 % too much, at most.
    burst: u64,
    /// Bytes that may wait: the link's `queue`. Without one 20 ms worth, as a small switch has, and at least 64 packets,
    /// so that a slow link does not starve the windows of several streams; and a burst.
    limit: u64,
}

fn bucket(link: &Link, rate: BitRate, mtu: u64, offloads: Offloads) -> Bucket {
    let packet = mtu + ETHERNET_BYTES;
    let largest = largest_packet(mtu, offloads).max(2 * packet);
    let bytes_in = |ms: u64| rate.0.saturating_mul(ms) / 8 / 1000;
    // tbf keeps sizes in 32 bits.
    let burst = bytes_in(2).clamp(largest, MOST_QUEUE_BYTES);
    let limit = match link.queue {
        Some(queue) => queue.bytes(rate).clamp(largest, MOST_QUEUE_BYTES),
        None => burst + bytes_in(20).clamp(64 * packet, MOST_QUEUE_BYTES),
    };
    Bucket { burst, limit }
}

/// How many packets can be under way on the link, small ones at the link's rate; netem drops what
/// is more. Some kernels count those that wait in the bucket below it as well.
fn delay_packets(link: &Link, delay: std::time::Duration) -> u64 {
    /// Bytes of the smallest packets that sweeps make, headers included.
    const SMALL: u64 = 128;
    /// As fast as any machine forwards.
    const FASTEST: u64 = 100_000_000_000;
    /// As long as packets wait in the bucket where the link names no queue, and more.
    const WAIT_US: u64 = 30_000;
    let rate = link.rate.map_or(FASTEST, |rate| rate.0);
    let queue = link
        .rate
        .zip(link.queue)
        .map(|(rate, queue)| queue.bytes(rate));
    // Half as much again, as above.
    let queue_us = queue.map(|bytes| bytes.saturating_mul(12_000_000) / rate.max(1));
    let micros = u64::try_from(delay.as_micros())
        .unwrap_or(u64::MAX)
        .saturating_add(queue_us.unwrap_or_default().max(WAIT_US));
    let packets = rate.saturating_div(8 * SMALL).saturating_mul(micros) / 1_000_000;
    packets.clamp(1_000, 4_000_000)
}

/// The rule that loses packets which come over a link: this many of [`LOSS_BASE`], by chance.
///
/// It comes before connection tracking, so that a lost packet leaves no trace. Each direction
/// of a link loses for itself.
pub fn loss_rule(link: &Link) -> Option<String> {
    let share = loss_share(link.loss?);
    (share > 0).then(|| format!("iifname \"to*\" {}", drop_by_chance(share)))
}

/// How many packets of [`LOSS_BASE`] are lost.
pub fn loss_share(Percent(percent): Percent) -> u32 {
    // At most all, and never negative: exact enough for the cast.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=LOSS_BASE"
    )]
    let share = (percent / 100.0 * f64::from(LOSS_BASE))
        .round()
        .clamp(0.0, f64::from(LOSS_BASE)) as u32;
    share
}

/// Drops this many of [`LOSS_BASE`] packets.
pub fn drop_by_chance(share: u32) -> String {
    format!("numgen random mod {LOSS_BASE} < {share} drop")
}

const LOSS_BASE: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::units::{Bytes, Duration};
    use crate::plan::{DEFAULT_MTU, Queue};

    fn rate(bits: u64, mtu: Option<u32>) -> Link {
        Link {
            rate: Some(BitRate(bits)),
            mtu,
            ..Link::default()
        }
    }

    #[test]
    fn a_bucket_holds_two_milliseconds_or_what_must_fit() {
        let at =
            |link: &Link, offloads| queue(link, link.mtu.unwrap_or(DEFAULT_MTU), offloads, "to2");
        assert_eq!(
            at(&rate(1_000_000_000, None), Offloads::Off),
            "qdisc add dev to2 root tbf rate 1000000000bit burst 250000 limit 2750000\n"
        );
        assert_eq!(
            at(&rate(10_000_000, None), Offloads::Off),
            "qdisc add dev to2 root tbf rate 10000000bit burst 3028 limit 99924\n"
        );
        assert_eq!(
            at(&rate(10_000_000, None), Offloads::Kernel),
            "qdisc add dev to2 root tbf rate 10000000bit burst 131072 limit 227968\n"
        );
        assert_eq!(
            at(&rate(100_000_000, Some(9000)), Offloads::Off),
            "qdisc add dev to2 root tbf rate 100000000bit burst 25000 limit 601896\n"
        );
        assert_eq!(at(&Link::default(), Offloads::Off), "");
        for queue in [
            Queue::Time(Duration(std::time::Duration::from_millis(50))),
            Queue::Bytes(Bytes(125_000)),
        ] {
            let link = Link {
                queue: Some(queue),
                ..rate(20_000_000, None)
            };
            assert_eq!(
                at(&link, Offloads::Off),
                "qdisc add dev to2 root tbf rate 20000000bit burst 5000 limit 125000\n"
            );
        }
    }

    proptest! {
        /// Whatever a plan says, the largest packet passes, and the kernel's 32 bits hold the sizes.
        #[test]
        fn any_queue_has_room(bits in 1_000_u64..=1_000_000_000_000, bytes: u64, mtu in 576_u64..=65_535, kernel: bool) {
            let link = Link {
                queue: Some(Queue::Bytes(Bytes(bytes))),
                ..rate(bits, None)
            };
            let offloads = if kernel { Offloads::Kernel } else { Offloads::Off };
            let Bucket { burst, limit } = bucket(&link, BitRate(bits), mtu, offloads);
            let largest = largest_packet(mtu, offloads);
            prop_assert!(burst >= largest && limit >= largest);
            prop_assert!(burst <= u32::MAX.into() && limit <= u32::MAX.into());
        }
    }

    #[test]
    fn loss_is_a_share_of_a_million() {
        let rule = |percent| {
            loss_rule(&Link {
                loss: Some(Percent(percent)),
                ..Link::default()
            })
        };
        assert!(rule(0.1).unwrap().contains("mod 1000000 < 1000 drop"));
        assert!(rule(250.0).unwrap().contains("< 1000000 drop"));
        assert_eq!(rule(0.0), None);
        assert_eq!(rule(f64::NAN), None);
        assert_eq!(loss_rule(&Link::default()), None);
    }
}
