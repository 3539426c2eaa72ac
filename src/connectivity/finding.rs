//! The layer that is broken: pod IP, cluster IP and name are tried, and each needs the one before.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::evidence::{Answer, Evidence, Segment};
use super::family::{Family, families};

/// The layer that keeps one pod from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Packets between the pods are lost.
    PodNetwork,
    /// They are lost where the network between nodes has no part in it.
    Policy,
    /// Packets between nodes are lost.
    NodeNetwork,
    /// The pods and the Service have no address family in common.
    Family,
    /// The kernel has no route.
    Route,
    /// Nothing listens.
    Listener,
    /// The cluster IP is not translated.
    KubeProxy,
    /// A pod's packets to its own cluster IP do not come back to it.
    Hairpin,
    /// The name has no address, or another one.
    Dns,
    /// Full packets are lost, small ones arrive.
    Mtu,
    /// Everything answers.
    Nothing,
}

/// How the addresses of one kind answer together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Works,
    Refused,
    TimedOut,
    Unreachable,
    Failed,
    /// None was tried.
    Unknown,
}

/// Finds the broken layer. `has_neighbour` says that a pod on the node of the first one reaches the node of
/// the other.
#[must_use]
pub fn find(evidence: &Evidence, has_neighbour: bool) -> Layer {
    let service = families(evidence.service.iter().map(|(ip, _)| ip));
    let has_common = |ips: &[IpAddr]| {
        service.is_empty() || ips.is_empty() || !service.is_disjoint(&families(ips))
    };
    if !has_common(&evidence.from.ips) || !has_common(&evidence.to.ips) {
        return Layer::Family;
    }
    // A worker dials the families of the Service, and no other.
    let dialled = |answer: &&(IpAddr, Answer)| {
        service.is_empty() || service.contains(&Family::from(&answer.0))
    };
    let pod = state(evidence.pod.iter().filter(dialled));
    let by_service = state(&evidence.service);
    match (pod, by_service) {
        (_, State::Works) | (State::Works | State::Unknown, State::Unknown) => by_name(evidence),
        (State::Works, _) if evidence.from.name == evidence.to.name => Layer::Hairpin,
        (State::Works | State::Unknown, _) => Layer::KubeProxy,
        (State::Refused, _) if state(&evidence.pod) == State::Works => Layer::Family,
        (State::Refused, _) => Layer::Listener,
        (State::Unreachable, _) => Layer::Route,
        (State::TimedOut | State::Failed, _) if evidence.is_host => Layer::NodeNetwork,
        (State::TimedOut | State::Failed, _) => {
            let is_near = !evidence.from.node.is_empty() && evidence.from.node == evidence.to.node;
            if is_near || has_neighbour {
                Layer::Policy
            } else {
                Layer::PodNetwork
            }
        }
    }
}

/// Finds the broken layer of each; `has_neighbour` as for [`find`]. What drops a destination's packets within a node is no
/// network between nodes.
#[must_use]
pub fn find_all(all: &[&Evidence], has_neighbour: impl Fn(&Evidence) -> bool) -> Vec<Layer> {
    let mut layers: Vec<Layer> = all
        .iter()
        .map(|one| find(one, has_neighbour(one)))
        .collect();
    let with_policy: BTreeSet<&str> = all
        .iter()
        .zip(&layers)
        .filter(|(_, layer)| **layer == Layer::Policy)
        .map(|(one, _)| &*one.to.name)
        .collect();
    for (one, layer) in all.iter().zip(&mut layers) {
        if *layer == Layer::PodNetwork && with_policy.contains(&*one.to.name) {
            *layer = Layer::Policy;
        }
    }
    layers
}

/// What is left when the addresses answer.
fn by_name(evidence: &Evidence) -> Layer {
    match evidence.name.as_ref().map(|name| &name.resolved) {
        Some(Err(_)) => return Layer::Dns,
        Some(Ok(addresses)) if is_old(evidence, addresses) => return Layer::Dns,
        Some(Ok(_)) | None => {}
    }
    let is_lost = |answers: &[(IpAddr, Answer)]| {
        let segments = answers.iter().filter_map(|(_, answer)| match answer {
            Answer::Connected { segment, .. } => Some(*segment),
            _ => None,
        });
        let mut segments = segments.peekable();
        segments.peek().is_some() && segments.all(|segment| matches!(segment, Segment::Lost(_)))
    };
    if is_lost(&evidence.service) || is_lost(&evidence.pod) {
        Layer::Mtu
    } else {
        Layer::Nothing
    }
}

/// Whether a name leads to none of the Service's addresses.
fn is_old(evidence: &Evidence, addresses: &[(IpAddr, Answer)]) -> bool {
    !evidence.service.is_empty()
        && !addresses
            .iter()
            .any(|(ip, _)| evidence.service.iter().any(|(known, _)| known == ip))
}

