//! Whether a node can take a pod, whatever else runs there.

use k8s_openapi::api::core::v1::{Node, NodeSelectorTerm, Taint, Toleration};

use super::label_match::{Labels, meets};
use super::pod::PodToPlace;

/// The node's name.
pub(super) fn node_name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

/// Why a node cannot take a pod, whatever else runs there: a clause about the node. `None` when it can.
pub fn rejection(node: &Node, pod: &PodToPlace) -> Option<String> {
    let spec = node.spec.clone().unwrap_or_default();
    if let Some(wanted) = &pod.spec.node_name {
        // Such a pod bypasses the scheduler.
        return (node_name(node) != wanted).then(|| "is not the one that is asked for".to_owned());
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
    let tolerations = pod.spec.tolerations.as_deref().unwrap_or_default();
    let taint = spec.taints.unwrap_or_default().into_iter().find(|taint| {
        taint.effect != "PreferNoSchedule" && !tolerations.iter().any(|t| tolerates(t, taint))
    });
    if let Some(taint) = taint {
        return Some(format!("has the taint `{}:{}`", taint.key, taint.effect));
    }
    let empty = Labels::new();
    let labels = node.metadata.labels.as_ref().unwrap_or(&empty);
    let selector = pod.spec.node_selector.as_ref().unwrap_or(&empty);
    let lacking = selector
        .iter()
        .find(|(key, value)| labels.get(*key) != Some(value));
    if let Some((key, value)) = lacking {
        return Some(format!("has no label `{key}={value}`"));
    }
    let required = pod
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
        terms.any(|term| node_matches(term, node_name(node), labels))
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

fn node_matches(term: &NodeSelectorTerm, name: &str, labels: &Labels) -> bool {
    let expressions = term.match_expressions.iter().flatten();
    // The only field that Kubernetes supports is the node's name.
    let fields = term.match_fields.iter().flatten();
    let by_label = expressions.map(|rule| (rule, labels.get(&rule.key).map(String::as_str)));
    let mut rules = by_label.chain(fields.map(|rule| (rule, Some(name))));
    rules.all(|(rule, value)| {
        let values = rule.values.as_deref().unwrap_or_default();
        meets(&rule.operator, value, values)
    })
}
