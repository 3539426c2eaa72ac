//! Nodes and pods → a node for each pod, or why there is none.

use k8s_openapi::api::core::v1::Node;

use super::explain::{Misfit, misfit};
use super::node_fit::rejection;
use super::pod::PodToPlace;
use super::solver::{Outcome, Problem};

/// A node for each pod, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// For each pod the index of its node.
    Found(Vec<usize>),
    /// No placement keeps all rules. Never empty.
    Impossible(Vec<Misfit>),
    /// Too many placements were tried to tell.
    Unknown,
}

/// Places the pods in their order, each on the first node that its rules and those of the others allow.
pub fn place(nodes: &[Node], pods: &[PodToPlace]) -> Placement {
    let fits = |pod| {
        nodes
            .iter()
            .map(|node| rejection(node, pod).is_none())
            .collect()
    };
    let fits: Vec<Vec<bool>> = pods.iter().map(fits).collect();
    let nowhere = (0..pods.len()).filter(|&pod| !fits[pod].contains(&true));
    let nowhere: Vec<Misfit> = nowhere.map(|pod| misfit(nodes, pods, pod)).collect();
    if !nowhere.is_empty() {
        return Placement::Impossible(nowhere);
    }
    match Problem::new(nodes, pods, fits).solve() {
        Outcome::Found(nodes) => Placement::Found(nodes),
        Outcome::GaveUp => Placement::Unknown,
        Outcome::Impossible { stuck } => Placement::Impossible(vec![misfit(nodes, pods, stuck)]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(name: &str, extra: Value) -> Node {
        let mut node = json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        if let (Value::Object(node), Value::Object(extra)) = (&mut node, extra) {
            node.extend(extra);
        }
        serde_json::from_value(node).unwrap()
    }

    fn pod(name: &str, kind: &str, other: &str) -> PodToPlace {
        let term = json!({"requiredDuringSchedulingIgnoredDuringExecution": [{
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": {"netplan/worker": other}},
        }]});
        let affinity = if kind.is_empty() {
            json!({})
        } else {
            json!({ kind: term })
        };
        PodToPlace {
            name: name.to_owned(),
            namespace: "np".to_owned(),
            labels: [("netplan/worker".to_owned(), name.to_owned())].into(),
            spec: serde_json::from_value(json!({"containers": [], "affinity": affinity})).unwrap(),
        }
    }

    fn usual_plan() -> Vec<PodToPlace> {
        vec![
            pod("w1", "", ""),
            pod("w2", "podAffinity", "w1"),
            pod("w3", "podAntiAffinity", "w1"),
        ]
    }

    fn why_not(nodes: &[Node], pods: &[PodToPlace]) -> String {
        match place(nodes, pods) {
            Placement::Impossible(misfits) => misfits[0].to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_nodes_are_enough_for_the_usual_plan() {
        let nodes = [node("n1", json!({})), node("n2", json!({}))];
        let placed = place(&nodes, &usual_plan());
        assert_eq!(placed, Placement::Found(vec![0, 0, 1]));
    }

    #[test]
    fn a_missing_node_is_explained_by_rules_and_by_the_nodes_that_there_are() {
        let cordoned = node("n2", json!({"spec": {"unschedulable": true}}));
        let tainted = node(
            "n3",
            json!({"spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}}),
        );
        let nodes = [node("n1", json!({})), cordoned, tainted];
        assert_eq!(
            why_not(&nodes, &usual_plan()),
            "there is no node for `w3`: it has to be on another node than `w1`, and the cluster has \
             1 node that can take it: `n1`; `n2` is cordoned, `n3` has the taint \
             `node-role.kubernetes.io/control-plane:NoSchedule`"
        );
    }

    #[test]
    fn a_rule_of_another_pod_is_named_as_well() {
        // `w1` comes first and finds a node; `w2`, which asks for nothing, does not.
        let pods = [pod("w1", "podAntiAffinity", "w2"), pod("w2", "", "")];
        assert_eq!(
            why_not(&[node("n1", json!({}))], &pods),
            "there is no node for `w2`: it has to be on another node than `w1`, and the cluster has \
             1 node that can take it: `n1`"
        );
    }

    #[test]
    fn a_rule_that_selects_no_pod_is_named() {
        assert_eq!(
            why_not(&[node("n1", json!({}))], &[pod("w2", "podAffinity", "w1")]),
            "there is no node for `w2`: it has to be on the same node as a pod with \
             `netplan/worker=w1`, which no pod has, and the cluster has 1 node that can take it: `n1`"
        );
    }

    #[test]
    fn rules_select_pods_of_their_own_namespace() {
        let mut pods = [pod("w1", "", ""), pod("w2", "podAffinity", "w1")];
        pods[0].namespace = "other".to_owned();
        assert!(why_not(&[node("n1", json!({}))], &pods).contains("which no pod has"));
    }

    #[test]
    fn the_first_choice_is_not_the_only_one() {
        // w1 first goes to n1, where the pod that has to be near it may not be.
        let mut w2 = pod("w2", "podAffinity", "w1");
        w2.spec.node_selector = Some([("disk".to_owned(), "fast".to_owned())].into());
        let fast = json!({"metadata": {"name": "n2", "labels": {
            "kubernetes.io/hostname": "n2", "disk": "fast"}}});
        let mut fast = node("n2", fast);
        fast.status = node("n2", json!({})).status;
        let placed = place(&[node("n1", json!({})), fast], &[pod("w1", "", ""), w2]);
        assert_eq!(placed, Placement::Found(vec![1, 1]));
    }

    #[test]
    fn what_no_node_grants_is_named() {
        let mut w1 = pod("w1", "", "");
        w1.spec.node_selector = Some([("gpu".to_owned(), "yes".to_owned())].into());
        let mut named = pod("w2", "", "");
        named.spec.affinity = serde_json::from_value(json!({"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [
                {"key": "metadata.name", "operator": "In", "values": ["n9"]}]}]}}}))
        .unwrap();
        let nodes = [node("n1", json!({}))];
        assert_eq!(
            why_not(&nodes, &[named]),
            "no node can take `w2`: `n1` does not match the node affinity"
        );
        assert_eq!(
            why_not(&nodes, &[w1]),
            "no node can take `w1`: `n1` has no label `gpu=yes`"
        );
        assert_eq!(
            why_not(&[], &[pod("w1", "", "")]),
            "no node can take `w1`: the cluster has no nodes"
        );
    }
}
