//! The layer that is broken: pod IP, cluster IP and name are tried, and each needs the one before.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::evidence::{Answer, Evidence, Place, Segment};

/// The layer that keeps one pod from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Layer {
    /// Packets between the pods are lost.
    PodNetwork,
    /// They are lost where the network between nodes has no part in it.
    Policy,
    /// The pods and the Service have no address family in common.
    Family,
    /// The kernel has no route.
    Route,
    /// Nothing listens.
    Listener,
    /// The cluster IP is not translated.
    KubeProxy,
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
pub(in crate::cli) fn find(evidence: &Evidence, has_neighbour: bool) -> Layer {
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
        (State::Works | State::Unknown, _) => Layer::KubeProxy,
        (State::Refused, _) if state(&evidence.pod) == State::Works => Layer::Family,
        (State::Refused, _) => Layer::Listener,
        (State::Unreachable, _) => Layer::Route,
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

/// What is left when the addresses answer.
fn by_name(evidence: &Evidence) -> Layer {
    match &evidence.name.resolved {
        Err(_) => return Layer::Dns,
        Ok(addresses) if is_old(evidence, addresses) => return Layer::Dns,
        Ok(_) => {}
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    V4,
    V6,
}

impl From<&IpAddr> for Family {
    fn from(ip: &IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

fn families<'a>(ips: impl IntoIterator<Item = &'a IpAddr>) -> BTreeSet<Family> {
    ips.into_iter().map(Family::from).collect()
}

impl Layer {
    /// What is broken, from the evidence to the layer, e.g. "pod IP 10.1.0.5 answers, cluster IP
    /// 10.96.0.7 times out: kube-proxy on `node-2` does not translate it".
    pub fn explain(self, evidence: &Evidence) -> String {
        let Evidence { from, to, name, .. } = evidence;
        let pod = answers("pod IP", &evidence.pod);
        let service = answers("cluster IP", &evidence.service);
        let nodes = if from.node.is_empty() || to.node.is_empty() {
            "their nodes".to_owned()
        } else {
            format!("`{}` and `{}`", to.node, from.node)
        };
        match self {
            Self::PodNetwork => format!(
                "{pod}: the pod network between {nodes} drops packets, or a network policy does"
            ),
            Self::Policy if from.node == to.node => format!(
                "{pod}, on the same node `{}`: a network policy drops packets",
                to.node
            ),
            Self::Policy => format!(
                "{pod}: a network policy drops the packets; other pods show that it is not the network \
                 between nodes"
            ),
            Self::Family => mismatch(evidence),
            Self::Route => format!("{pod}: the pod of {} has no route to it", from.name),
            Self::Listener => format!("{pod}: nothing listens there"),
            Self::KubeProxy => {
                let on = match from.node.as_str() {
                    "" => String::new(),
                    node => format!(" on `{node}`"),
                };
                let pod = if evidence.pod.is_empty() {
                    String::new()
                } else {
                    format!("{pod}, ")
                };
                format!("{pod}{service}: kube-proxy{on} does not translate the cluster IP")
            }
            Self::Dns => match &name.resolved {
                Err(why) => {
                    let servers = evidence.name_servers.join(", ");
                    let servers = if servers.is_empty() {
                        String::new()
                    } else {
                        format!(" (name server {servers})")
                    };
                    format!(
                        "the addresses answer, the name `{}` does not resolve ({why}): cluster DNS{servers}",
                        name.host
                    )
                }
                Ok(addresses) => format!(
                    "the name `{}` leads to {}, and its Service has {}: cluster DNS gives an old address",
                    name.host,
                    list(addresses.iter().map(|(ip, _)| ip)),
                    list(evidence.service.iter().map(|(ip, _)| ip)),
                ),
            },
            Self::Mtu => format!(
                "connections open, and a full packet ({} bytes of payload) gets no answer: the MTU of the \
                 path between {nodes} is smaller than that of the pods' interfaces",
                largest_lost(evidence)
            ),
            Self::Nothing => "pod IP, cluster IP and name answer".to_owned(),
        }
    }
}

/// Which families do not match.
fn mismatch(evidence: &Evidence) -> String {
    let service = families(evidence.service.iter().map(|(ip, _)| ip));
    let text = |families: &BTreeSet<Family>| {
        let names: Vec<String> = families.iter().map(Family::to_string).collect();
        names.join(" and ")
    };
    let other = |place: &Place| {
        let own = families(&place.ips);
        (!own.is_empty() && own.is_disjoint(&service)).then_some((place.name.clone(), own))
    };
    let found = other(&evidence.from).or_else(|| other(&evidence.to));
    let (name, own) = found.unwrap_or_else(|| {
        let works = evidence
            .pod
            .iter()
            .filter(|(_, answer)| matches!(answer, Answer::Connected { .. }));
        (evidence.to.name.clone(), families(works.map(|(ip, _)| ip)))
    });
    let own = text(&own);
    format!(
        "the Service of {} is {}, and the pod of {name} is reached by {own} only: set `kubernetes.ip_family: {}`",
        evidence.to.name,
        text(&service),
        own.to_lowercase(),
    )
}

fn largest_lost(evidence: &Evidence) -> u32 {
    let all = evidence.pod.iter().chain(&evidence.service);
    let lost = all.filter_map(|(_, answer)| match answer {
        Answer::Connected {
            segment: Segment::Lost(bytes),
            ..
        } => Some(*bytes),
        _ => None,
    });
    lost.max().unwrap_or_default()
}

/// What addresses of one kind answer, e.g. `pod IP 10.1.0.5 times out`.
fn answers(what: &str, answers: &[(IpAddr, Answer)]) -> String {
    let all: Vec<String> = answers
        .iter()
        .map(|(ip, answer)| format!("{what} {ip} {answer}"))
        .collect();
    all.join(", ")
}

fn list<'a>(ips: impl Iterator<Item = &'a IpAddr>) -> String {
    let ips: Vec<String> = ips.map(IpAddr::to_string).collect();
    ips.join(", ")
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { .. } => f.write_str("answers"),
            Self::TimedOut => f.write_str("times out"),
            Self::Refused => f.write_str("refuses the connection"),
            Self::Unreachable(why) | Self::Failed(why) => write!(f, "fails ({why})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::evidence::Name;
    use super::*;

    const V4: (&str, &str) = ("10.1.0.5", "10.96.0.7");
    const V6: (&str, &str) = ("fd01::5", "fd96::7");

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// `o` answers, `m` answers and loses full segments, `t` times out, `r` refuses, `u` is unreachable, `f`
    /// fails; `-` is not tried.
    fn answer(sign: char) -> Option<Answer> {
        let connected = |segment| Answer::Connected {
            took: Duration::from_millis(1),
            segment,
        };
        Some(match sign {
            'o' => connected(Segment::Answered(1448)),
            'm' => connected(Segment::Lost(1448)),
            't' => Answer::TimedOut,
            'r' => Answer::Refused,
            'u' => Answer::Unreachable("Network is unreachable".to_owned()),
            'f' => Answer::Failed("Permission denied".to_owned()),
            _ => return None,
        })
    }

    fn place(name: &str, node: &str, ips: &[&str]) -> Place {
        Place {
            name: name.to_owned(),
            node: node.to_owned(),
            ips: ips.iter().map(|text| ip(text)).collect(),
        }
    }

    /// The evidence of one family; a name leads to the cluster IP (`o`), to another address (`x`), or to none.
    fn evidence(
        (pod_ip, service_ip): (&str, &str),
        pod: char,
        service: char,
        name: char,
    ) -> Evidence {
        let one = |text: &str, sign| answer(sign).map(|answer| (ip(text), answer));
        let resolved = match name {
            'o' => Ok(one(service_ip, service).into_iter().collect()),
            'x' => Ok(one("10.96.0.99", 't').into_iter().collect()),
            _ => Err("Temporary failure in name resolution".to_owned()),
        };
        Evidence {
            from: place("worker `w2`", "node-2", &[]),
            to: place("the orchestrator", "node-1", &[]),
            pod: one(pod_ip, pod).into_iter().collect(),
            service: one(service_ip, service).into_iter().collect(),
            name: Name {
                host: "np-orchestrator".to_owned(),
                resolved,
            },
            name_servers: vec!["10.96.0.10".to_owned()],
        }
    }

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

    #[test]
    fn sentences_name_addresses_and_nodes() {
        let explained: Vec<String> = [
            (evidence(V4, 't', 't', '-'), false),
            (evidence(V4, 't', 't', '-'), true),
            (evidence(V4, 'o', 't', '-'), false),
            (evidence(V4, '-', 'r', '-'), false),
            (evidence(V4, 'o', 'o', '-'), false),
            (evidence(V4, 'o', 'o', 'x'), false),
            (evidence(V4, 'r', 'r', 'o'), false),
            (evidence(V4, 'u', 'u', 'o'), false),
            (evidence(V4, 'm', 'm', 'o'), false),
            (evidence(V4, 'o', 'o', 'o'), false),
        ]
        .iter()
        .map(|(evidence, near)| find(evidence, *near).explain(evidence))
        .collect();
        assert_eq!(
            explained,
            [
                "pod IP 10.1.0.5 times out: the pod network between `node-1` and `node-2` drops packets, or a \
                 network policy does",
                "pod IP 10.1.0.5 times out: a network policy drops the packets; other pods show that it is not \
                 the network between nodes",
                "pod IP 10.1.0.5 answers, cluster IP 10.96.0.7 times out: kube-proxy on `node-2` does not \
                 translate the cluster IP",
                "cluster IP 10.96.0.7 refuses the connection: kube-proxy on `node-2` does not translate the \
                 cluster IP",
                "the addresses answer, the name `np-orchestrator` does not resolve (Temporary failure in name \
                 resolution): cluster DNS (name server 10.96.0.10)",
                "the name `np-orchestrator` leads to 10.96.0.99, and its Service has 10.96.0.7: cluster DNS \
                 gives an old address",
                "pod IP 10.1.0.5 refuses the connection: nothing listens there",
                "pod IP 10.1.0.5 fails (Network is unreachable): the pod of worker `w2` has no route to it",
                "connections open, and a full packet (1448 bytes of payload) gets no answer: the MTU of the path \
                 between `node-1` and `node-2` is smaller than that of the pods' interfaces",
                "pod IP, cluster IP and name answer",
            ]
        );
    }
}
