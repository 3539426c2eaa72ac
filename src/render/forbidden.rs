//! Which connection the policies of a variant forbid: one that succeeds shows that a cluster does not enforce them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::manifest::Manifest;
use super::policy::{Direction, Labels, Policy, Rule, VARIANT_LABEL};
use super::templates::RenderError;
use crate::plan::ForbiddenConnection;

/// Ports to try, the likeliest to be free first: above those that kernels give to clients, then below.
const PORTS: [(u16, u16); 2] = [(61_000, u16::MAX), (1_024, 32_767)];
/// Pairs of workers of a variant that are looked at.
const MOST_PAIRS: usize = 10_000;

/// A worker's pod, as policies see it.
struct Pod<'m> {
    worker: &'m str,
    variant: Option<&'m str>,
    labels: Labels,
}

/// For each variant with policies, by the manifests of a run, a connection that they forbid.
///
/// # Errors
/// A variant whose policies cannot be read, or forbid no connection between workers.
pub fn forbidden(manifests: &[Manifest]) -> Result<Vec<ForbiddenConnection>, RenderError> {
    let mut policies = Vec::new();
    let mut files: BTreeMap<String, &str> = BTreeMap::new();
    for manifest in manifests.iter().filter(|one| Policy::is(one)) {
        let policy = Policy::from_manifest(manifest).map_err(|unread| RenderError::Object {
            file: manifest.template.clone(),
            object: format!("{} {}", manifest.kind(), manifest.name()),
            what: format!("{}: {}", unread.field, unread.what),
            help: "write it as `kubectl explain networkpolicy.spec` says",
        })?;
        if let Some(variant) = &policy.variant {
            files.insert(variant.clone(), &manifest.template);
        }
        policies.push(policy);
    }
    let pods: Vec<Pod<'_>> = manifests.iter().filter_map(Pod::from_job).collect();
    let connections = files.into_iter().map(|(variant, file)| {
        of_variant(&variant, &policies, &pods).ok_or_else(|| RenderError::Object {
            file: file.to_owned(),
            object: format!("the policies of `variants.{variant}`"),
            what: "they forbid no TCP connection between workers, so that a run could not show that the \
                   cluster enforces them"
                .to_owned(),
            help: "limit the rules to the ports of the workers, and select pods of this variant",
        })
    });
    connections.collect()
}

