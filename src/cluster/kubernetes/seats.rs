//! Is there a node for every pod? Asked before anything is applied, for what is required of nodes;
//! how full they are only the scheduler knows.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, PodAffinityTerm, PodSpec};
use serde_json::Value;

use super::apply::{pod_labels, pod_spec};
use super::node_fit::why_not;
use super::pod::WORKER_LABEL;
use super::search::{Search, selects, terms};
use crate::cluster::{Finding, Trouble};
use crate::render::Manifest;

pub(super) type Labels = BTreeMap<String, String>;

/// A pod that needs a node.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// The worker's name in the plan, else the object's.
    pub name: String,
    pub labels: Labels,
    pub spec: PodSpec,
}

/// What the pods of a group of workers have in common; see `templates/`.
const GROUP_LABEL: &str = "netplan/group";

/// So many nodes are named in a message.
const NAMED: usize = 6;

/// The pods that rendered objects make. What cannot be read is the API server's to refuse.
fn seats(manifests: &[Manifest]) -> Vec<Seat> {
    let read = |manifest: &Manifest| {
        let spec: PodSpec = serde_json::from_value(pod_spec(&manifest.object)?.clone()).ok()?;
        let labels = pod_labels(&manifest.object).cloned();
        let labels: Labels = serde_json::from_value(labels.unwrap_or(Value::Null)).ok()?;
        let name = labels.get(WORKER_LABEL).cloned();
        Some(Seat {
            name: name.unwrap_or_else(|| manifest.name().to_owned()),
            labels,
            spec,
        })
    };
    manifests.iter().filter_map(read).collect()
}

/// How many nodes can take the workers of the groups that have a node each; of the group that
/// fewest nodes can take.
pub(super) fn room(nodes: &[Node], manifests: &[Manifest]) -> usize {
    room_for(nodes, &seats(manifests))
}

fn room_for(nodes: &[Node], seats: &[Seat]) -> usize {
    let of_groups = seats
        .iter()
        .filter(|seat| seat.labels.contains_key(GROUP_LABEL));
    let fit = |seat: &Seat| {
        let nodes = nodes.iter().filter(|node| why_not(node, seat).is_none());
        nodes.count()
    };
    of_groups.map(fit).min().unwrap_or(0)
}

/// Whether there is a node for every pod. `None` when one may not look at nodes.
pub(super) fn finding(nodes: Option<&[Node]>, manifests: &[Manifest]) -> Finding {
    let Some(nodes) = nodes else {
        let words = "you may not list them; whether they are enough only the scheduler knows";
        return Finding::new("nodes", words, Vec::new());
    };
    let seats = seats(manifests);
    let fit = |node: &&Node| seats.iter().any(|seat| why_not(node, seat).is_none());
    let words = format!(
        "{} of {} can take pods of the run",
        nodes.iter().filter(fit).count(),
        nodes.len()
    );
    Finding::new("nodes", words, troubles(nodes, &seats))
}

/// What stands in the way of a node for every pod; empty when each can have one.
fn troubles(nodes: &[Node], seats: &[Seat]) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let mut candidates = Vec::new();
    for seat in seats {
        let fit: Vec<usize> = (0..nodes.len())
            .filter(|&node| why_not(&nodes[node], seat).is_none())
            .collect();
        if fit.is_empty() {
            troubles.push(Trouble {
                what: format!(
                    "no node can take `{}`: {}",
                    seat.name,
                    refusals(nodes, seat)
                ),
                help: "change the plan's placement, or the nodes".to_owned(),
            });
        }
        candidates.push(fit);
    }
    if !troubles.is_empty() {
        return troubles;
    }
    let mut search = Search::new(nodes, seats, &candidates);
    if search.fits() {
        return troubles;
    }
    let stuck = search.furthest().min(seats.len().saturating_sub(1));
    let seat = &seats[stuck];
    let fit = &candidates[stuck];
    let names: Vec<String> = fit
        .iter()
        .take(NAMED)
        .map(|&node| format!("`{}`", name(&nodes[node])))
        .collect();
    let more = if fit.len() > NAMED { ", …" } else { "" };
    let others = refusals(nodes, seat);
    let others = if others.is_empty() {
        others
    } else {
        format!("; {others}")
    };
    troubles.push(Trouble {
        what: format!(
            "there is no node for `{}`: {}, and the cluster has {} that can take it: {}{more}{others}",
            seat.name,
            wishes(seat, seats),
            match fit.len() {
                1 => "1 node".to_owned(),
                count => format!("{count} nodes"),
            },
            names.join(", "),
        ),
        help: "add a node, or run with `--on local`, where nodes are emulated".to_owned(),
    });
    troubles
}