fn state<'a>(answers: impl IntoIterator<Item = &'a (IpAddr, Answer)>) -> State {
    let states = answers.into_iter().map(|(_, answer)| match answer {
        Answer::Connected { .. } => State::Works,
        Answer::Refused => State::Refused,
        Answer::TimedOut => State::TimedOut,
        Answer::Unreachable(_) => State::Unreachable,
        Answer::Failed(_) => State::Failed,
    });
    // The most telling one.
    states
        .min_by_key(|state| *state as u8)
        .unwrap_or(State::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectivity::tests::examples::{V4, V6, evidence, ip};

    #[test]
    fn each_combination_of_answers_has_its_layer() {
        use Layer::{Dns, KubeProxy, Listener, Mtu, Nothing, PodNetwork, Route};
        // Pod IP, and the layers by what the cluster IP answers: o m t r u f -.
        let table = [
            (
                'o',
                [
                    Nothing, Mtu, KubeProxy, KubeProxy, KubeProxy, KubeProxy, Nothing,
                ],
            ),
            (
                'm',
                [Mtu, Mtu, KubeProxy, KubeProxy, KubeProxy, KubeProxy, Mtu],
            ),
            (
                't',
                [
                    Nothing, Mtu, PodNetwork, PodNetwork, PodNetwork, PodNetwork, PodNetwork,
                ],
            ),
            (
                'r',
                [
                    Nothing, Mtu, Listener, Listener, Listener, Listener, Listener,
                ],
            ),
            ('u', [Nothing, Mtu, Route, Route, Route, Route, Route]),
            (
                'f',
                [
                    Nothing, Mtu, PodNetwork, PodNetwork, PodNetwork, PodNetwork, PodNetwork,
                ],
            ),
            (
                '-',
                [
                    Nothing, Mtu, KubeProxy, KubeProxy, KubeProxy, KubeProxy, Nothing,
                ],
            ),
        ];
        for (pod, layers) in table {
            for (service, layer) in "omtruf-".chars().zip(layers) {
                for family in [V4, V6] {
                    let known = evidence(family, pod, service, 'o');
                    assert_eq!(
                        find(&known, false),
                        layer,
                        "pod {pod}, cluster IP {service}"
                    );
                    // A name is the last thing that can be wrong.
                    let nameless = evidence(family, pod, service, '-');
                    let expected = match layer {
                        Nothing | Mtu => Dns,
                        layer => layer,
                    };
                    assert_eq!(find(&nameless, false), expected, "{pod} {service}");
                }
            }
        }
    }

    #[test]
    fn a_name_with_another_address_is_old() {
        assert_eq!(find(&evidence(V4, 'o', 'o', 'x'), false), Layer::Dns);
        assert_eq!(find(&evidence(V4, 'o', '-', 'x'), false), Layer::Nothing);
    }

    #[test]
    fn where_nodes_reach_each_other_it_is_a_policy() {
        for sign in ['t', 'f'] {
            let mut lost = evidence(V4, sign, 't', 'o');
            assert_eq!(find(&lost, true), Layer::Policy);
            lost.from.node = "node-1".to_owned();
            assert_eq!(find(&lost, false), Layer::Policy);
            lost.from.node.clear();
            lost.to.node.clear();
            assert_eq!(
                find(&lost, false),
                Layer::PodNetwork,
                "unknown nodes are not the same"
            );
        }
    }

    #[test]
    fn a_policy_of_a_destination_is_found_from_all_of_its_peers() {
        let from = |node: &str, to: &str| {
            let mut lost = evidence(V4, 't', '-', '-');
            lost.name = None;
            lost.from.node = node.to_owned();
            lost.to.name = to.to_owned();
            lost
        };
        let near = from("node-1", "worker `a`");
        let far = from("node-2", "worker `a`");
        let other = from("node-2", "worker `b`");
        let all = [&near, &far, &other];
        assert_eq!(
            find_all(&all, |_| false),
            [Layer::Policy, Layer::Policy, Layer::PodNetwork]
        );
        assert_eq!(find_all(&all[1..], |_| false), [Layer::PodNetwork; 2]);
        assert_eq!(find_all(&all[1..], |_| true), [Layer::Policy; 2]);
    }

    #[test]
    fn on_the_network_of_nodes_no_policy_and_no_pod_network_is_blamed() {
        let mut lost = evidence(V4, 't', '-', '-');
        lost.name = None;
        lost.is_host = true;
        assert_eq!(find(&lost, true), Layer::NodeNetwork);
        assert_eq!(
            Layer::NodeNetwork.explain(&lost),
            "node IP 10.1.0.5 times out: the network between `node-1` and `node-2`, or a firewall on them, drops packets"
        );
    }

    #[test]
    fn families_that_do_not_meet_are_told_before_all_else() {
        let only_v4 = ["10.1.0.6"];
        let mut wrong = evidence(V6, 'u', 'u', 'o');
        wrong.from.ips = vec![ip(only_v4[0])];
        assert_eq!(find(&wrong, false), Layer::Family);
        wrong.from.ips.push(ip("fd01::6"));
        assert_eq!(find(&wrong, false), Layer::Route);
        wrong.to.ips = vec![ip("10.1.0.5")];
        assert_eq!(find(&wrong, false), Layer::Family);
        assert_eq!(
            Layer::Family.explain(&wrong),
            "the Service of the orchestrator is IPv6, and the pod of the orchestrator is reached by IPv4 \
             only: set `kubernetes.ip_family: ipv4`"
        );

        // It listens on IPv4 only.
        let mut listens = evidence(V6, 'r', 'r', 'o');
        listens.pod.extend(evidence(V4, 'o', 'o', 'o').pod);
        assert_eq!(find(&listens, false), Layer::Family);
        assert!(
            Layer::Family
                .explain(&listens)
                .contains("reached by IPv4 only")
        );
        // The family that the Service does not have is not asked for.
        let mut other = evidence(V4, 't', 't', 'o');
        other.pod.extend(evidence(V6, 'o', 'o', 'o').pod);
        assert_eq!(find(&other, false), Layer::PodNetwork);
    }
}
