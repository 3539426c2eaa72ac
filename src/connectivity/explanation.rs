//! Sentences that lead from the evidence to the broken layer.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::evidence::{Answer, Endpoint, Evidence, Name, Segment};
use super::family::{Family, families};
use super::finding::Layer;

impl Layer {
    /// What is broken, from the evidence to the layer, e.g. "pod IP 10.1.0.5 answers, cluster IP
    /// 10.96.0.7 times out: kube-proxy on `node-2` does not translate it".
    #[must_use]
    pub fn explain(self, evidence: &Evidence) -> String {
        let Evidence { from, to, .. } = evidence;
        let pod = answers(
            if evidence.is_host {
                "node IP"
            } else {
                "pod IP"
            },
            &evidence.pod,
        );
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
            Self::NodeNetwork => {
                format!("{pod}: the network between {nodes}, or a firewall on them, drops packets")
            }
            Self::Family => mismatch(evidence),
            Self::Route => format!("{pod}: the pod of {} has no route to it", from.name),
            Self::Listener if evidence.is_listening => format!(
                "{pod}, and {} listens: a firewall or a network policy rejects the connection",
                to.name
            ),
            Self::Listener => format!("{pod}: nothing listens there"),
            Self::Hairpin => format!(
                "{pod}, {service}: the packets of a pod to its own Service do not come back to it{}, for lack of hairpin mode or by a \
                 network policy",
                on(from)
            ),
            Self::KubeProxy => {
                let on = on(from);
                let pod = if evidence.pod.is_empty() {
                    String::new()
                } else {
                    format!("{pod}, ")
                };
                format!("{pod}{service}: kube-proxy{on} does not translate the cluster IP")
            }
            Self::Dns => wrong_name(evidence),
            Self::Mtu => format!(
                "connections open, and a full packet ({} bytes of payload) gets no answer: the MTU of the \
                 path between {nodes} is smaller than that of the pods' interfaces",
                largest_lost(evidence)
            ),
            Self::Nothing => "pod IP, cluster IP and name answer".to_owned(),
        }
    }
}

/// The node of an endpoint, e.g. " on `node-1`"; nothing when it is not known.
fn on(endpoint: &Endpoint) -> String {
    match endpoint.node.as_str() {
        "" => String::new(),
        node => format!(" on `{node}`"),
    }
}

/// What is wrong with the name.
fn wrong_name(evidence: &Evidence) -> String {
    let Some(Name { host, resolved }) = &evidence.name else {
        return String::new();
    };
    match resolved {
        Err(why) => {
            let servers = evidence.name_servers.join(", ");
            let servers = if servers.is_empty() {
                String::new()
            } else {
                format!(" (name server {servers})")
            };
            format!(
                "the addresses answer, the name `{host}` does not resolve ({why}): cluster DNS{servers}"
            )
        }
        Ok(addresses) => format!(
            "the name `{host}` leads to {}, and its Service has {}: cluster DNS gives an old address",
            list(addresses.iter().map(|(ip, _)| ip)),
            list(evidence.service.iter().map(|(ip, _)| ip)),
        ),
    }
}

/// Which families do not match.
fn mismatch(evidence: &Evidence) -> String {
    let service = families(evidence.service.iter().map(|(ip, _)| ip));
    let text = |families: &BTreeSet<Family>| {
        let names: Vec<String> = families.iter().map(Family::to_string).collect();
        names.join(" and ")
    };
    let other = |endpoint: &Endpoint| {
        let own = families(&endpoint.ips);
        (!own.is_empty() && own.is_disjoint(&service)).then_some((endpoint.name.clone(), own))
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
    use crate::connectivity::finding::find;
    use crate::connectivity::tests::examples::{V4, evidence};

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

    #[test]
    fn a_pod_that_listens_is_not_blamed_for_a_refusal() {
        let mut rejected = evidence(V4, 'r', '-', '-');
        rejected.is_listening = true;
        assert_eq!(
            find(&rejected, false).explain(&rejected),
            "pod IP 10.1.0.5 refuses the connection, and the orchestrator listens: a firewall or a network policy \
             rejects the connection"
        );
    }

    #[test]
    fn a_pod_that_does_not_reach_itself_has_no_hairpin() {
        let mut hairpin = evidence(V4, 'o', 't', '-');
        hairpin.to = hairpin.from.clone();
        assert_eq!(
            find(&hairpin, false).explain(&hairpin),
            "pod IP 10.1.0.5 answers, cluster IP 10.96.0.7 times out: the packets of a pod to its own Service do not come \
             back to it on `node-2`, for lack of hairpin mode or by a network policy"
        );
    }
}
