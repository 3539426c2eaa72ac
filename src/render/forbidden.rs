//! Which connection the policies of a variant forbid, and which one nothing forbids: if both succeed, a cluster does not
//! enforce them; if both fail, something else is wrong.

use std::collections::BTreeMap;

use serde_json::Value;

use super::manifest::Manifest;
use super::policy::{Direction, Labels, Policy, VARIANT_LABEL};
use super::policy_ports::{forbidden_port, permitted_port};
use super::templates::RenderError;
use crate::plan::{Connection, ForbiddenConnection};

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
        of_variant(&variant, &policies, &pods).map_err(|lacks| {
            let (what, help) = match lacks {
                Lacks::Forbidden => (
                    "they forbid no TCP connection between workers, so that a run could not show that the cluster \
                     enforces them",
                    "limit the rules to the ports of the workers, and select pods of this variant",
                ),
                Lacks::Permitted => (
                    "no TCP connection between workers is certainly permitted, so that a run could not tell policies from \
                     a broken network",
                    "select peers by the labels of their pods, or set `kubernetes: { network_policies: false }`",
                ),
            };
            RenderError::Object {
                file: file.to_owned(),
                object: format!("the policies of `variants.{variant}`"),
                what: what.to_owned(),
                help,
            }
        })
    });
    connections.collect()
}

/// The connection that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lacks {
    Forbidden,
    Permitted,
}

fn of_variant(
    variant: &str,
    policies: &[Policy],
    pods: &[Pod<'_>],
) -> Result<ForbiddenConnection, Lacks> {
    let is_own = |pod: &&Pod<'_>| pod.variant == Some(variant);
    let others = || pods.iter().filter(|pod| !is_own(pod));
    // Both ends of the variant first: others may have left when they are needed.
    let own = || pods.iter().filter(is_own);
    let within = own().flat_map(|from| own().map(move |to| (from, to)));
    let inwards = own().flat_map(|to| others().map(move |from| (from, to)));
    let outwards = own().flat_map(|from| others().map(move |to| (from, to)));
    let pairs = within.chain(inwards).chain(outwards);
    let pairs = pairs
        .filter(|(from, to)| from.worker != to.worker)
        .take(MOST_PAIRS);
    let mut lacks = Lacks::Forbidden;
    for (from, to) in pairs {
        let port = Direction::ALL.into_iter().find_map(|direction| {
            let (pod, peer) = match direction {
                Direction::Ingress => (to, from),
                Direction::Egress => (from, to),
            };
            forbidden_port(variant, policies, direction, &pod.labels, &peer.labels)
        });
        let Some(port) = port else { continue };
        let base = |pod| base_of(pod, variant, pods);
        let permitted = [(base(from), base(to)), (from, to)];
        let permitted = permitted.into_iter().find_map(|(from, to)| {
            let port = permitted_port(policies, &from.labels, &to.labels, port)?;
            Some(connection(from, to, port))
        });
        if let Some(permitted) = permitted {
            return Ok(ForbiddenConnection {
                variant: variant.to_owned(),
                forbidden: connection(from, to, port),
                permitted,
            });
        }
        lacks = Lacks::Permitted;
    }
    Err(lacks)
}

fn connection(from: &Pod<'_>, to: &Pod<'_>, port: u16) -> Connection {
    Connection {
        from: from.worker.to_owned(),
        to: to.worker.to_owned(),
        port,
    }
}

/// The pod of the base that a pod of a variant follows: `w1` of `w1-policy`, `mesh-1` of `mesh-policy-1`. Itself if there is
/// none.
fn base_of<'p, 'm>(pod: &'p Pod<'m>, variant: &str, pods: &'p [Pod<'m>]) -> &'p Pod<'m> {
    let mark = format!("-{variant}");
    let mut marks = pod.worker.rmatch_indices(&mark);
    let base = marks.find_map(|(at, _)| {
        let name = [&pod.worker[..at], &pod.worker[at + mark.len()..]].concat();
        let is_base = |one: &&Pod<'_>| one.worker == name && one.variant != Some(variant);
        pods.iter().find(is_base)
    });
    base.unwrap_or(pod)
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
    use crate::render::policy::{IpBlock, Peer, PolicyPort, Rule, Selector};

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

    /// Whether a policy of the variant isolates an end, and whether both ends let the connection through, by the words of
    /// the API. What a rule says of addresses counts as this.
    fn fate(
        policies: &[Policy],
        from: &Pod<'_>,
        to: &Pod<'_>,
        port: u16,
        blocks_match: bool,
    ) -> (bool, bool) {
        let matches_port = |one: &PolicyPort| {
            one.protocol() == "TCP"
                && one
                    .range()
                    .is_none_or(|(first, last)| first <= port && port <= last)
        };
        let at = |direction, pod: &Pod<'_>, peer: &Pod<'_>| {
            let matches_peer = |one: &Peer| match &one.pod_selector {
                Some(selector) => selector.matches(&peer.labels),
                None => blocks_match,
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
            let is_isolated = selecting
                .iter()
                .any(|policy| policy.variant.as_deref() == Some("v"));
            (
                is_isolated && !is_let_through,
                selecting.is_empty() || is_let_through,
            )
        };
        let ingress = at(Direction::Ingress, to, from);
        let egress = at(Direction::Egress, from, to);
        (ingress.0 || egress.0, ingress.1 && egress.1)
    }

    #[test]
    fn pods_of_the_base_are_found_by_their_names() {
        let pods = [
            pod("a", "base"),
            pod("a-v", "v"),
            pod("a-v-v", "v"),
            pod("m-1", "base"),
            pod("m-v-1", "v"),
            pod("b-v", "v"),
        ];
        let bases: Vec<&str> = pods
            .iter()
            .map(|pod| base_of(pod, "v", &pods).worker)
            .collect();
        assert_eq!(bases, ["a", "a", "a-v-v", "m-1", "m-1", "b-v"]);
    }

    proptest! {
        #[test]
        fn the_connections_are_forbidden_and_permitted_and_found_where_there_are_some(policies in policies()) {
            let pods = pods();
            let named = |name: &str| pods.iter().find(|pod| pod.worker == name).unwrap();
            let fate = |one: &Connection, blocks_match| {
                fate(&policies, named(&one.from), named(&one.to), one.port, blocks_match)
            };
            let all = |from: &str, to: &str| {
                let connection = |port| Connection { from: from.to_owned(), to: to.to_owned(), port };
                [1_024, 5_200, 32_767, 61_000, 65_534, 65_535].map(connection)
            };
            match of_variant("v", &policies, &pods) {
                Ok(ForbiddenConnection { forbidden, permitted, .. }) => {
                    prop_assert!(forbidden.from != forbidden.to && permitted.from != permitted.to);
                    prop_assert!(fate(&forbidden, true).0, "{:?}", forbidden);
                    prop_assert!(fate(&permitted, false).1, "{:?}", permitted);
                }
                Err(lacks) => for (from, to) in [("a", "b"), ("b", "a"), ("a", "c"), ("c", "a"), ("b", "c"), ("c", "b")] {
                    let is_forbidden = all(from, to).iter().any(|one| fate(one, true).0);
                    if is_forbidden {
                        prop_assert_eq!(lacks, Lacks::Permitted);
                        prop_assert!(all(from, to).iter().all(|one| !fate(one, false).1), "{} {}", from, to);
                    }
                },
            }
        }
    }
}
