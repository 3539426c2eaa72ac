//! Why a pod has no node, for people.

use std::fmt;

use k8s_openapi::api::core::v1::{Node, PodAffinityTerm};

use super::node_fit::{node_name, rejection};
use super::pod::PodToPlace;

/// A pod that has no node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub pod: String,
    pub obstacle: Obstacle,
    /// What the pod asks for and what the nodes offer, as a clause.
    pub why: String,
}

/// What keeps a pod from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// No node can take the pod, whatever else runs there.
    Nodes,
    /// The nodes that can take it are excluded by other pods.
    Pods,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pod, why) = (&self.pod, &self.why);
        match self.obstacle {
            Obstacle::Nodes => write!(f, "no node can take `{pod}`: {why}"),
            Obstacle::Pods => write!(f, "there is no node for `{pod}`: {why}"),
        }
    }
}

/// A message names this many nodes at most.
const NAMED_NODES: usize = 6;

/// The explanation for a pod that every node rejects.
pub(super) fn node_misfit(nodes: &[Node], pod: &PodToPlace) -> Misfit {
    Misfit {
        pod: pod.name.clone(),
        obstacle: Obstacle::Nodes,
        why: if nodes.is_empty() {
            "the cluster has no nodes".to_owned()
        } else {
            rejections(nodes, pod)
        },
    }
}

/// The explanation for the pod `stuck`, for which the other pods leave no node.
pub(super) fn pod_misfit(nodes: &[Node], pods: &[PodToPlace], stuck: usize) -> Misfit {
    let pod = &pods[stuck];
    let fit: Vec<&Node> = nodes
        .iter()
        .filter(|node| rejection(node, pod).is_none())
        .collect();
    let count = match fit.len() {
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    };
    let named: Vec<String> = fit
        .iter()
        .take(NAMED_NODES)
        .map(|node| format!("`{}`", node_name(node)))
        .collect();
    let named = named.join(", ");
    let more = if fit.len() > NAMED_NODES { ", …" } else { "" };
    let rejected = rejections(nodes, pod);
    let separator = if rejected.is_empty() { "" } else { "; " };
    Misfit {
        pod: pod.name.clone(),
        obstacle: Obstacle::Pods,
        why: format!(
            "{}, and the cluster has {count} that can take it: {named}{more}{separator}{rejected}",
            rules(pods, stuck)
        ),
    }
}

/// Which pods a pod has to be near to or far from, by its own rules and by those of the others.
fn rules(pods: &[PodToPlace], stuck: usize) -> String {
    let pod = &pods[stuck];
    let mut rules = Vec::new();
    for term in pod.near() {
        let others = pods.iter().enumerate();
        let others: Vec<String> = others
            .filter(|&(index, other)| index != stuck && pod.selects(term, other))
            .map(|(_, other)| format!("`{}`", other.name))
            .collect();
        let others = match others.as_slice() {
            // The first pod of its group.
            [] if pod.selects(term, pod) => continue,
            [] => format!("a pod with {}, which no pod has", labels(term)),
            others => others.join(" or "),
        };
        let domain = domain(&term.topology_key);
        rules.push(format!("has to be on the same {domain} as {others}"));
    }
    let mut far: Vec<(&str, Vec<String>)> = Vec::new();
    for (index, other) in pods.iter().enumerate().filter(|(index, _)| *index != stuck) {
        let own = pod.far().iter().filter(|term| pod.selects(term, other));
        let of_other = other.far().iter().filter(|term| other.selects(term, pod));
        // A pod that has no node yet excludes none.
        let of_other = of_other.filter(|_| index < stuck);
        for term in own.chain(of_other) {
            let domain = domain(&term.topology_key);
            let name = format!("`{}`", other.name);
            match far.iter_mut().find(|(known, _)| *known == domain) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => far.push((domain, vec![name])),
            }
        }
    }
    rules.extend(far.into_iter().map(|(domain, names)| {
        let names = names.join(" and ");
        format!("has to be on another {domain} than {names}")
    }));
    if rules.is_empty() {
        "the rules of the other pods leave none".to_owned()
    } else {
        format!("it {}", rules.join(" and "))
    }
}

/// The labels that a term asks for.
fn labels(term: &PodAffinityTerm) -> String {
    let selector = term.label_selector.as_ref();
    let labels = selector.and_then(|selector| selector.match_labels.as_ref());
    let labels: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("`{key}={value}`"))
        .collect();
    if labels.is_empty() {
        "the labels that its affinity selects".to_owned()
    } else {
        labels.join(" and ")
    }
}

fn domain(topology_key: &str) -> &str {
    match topology_key {
        "kubernetes.io/hostname" => "node",
        "topology.kubernetes.io/zone" => "zone",
        key => key,
    }
}

/// Why the nodes that cannot take a pod reject it; empty when all can.
fn rejections(nodes: &[Node], pod: &PodToPlace) -> String {
    let rejected: Vec<String> = nodes
        .iter()
        .filter_map(|node| Some((node, rejection(node, pod)?)))
        .map(|(node, why)| format!("`{}` {why}", node_name(node)))
        .collect();
    let mut shown = rejected.clone();
    shown.truncate(NAMED_NODES);
    if rejected.len() > NAMED_NODES {
        shown.push(format!("and {} more", rejected.len() - NAMED_NODES));
    }
    shown.join(", ")
}
