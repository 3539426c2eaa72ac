//! Why a pod has no node, for people.

use std::fmt;

use indexmap::{IndexMap, IndexSet};
use k8s_openapi::api::core::v1::Node;

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

/// The explanation for the pod `index`, which has no node.
pub(super) fn misfit(nodes: &[Node], pods: &[PodToPlace], index: usize) -> Misfit {
    let pod = &pods[index];
    let (mut fit, mut rejected) = (Vec::new(), Vec::new());
    for node in nodes {
        let name = format!("`{}`", node_name(node));
        match rejection(node, pod) {
            None => fit.push(name),
            Some(why) => rejected.push(format!("{name} {why}")),
        }
    }
    let (count, rejected) = (fit.len(), listed(rejected));
    let (obstacle, why) = if nodes.is_empty() {
        (Obstacle::Nodes, "the cluster has no nodes".to_owned())
    } else if fit.is_empty() {
        (Obstacle::Nodes, rejected)
    } else {
        let rules = rules(pods, index);
        let noun = if count == 1 { "node" } else { "nodes" };
        let fit = listed(fit);
        let separator = if rejected.is_empty() { "" } else { "; " };
        let why = format!(
            "{rules}, and the cluster has {count} {noun} that can take it: {fit}{separator}{rejected}"
        );
        (Obstacle::Pods, why)
    };
    Misfit {
        pod: pod.name.clone(),
        obstacle,
        why,
    }
}

/// The first few of a list of nodes.
fn listed(mut nodes: Vec<String>) -> String {
    const SHOWN: usize = 6;
    if nodes.len() > SHOWN {
        let more = nodes.len() - SHOWN;
        nodes.truncate(SHOWN);
        nodes.push(format!("and {more} more"));
    }
    nodes.join(", ")
}

/// Which pods a pod has to be near to or far from, by its own rules and by those of the pods before it.
fn rules(pods: &[PodToPlace], index: usize) -> String {
    let pod = &pods[index];
    let others = || pods.iter().enumerate().filter(|(other, _)| *other != index);
    let mut rules = Vec::new();
    for term in pod.near() {
        let partners = others().filter(|(_, other)| pod.selects(term, other));
        let partners: Vec<String> = partners
            .map(|(_, other)| format!("`{}`", other.name))
            .collect();
        let partners = if !partners.is_empty() {
            partners.join(" or ")
        } else if pod.selects(term, pod) {
            // The first pod of its group.
            continue;
        } else {
            let selector = term.label_selector.clone().unwrap_or_default();
            let labels = selector.match_labels.unwrap_or_default().into_iter();
            let labels: Vec<String> = labels
                .map(|(key, value)| format!("`{key}={value}`"))
                .collect();
            format!("a pod with {}, which no pod has", labels.join(" and "))
        };
        let domain = domain(&term.topology_key);
        rules.push(format!("has to be on the same {domain} as {partners}"));
    }
    let mut far: IndexMap<&str, IndexSet<String>> = IndexMap::new();
    for (at, other) in others() {
        let own = pod.far().iter().filter(|term| pod.selects(term, other));
        let theirs = other.far().iter().filter(|term| other.selects(term, pod));
        for term in own.chain(theirs.filter(|_| at < index)) {
            let names = far.entry(domain(&term.topology_key)).or_default();
            names.insert(format!("`{}`", other.name));
        }
    }
    rules.extend(far.into_iter().map(|(domain, names)| {
        let names: Vec<String> = names.into_iter().collect();
        format!("has to be on another {domain} than {}", names.join(" and "))
    }));
    if rules.is_empty() {
        "the rules of the other pods leave none".to_owned()
    } else {
        format!("it {}", rules.join(" and "))
    }
}

/// What people call the nodes with the same value of a label.
fn domain(topology_key: &str) -> &str {
    match topology_key {
        "kubernetes.io/hostname" => "node",
        "topology.kubernetes.io/zone" => "zone",
        key => key,
    }
}
