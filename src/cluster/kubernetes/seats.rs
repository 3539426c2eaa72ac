//! Is there a node for every pod? Asked before anything is applied, for what is required of nodes;
//! how full they are only the scheduler knows.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Node, NodeSelectorTerm, PodAffinityTerm, PodSpec, Taint, Toleration,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::apply::{pod_labels, pod_spec};
use super::pod::WORKER_LABEL;
use crate::cluster::Trouble;
use crate::render::Manifest;

type Labels = BTreeMap<String, String>;

/// A pod that needs a node.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// The worker's name in the plan, else the object's.
    name: String,
    labels: Labels,
    spec: PodSpec,
}

/// After so many tries the scheduler may find out.
const TRIES: u32 = 50_000;
/// So many nodes are named in a message.
const NAMED: usize = 6;

/// The pods that rendered objects make. What cannot be read is the API server's to refuse.
pub(super) fn seats(manifests: &[Manifest]) -> Vec<Seat> {
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

/// What stands in the way of a node for every pod; empty when each can have one.
pub(super) fn troubles(nodes: &[Node], seats: &[Seat]) -> Vec<Trouble> {
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
    let mut search = Search {
        nodes,
        seats,
        candidates,
        seated: Vec::new(),
        tries: 0,
        furthest: 0,
    };
    if search.fill() || search.tries >= TRIES {
        return troubles;
    }
    let stuck = search.furthest.min(seats.len().saturating_sub(1));
    let seat = &seats[stuck];
    let fit = &search.candidates[stuck];
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

fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

/// Why a node cannot take a pod, whatever else is on it.
fn why_not(node: &Node, seat: &Seat) -> Option<String> {
    let spec = node.spec.clone().unwrap_or_default();
    if let Some(wanted) = &seat.spec.node_name {
        // It goes past the scheduler.
        return (name(node) != wanted).then(|| "is not the one that is asked for".to_owned());
    }
    let ready = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    if !ready {
        return Some("is not ready".to_owned());
    }
    if spec.unschedulable == Some(true) {
        return Some("is cordoned".to_owned());
    }
    let tolerations = seat.spec.tolerations.as_deref().unwrap_or_default();
    let taint = spec.taints.unwrap_or_default().into_iter().find(|taint| {
        taint.effect != "PreferNoSchedule" && !tolerations.iter().any(|t| tolerates(t, taint))
    });
    if let Some(taint) = taint {
        return Some(format!("has the taint `{}:{}`", taint.key, taint.effect));
    }
    let empty = Labels::new();
    let labels = node.metadata.labels.as_ref().unwrap_or(&empty);
    let selector = seat.spec.node_selector.as_ref().unwrap_or(&empty);
    let lacking = selector
        .iter()
        .find(|(key, value)| labels.get(*key) != Some(value));
    if let Some((key, value)) = lacking {
        return Some(format!("has no label `{key}={value}`"));
    }
    let required = seat
        .spec
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref())
        .and_then(|affinity| {
            affinity
                .required_during_scheduling_ignored_during_execution
                .as_ref()
        });
    let matches = required.is_none_or(|required| {
        let mut terms = required.node_selector_terms.iter();
        terms.any(|term| node_matches(term, labels))
    });
    (!matches).then(|| "does not match the node affinity".to_owned())
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let effect = toleration.effect.as_deref().unwrap_or_default();
    let key = toleration.key.as_deref().unwrap_or_default();
    (effect.is_empty() || effect == taint.effect)
        && (key.is_empty() || key == taint.key)
        && match toleration.operator.as_deref() {
            None | Some("Equal" | "") => {
                toleration.value.as_deref().unwrap_or_default()
                    == taint.value.as_deref().unwrap_or_default()
            }
            // `Exists`, or an operator that is newer than this program.
            Some(_) => true,
        }
}

fn node_matches(term: &NodeSelectorTerm, labels: &Labels) -> bool {
    term.match_expressions.iter().flatten().all(|rule| {
        let values = rule.values.as_deref().unwrap_or_default();
        holds(&rule.operator, labels.get(&rule.key), values)
    })
}

/// One rule of a selector; an operator that is not known here is the scheduler's.
fn holds(operator: &str, value: Option<&String>, values: &[String]) -> bool {
    match operator {
        "In" => value.is_some_and(|value| values.contains(value)),
        "NotIn" => value.is_none_or(|value| !values.contains(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => true,
    }
}

fn selects(selector: Option<&LabelSelector>, labels: &Labels) -> bool {
    let Some(selector) = selector else {
        return false;
    };
    let mut wanted = selector.match_labels.iter().flatten();
    let mut rules = selector.match_expressions.iter().flatten();
    wanted.all(|(key, value)| labels.get(key) == Some(value))
        && rules.all(|rule| {
            let values = rule.values.as_deref().unwrap_or_default();
            holds(&rule.operator, labels.get(&rule.key), values)
        })
}

/// What a pod asks for: pods to be near to, pods to be far from.
fn terms(seat: &Seat) -> (&[PodAffinityTerm], &[PodAffinityTerm]) {
    let affinity = seat.spec.affinity.as_ref();
    let near = affinity
        .and_then(|affinity| affinity.pod_affinity.as_ref())
        .and_then(|near| {
            near.required_during_scheduling_ignored_during_execution
                .as_deref()
        });
    let far = affinity
        .and_then(|affinity| affinity.pod_anti_affinity.as_ref())
        .and_then(|far| {
            far.required_during_scheduling_ignored_during_execution
                .as_deref()
        });
    (near.unwrap_or_default(), far.unwrap_or_default())
}

/// Tries one node after the other for one pod after the other.
struct Search<'a> {
    nodes: &'a [Node],
    seats: &'a [Seat],
    candidates: Vec<Vec<usize>>,
    seated: Vec<usize>,
    tries: u32,
    /// How many pods could be seated at most.
    furthest: usize,
}

impl Search<'_> {
    fn fill(&mut self) -> bool {
        self.furthest = self.furthest.max(self.seated.len());
        let next = self.seated.len();
        if next == self.seats.len() {
            return true;
        }
        for at in 0..self.candidates[next].len() {
            self.tries += 1;
            if self.tries >= TRIES {
                return false;
            }
            self.seated.push(self.candidates[next][at]);
            if self.is_right() && self.fill() {
                return true;
            }
            self.seated.pop();
        }
        false
    }

    /// Whether what is seated so far can stay.
    fn is_right(&self) -> bool {
        (0..self.seated.len()).all(|one| {
            let (near, far) = terms(&self.seats[one]);
            let partners = |term: &PodAffinityTerm| -> Vec<usize> {
                (0..self.seats.len())
                    .filter(|&other| {
                        selects(term.label_selector.as_ref(), &self.seats[other].labels)
                    })
                    .collect()
            };
            near.iter().all(|term| {
                let partners = partners(term);
                let open = partners.iter().any(|&other| other >= self.seated.len());
                open || partners
                    .iter()
                    .any(|&other| self.is_near(one, other, &term.topology_key))
            }) && far.iter().all(|term| {
                partners(term)
                    .into_iter()
                    .filter(|&other| other != one && other < self.seated.len())
                    .all(|other| !self.is_near(one, other, &term.topology_key))
            })
        })
    }

    fn is_near(&self, one: usize, other: usize, key: &str) -> bool {
        let place = |seat: usize| {
            let node = &self.nodes[self.seated[seat]];
            let label = node.metadata.labels.as_ref().and_then(|all| all.get(key));
            // Every node has its host name, even one that lost the label.
            label
                .cloned()
                .or_else(|| (key == "kubernetes.io/hostname").then(|| name(node).to_owned()))
        };
        place(one).is_some() && place(one) == place(other)
    }
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
        let troubles = troubles(&[node("n1", json!({}))], &[w1]);
        assert_eq!(
            troubles[0].what,
            "no node can take `w1`: `n1` has no label `gpu=yes`"
        );
    }
}
