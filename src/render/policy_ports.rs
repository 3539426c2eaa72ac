//! Which TCP ports the policies of a run let through at a pod, and which they do not.

use super::policy::{Direction, Labels, Peer, Policy, PolicyPort, Rule, Selector};

/// Ports to try, the likeliest to be free first: above those that kernels give to clients, then below.
const PORTS: [(u16, u16); 2] = [(61_000, u16::MAX), (1_024, 32_767)];

/// A TCP port that unprivileged processes can have, and that the policies certainly let through at both ends: another one
/// than `port` if possible, so that both can be open on one network.
pub(super) fn permitted_port(
    policies: &[Policy],
    from: &Labels,
    to: &Labels,
    port: u16,
) -> Option<u16> {
    let ends = [
        permitted_ranges(policies, Direction::Ingress, to, from),
        permitted_ranges(policies, Direction::Egress, from, to),
    ];
    let is_permitted = |port: &u16| {
        let of_end = |ranges: &Vec<(u16, u16)>| {
            let mut ranges = ranges.iter();
            ranges.any(|(first, last)| first <= port && port <= last)
        };
        *port > 1023 && ends.iter().all(of_end)
    };
    let limits = ends.iter().flatten();
    let limits = limits.flat_map(|(first, last)| [*last, *first]);
    let mut candidates = [port.saturating_sub(1), port].into_iter().chain(limits);
    candidates.find(is_permitted)
}

/// The TCP ports that the policies certainly let through at a pod.
fn permitted_ranges(
    policies: &[Policy],
    direction: Direction,
    pod: &Labels,
    peer: &Labels,
) -> Vec<(u16, u16)> {
    let selecting = policies.iter().filter(|policy| policy.selects.matches(pod));
    let mut rules = selecting
        .filter_map(|policy| policy.rules(direction))
        .peekable();
    if rules.peek().is_none() {
        return vec![(1, u16::MAX)];
    }
    let rules = rules.flatten().filter(|rule| must_match(rule, peer));
    rules
        .flat_map(|rule| {
            if rule.ports.is_empty() {
                return vec![(1, u16::MAX)];
            }
            let tcp = rule.ports.iter().filter(|port| port.protocol() == "TCP");
            // Which port a name means is not known here.
            tcp.filter_map(PolicyPort::range).collect()
        })
        .collect()
}

/// A TCP port that no policy lets through, at a pod that a policy of the variant isolates.
pub(super) fn forbidden_port(
    variant: &str,
    policies: &[Policy],
    direction: Direction,
    pod: &Labels,
    peer: &Labels,
) -> Option<u16> {
    let isolating = policies.iter().filter_map(|policy| {
        let rules = policy.rules(direction)?;
        policy.selects.matches(pod).then_some((policy, rules))
    });
    let (mut is_isolated, mut allowed) = (false, Vec::new());
    for (policy, rules) in isolating {
        is_isolated |= policy.variant.as_deref() == Some(variant);
        for rule in rules.iter().filter(|rule| may_match(rule, peer)) {
            allowed.extend(tcp_ranges(rule));
        }
    }
    if !is_isolated {
        return None;
    }
    allowed.sort_unstable();
    let mut candidates = PORTS.into_iter();
    candidates.find_map(|(first, last)| highest_outside(&allowed, first, last))
}

/// Whether a rule may be about this peer. Addresses and namespaces are not known here.
fn may_match(rule: &Rule, peer: &Labels) -> bool {
    let may_be =
        |selector: Option<&Selector>| selector.is_none_or(|selector| selector.matches(peer));
    let mut peers = rule.peers.iter();
    rule.peers.is_empty() || peers.any(|one| may_be(one.pod_selector.as_ref()))
}

/// Whether a rule is about this peer, whatever its address.
fn must_match(rule: &Rule, peer: &Labels) -> bool {
    let is_it = |one: &Peer| {
        let selector = one.pod_selector.as_ref();
        one.namespace_selector.is_none()
            && one.ip_block.is_none()
            && selector.is_some_and(|selector| selector.matches(peer))
    };
    rule.peers.is_empty() || rule.peers.iter().any(is_it)
}

/// The TCP ports of a rule; all where it says none, or one by its name.
fn tcp_ranges(rule: &Rule) -> Vec<(u16, u16)> {
    if rule.ports.is_empty() {
        return vec![(1, u16::MAX)];
    }
    let tcp = rule.ports.iter().filter(|port| port.protocol() == "TCP");
    tcp.map(|port| port.range().unwrap_or((1, u16::MAX)))
        .collect()
}

/// The highest port from `first` to `last` that is in none of the ranges, which are sorted.
fn highest_outside(ranges: &[(u16, u16)], first: u16, last: u16) -> Option<u16> {
    let mut port = last;
    while let Some(covering) = ranges
        .iter()
        .rev()
        .find(|(from, to)| *from <= port && port <= *to)
    {
        port = covering.0.checked_sub(1)?;
        if port < first {
            return None;
        }
    }
    (port >= first).then_some(port)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_port_outside_is_the_highest_that_no_range_covers(
            ranges in prop::collection::vec((1..200_u16, 0..60_u16), 0..8),
            first in 1..100_u16,
            length in 0..120_u16,
        ) {
            let mut ranges: Vec<(u16, u16)> = ranges.into_iter().map(|(from, more)| (from, from + more)).collect();
            ranges.sort_unstable();
            let last = first + length;
            let is_free = |port: &u16| ranges.iter().all(|(from, to)| port < from || port > to);
            prop_assert_eq!(highest_outside(&ranges, first, last), (first..=last).rev().find(is_free));
        }
    }
}
