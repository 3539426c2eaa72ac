//! Label selectors, as Kubernetes evaluates them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Labels or annotations of an object.
pub type Labels = BTreeMap<String, String>;

/// Whether `labels` contain every wanted label.
pub fn has_labels(wanted: &Labels, labels: &Labels) -> bool {
    let mut wanted = wanted.iter();
    wanted.all(|(key, value)| labels.get(key) == Some(value))
}

/// Whether a selector matches; a missing one matches nothing, an empty one everything.
pub(super) fn selects(selector: Option<&LabelSelector>, labels: &Labels) -> bool {
    let Some(selector) = selector else {
        return false;
    };
    let mut rules = selector.match_expressions.iter().flatten();
    let wanted = selector.match_labels.as_ref();
    wanted.is_none_or(|wanted| has_labels(wanted, labels))
        && rules.all(|rule| {
            let value = labels.get(&rule.key).map(String::as_str);
            let values = rule.values.as_deref().unwrap_or_default();
            meets(&rule.operator, value, values)
        })
}

/// Whether a label's value meets a rule; an operator that is unknown here is left to the scheduler.
pub(super) fn meets(operator: &str, value: Option<&str>, values: &[String]) -> bool {
    match operator {
        "In" => value.is_some_and(|value| values.iter().any(|one| one == value)),
        "NotIn" => value.is_none_or(|value| values.iter().all(|one| one != value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => true,
    }
}