/// What a pod asks of the pods beside it, for a message.
fn wishes(seat: &Seat, seats: &[Seat]) -> String {
    let partners = |term: &PodAffinityTerm| {
        let names: Vec<String> = seats
            .iter()
            .filter(|other| other.name != seat.name)
            .filter(|other| selects(term.label_selector.as_ref(), &other.labels))
            .map(|other| format!("`{}`", other.name))
            .collect();
        (domain(&term.topology_key).to_owned(), names.join(" and "))
    };
    let (near, far) = terms(seat);
    let near = near.iter().map(|term| {
        let (domain, names) = partners(term);
        format!("has to be on the same {domain} as {names}")
    });
    let far = far.iter().map(|term| {
        let (domain, names) = partners(term);
        format!("has to be on another {domain} than {names}")
    });
    let wishes: Vec<String> = near.chain(far).collect();
    if wishes.is_empty() {
        "the others leave none".to_owned()
    } else {
        format!("it {}", wishes.join(" and "))
    }
}

fn domain(topology_key: &str) -> &str {
    match topology_key {
        "kubernetes.io/hostname" => "node",
        "topology.kubernetes.io/zone" => "zone",
        key => key,
    }
}

/// Why the nodes that cannot take a pod cannot.
fn refusals(nodes: &[Node], seat: &Seat) -> String {
    let refused: Vec<String> = nodes
        .iter()
        .filter_map(|node| Some((node, why_not(node, seat)?)))
        .map(|(node, why)| format!("`{}` {why}", name(node)))
        .collect();
    if nodes.is_empty() {
        return "the cluster has no nodes".to_owned();
    }
    let mut shown = refused.iter().take(NAMED).cloned().collect::<Vec<_>>();
    if refused.len() > NAMED {
        shown.push(format!("and {} more", refused.len() - NAMED));
    }
    shown.join(", ")
}

pub(super) fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    fn seat(name: &str, kind: &str, other: &str) -> Seat {
        let term = json!({"requiredDuringSchedulingIgnoredDuringExecution": [{
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": {"netplan/worker": other}},
        }]});
        let affinity = if kind.is_empty() {
            json!({})
        } else {
            json!({ kind: term })
        };
        Seat {
            name: name.to_owned(),
            labels: [(WORKER_LABEL.to_owned(), name.to_owned())].into(),
            spec: serde_json::from_value(json!({"containers": [], "affinity": affinity})).unwrap(),
        }
    }

    fn quick() -> Vec<Seat> {
        vec![
            seat("w1", "", ""),
            seat("w2", "podAffinity", "w1"),
            seat("w3", "podAntiAffinity", "w1"),
        ]
    }

    #[test]
    fn two_nodes_are_enough_for_the_usual_plan() {
        let nodes = [node("n1", json!({})), node("n2", json!({}))];
        assert_eq!(troubles(&nodes, &quick()), []);
    }

    #[test]
    fn one_node_is_not_and_the_message_says_what_there_is() {
        let cordoned = node("n2", json!({"spec": {"unschedulable": true}}));
        let tainted = node(
            "n3",
            json!({"spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}}),
        );
        let nodes = [node("n1", json!({})), cordoned, tainted];
        let troubles = troubles(&nodes, &quick());
        assert_eq!(
            troubles[0].what,
            "there is no node for `w3`: it has to be on another node than `w1`, and the cluster has \
             1 node that can take it: `n1`; `n2` is cordoned, `n3` has the taint \
             `node-role.kubernetes.io/control-plane:NoSchedule`"
        );
    }

    #[test]
    fn a_group_has_room_on_the_nodes_that_can_take_it() {
        let mut worker = seat("mesh-1", "", "");
        let single = worker.clone();
        worker.labels.insert(GROUP_LABEL.into(), "mesh".into());
        let cordoned = node("n3", json!({"spec": {"unschedulable": true}}));
        let nodes = [node("n1", json!({})), node("n2", json!({})), cordoned];
        assert_eq!(room_for(&nodes, &[single.clone(), worker]), 2);
        assert_eq!(room_for(&nodes, &[single]), 0);
    }

    #[test]
    fn the_first_choice_is_not_the_only_one() {
        // w1 first goes to n1, where the pod that has to be near it may not be.
        let mut w2 = seat("w2", "podAffinity", "w1");
        w2.spec.node_selector = Some([("disk".to_owned(), "fast".to_owned())].into());
        let fast = json!({"metadata": {"name": "n2", "labels": {
            "kubernetes.io/hostname": "n2", "disk": "fast"}}});
        let nodes = [node("n1", json!({})), node("n2", fast)];
        assert_eq!(troubles(&nodes, &[seat("w1", "", ""), w2]), []);
    }

    #[test]
    fn a_wish_that_no_node_grants_is_named() {
        let mut w1 = seat("w1", "", "");
        w1.spec.node_selector = Some([("gpu".to_owned(), "yes".to_owned())].into());
        let mut named = seat("w2", "", "");
        named.spec.affinity = serde_json::from_value(json!({"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [
                {"key": "metadata.name", "operator": "In", "values": ["n9"]}]}]}}}))
        .unwrap();
        let nowhere = troubles(&[node("n1", json!({}))], &[named]);
        assert_eq!(
            nowhere[0].what,
            "no node can take `w2`: `n1` does not match the node affinity"
        );
        let troubles = troubles(&[node("n1", json!({}))], &[w1]);
        assert_eq!(
            troubles[0].what,
            "no node can take `w1`: `n1` has no label `gpu=yes`"
        );
    }
}