fn of_variant(variant: &str, policies: &[Policy], pods: &[Pod<'_>]) -> Option<ForbiddenConnection> {
    let is_own = |pod: &&Pod<'_>| pod.variant == Some(variant);
    let others = || pods.iter().filter(|pod| !is_own(pod));
    // Both ends of the variant first: others may have left when they are needed.
    let own = || pods.iter().filter(is_own);
    let within = own().flat_map(|from| own().map(move |to| (from, to)));
    let inwards = own().flat_map(|to| others().map(move |from| (from, to)));
    let outwards = own().flat_map(|from| others().map(move |to| (from, to)));
    let pairs = within.chain(inwards).chain(outwards);
    let mut pairs = pairs
        .filter(|(from, to)| from.worker != to.worker)
        .take(MOST_PAIRS);
    pairs.find_map(|(from, to)| {
        let port = Direction::ALL.into_iter().find_map(|direction| {
            let (pod, peer) = match direction {
                Direction::Ingress => (to, from),
                Direction::Egress => (from, to),
            };
            forbidden_port(variant, policies, direction, pod, peer)
        })?;
        Some(ForbiddenConnection {
            variant: variant.to_owned(),
            from: from.worker.to_owned(),
            to: to.worker.to_owned(),
            port,
        })
    })
}

/// A TCP port that no policy lets through, at a pod that a policy of the variant isolates.
fn forbidden_port(
    variant: &str,
    policies: &[Policy],
    direction: Direction,
    pod: &Pod<'_>,
    peer: &Pod<'_>,
) -> Option<u16> {
    let isolating = policies.iter().filter_map(|policy| {
        let rules = policy.rules(direction)?;
        policy
            .selects
            .matches(&pod.labels)
            .then_some((policy, rules))
    });
    let (mut is_isolated, mut allowed) = (false, Vec::new());
    for (policy, rules) in isolating {
        is_isolated |= policy.variant.as_deref() == Some(variant);
        for rule in rules.iter().filter(|rule| may_match(rule, &peer.labels)) {
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
    let may_be = |selector: Option<&super::policy::Selector>| {
        selector.is_none_or(|selector| selector.matches(peer))
    };
    let mut peers = rule.peers.iter();
    rule.peers.is_empty() || peers.any(|one| may_be(one.pod_selector.as_ref()))
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

impl<'m> Pod<'m> {
    /// The pod of a worker's Job. Policies do not reach the host network.
    fn from_job(manifest: &'m Manifest) -> Option<Self> {
        let template = manifest.object.pointer("/spec/template")?;
        let labels = template.pointer("/metadata/labels")?.as_object()?;
        let text = |key: &str| labels.get(key).and_then(Value::as_str);
        if template.pointer("/spec/hostNetwork") == Some(&Value::Bool(true)) {
            return None;
        }
        let texts = labels.iter();
        let texts =
            texts.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        Some(Self {
            worker: text("netplan/worker")?,
            variant: text(VARIANT_LABEL),
            labels: texts.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::policy::{IpBlock, Peer, PolicyPort, Selector};

    fn pod(worker: &'static str, variant: &'static str) -> Pod<'static> {
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        Pod {
            worker,
            variant: Some(variant),
            labels: [label("w", worker), label("v", variant)].into(),
        }
    }

    fn pods() -> Vec<Pod<'static>> {
        vec![pod("a", "v"), pod("b", "v"), pod("c", "base")]
    }

    fn selectors() -> impl Strategy<Value = Selector> {
        let labels =
            prop::collection::btree_map("[wv]", prop::sample::select(vec!["a", "b", "v"]), 0..2);
        labels.prop_map(|labels| Selector {
            match_labels: labels
                .into_iter()
                .map(|(key, value)| (key, value.to_owned()))
                .collect(),
            match_expressions: Vec::new(),
        })
    }

    fn rules() -> impl Strategy<Value = Option<Vec<Rule>>> {
        let peer = prop_oneof![
            selectors().prop_map(|selector| Peer {
                pod_selector: Some(selector),
                ..Peer::default()
            }),
            Just(Peer {
                ip_block: Some(IpBlock::default()),
                ..Peer::default()
            }),
        ];
        let port = prop::sample::select(vec![
            (1, 65_535),
            (1_024, 40_000),
            (61_000, 65_535),
            (5_201, 5_201),
            (50, 65_534),
        ]);
        let port = (port, prop::sample::select(vec![None, Some("UDP")])).prop_map(
            |((first, last), protocol)| PolicyPort {
                protocol: protocol.map(str::to_owned),
                port: Some(first.into()),
                end_port: Some(last),
            },
        );
        let rule = (
            prop::collection::vec(peer, 0..3),
            prop::collection::vec(port, 0..3),
        );
        let rule = rule.prop_map(|(peers, ports)| Rule { peers, ports });
        prop::option::of(prop::collection::vec(rule, 0..3))
    }

    fn policies() -> impl Strategy<Value = Vec<Policy>> {
        let variant = prop::sample::select(vec![None, Some("v"), Some("base")]);
        let policy = (variant, selectors(), rules(), rules());
        let policy = policy.prop_map(|(variant, selects, ingress, egress)| Policy {
            name: "p".to_owned(),
            variant: variant.map(str::to_owned),
            selects,
            ingress,
            egress,
        });
        prop::collection::vec(policy, 0..4)
    }

    /// Whether a policy of the variant isolates an end, and none lets the connection through there, by the words of the
    /// API.
    fn is_forbidden(policies: &[Policy], from: &Pod<'_>, to: &Pod<'_>, port: u16) -> bool {
        let matches_port = |one: &PolicyPort| {
            one.protocol() == "TCP"
                && one
                    .range()
                    .is_none_or(|(first, last)| first <= port && port <= last)
        };
        let at = |direction, pod: &Pod<'_>, peer: &Pod<'_>| {
            let matches_peer = |one: &Peer| {
                one.ip_block.is_some()
                    || one
                        .pod_selector
                        .as_ref()
                        .is_some_and(|s| s.matches(&peer.labels))
            };
            let selecting: Vec<_> = policies
                .iter()
                .filter(|policy| {
                    policy.rules(direction).is_some() && policy.selects.matches(&pod.labels)
                })
                .collect();
            let rules = selecting
                .iter()
                .flat_map(|policy| policy.rules(direction).unwrap_or_default());
            let is_let_through = rules.into_iter().any(|rule| {
                (rule.peers.is_empty() || rule.peers.iter().any(matches_peer))
                    && (rule.ports.is_empty() || rule.ports.iter().any(matches_port))
            });
            selecting
                .iter()
                .any(|policy| policy.variant.as_deref() == Some("v"))
                && !is_let_through
        };
        at(Direction::Ingress, to, from) || at(Direction::Egress, from, to)
    }

    proptest! {
        #[test]
        fn the_connection_is_forbidden_and_found_where_there_is_one(policies in policies()) {
            let pods = pods();
            let named = |name: &str| pods.iter().find(|pod| pod.worker == name).unwrap();
            match of_variant("v", &policies, &pods) {
                Some(found) => {
                    let (from, to) = (named(&found.from), named(&found.to));
                    prop_assert!(from.worker != to.worker);
                    prop_assert!(is_forbidden(&policies, from, to, found.port), "{:?}", found);
                }
                None => for (from, to) in [("a", "b"), ("b", "a"), ("a", "c"), ("c", "a"), ("b", "c"), ("c", "b")] {
                    for port in [1_024, 5_200, 32_767, 61_000, 65_535] {
                        prop_assert!(!is_forbidden(&policies, named(from), named(to), port), "{} {} {}", from, to, port);
                    }
                },
            }
        }

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
