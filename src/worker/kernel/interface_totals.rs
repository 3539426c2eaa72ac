//! What all interfaces of the network namespace have carried, the loopback interface included.

use std::collections::BTreeMap;

use crate::rpc::pb::Traffic;

/// The counters of each interface, by its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::worker) struct Interfaces(BTreeMap<String, Traffic>);

impl Interfaces {
    /// The counters now; none where they cannot be read. `/proc/self/net` is of the network namespace
    /// of the process that reads, whatever `/proc` and `/sys` were mounted for.
    pub(in crate::worker) fn read() -> Self {
        Self::parse(&std::fs::read_to_string("/proc/self/net/dev").unwrap_or_default())
    }

    /// Reads `/proc/net/dev` (proc(5)): two lines of headings, then a line for each interface with
    /// eight columns for what it received and eight for what it sent; each begins with bytes and
    /// packets.
    fn parse(text: &str) -> Self {
        let interface = |line: &str| {
            let (name, columns) = line.rsplit_once(':')?;
            let mut columns = columns.split_ascii_whitespace().map(str::parse::<u64>);
            let mut next = |skip| columns.nth(skip)?.ok();
            let traffic = Traffic {
                received_bytes: next(0)?,
                received_packets: next(0)?,
                sent_bytes: next(6)?,
                sent_packets: next(0)?,
            };
            Some((name.trim().to_owned(), traffic))
        };
        Self(text.lines().skip(2).filter_map(interface).collect())
    }

    /// What all of them together have carried since an earlier reading. None when one of them is
    /// gone or began anew: what it carried is unknown.
    pub(in crate::worker) fn since(&self, before: &Self) -> Option<Traffic> {
        if before.0.is_empty() || !before.0.keys().all(|name| self.0.contains_key(name)) {
            return None;
        }
        self.0
            .iter()
            .try_fold(Traffic::default(), |sum, (name, now)| {
                let before = before.0.get(name).copied().unwrap_or_default();
                let since = difference(before, *now)?;
                Some(Traffic {
                    received_bytes: sum.received_bytes.saturating_add(since.received_bytes),
                    sent_bytes: sum.sent_bytes.saturating_add(since.sent_bytes),
                    received_packets: sum.received_packets.saturating_add(since.received_packets),
                    sent_packets: sum.sent_packets.saturating_add(since.sent_packets),
                })
            })
    }
}

/// The traffic between two readings of an interface; none when a counter went back.
pub(in crate::worker) fn difference(before: Traffic, after: Traffic) -> Option<Traffic> {
    Some(Traffic {
        received_bytes: after.received_bytes.checked_sub(before.received_bytes)?,
        sent_bytes: after.sent_bytes.checked_sub(before.sent_bytes)?,
        received_packets: after
            .received_packets
            .checked_sub(before.received_packets)?,
        sent_packets: after.sent_packets.checked_sub(before.sent_packets)?,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn text(interfaces: &[(&str, [u64; 4])]) -> String {
        let mut text = "Inter-|   Receive  |  Transmit\n face |bytes packets\n".to_owned();
        for (name, [received, received_packets, sent, sent_packets]) in interfaces {
            let _ = writeln!(
                text,
                "{name:>6}: {received} {received_packets} 0 0 0 0 0 0 {sent} {sent_packets} 0 0 0 0 0 0"
            );
        }
        text
    }

    #[test]
    fn what_all_interfaces_carried_is_added_up() {
        let before =
            Interfaces::parse(&text(&[("lo", [10, 1, 10, 1]), ("eth0", [100, 2, 200, 3])]));
        let after = Interfaces::parse(&text(&[
            ("lo", [15, 2, 15, 2]),
            ("eth0", [100, 2, 1200, 4]),
            ("new", [7, 1, 0, 0]),
        ]));
        let expected = Traffic {
            received_bytes: 12,
            received_packets: 2,
            sent_bytes: 1005,
            sent_packets: 2,
        };
        assert_eq!(after.since(&before), Some(expected));
        // One that is gone may have carried anything, as may one whose counters went back.
        assert_eq!(before.since(&after), None);
        let again = Interfaces::parse(&text(&[("lo", [1, 1, 1, 1]), ("eth0", [100, 2, 200, 3])]));
        assert_eq!(again.since(&before), None);
        assert_eq!(Interfaces::default().since(&Interfaces::default()), None);
    }

    #[test]
    fn this_machine_has_a_loopback_interface() {
        assert!(Interfaces::read().0.contains_key("lo"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\PC|\n){0,200}") {
            let _ = Interfaces::parse(&format!("\n\n{text}"));
        }
    }
}
