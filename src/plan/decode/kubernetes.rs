//! The decoder of `kubernetes:`.

use indexmap::IndexMap;

use super::pod_patch::pod_patch;
use super::tree::decoder::{At, Decoder, value_or_default};
use super::tree::fields::Fields;
use crate::diag::{Place, Problem, quote};
use crate::plan::describe::key::Form;
use crate::plan::describe::keys::{KUBERNETES, POD_RESOURCES, RESOURCES, TOLERATION};
use crate::plan::model::kubernetes::{
    Kubernetes, PodResources, Resources, StringMap, TaintEffect, Toleration, TolerationOperator,
};
use crate::plan::model::kubernetes_names::{self, object_name};
use crate::plan::text::tree::{Kind, NodeId, Value};

pub fn kubernetes(decoder: &Decoder<'_>, id: NodeId) -> Option<Kubernetes> {
    let fields = decoder.mapping(id, &KUBERNETES)?;
    let default = Kubernetes::default();
    let pod = pod_settings(decoder, &fields);
    Some(Kubernetes {
        image: fields.string("image"),
        image_pull_policy: value_or_default(fields.choice("image_pull_policy")),
        pull_secrets: pull_secrets(decoder, &fields).unwrap_or_default(),
        namespace: fields.string("namespace").unwrap_or(default.namespace),
        node_selector: pod.node_selector,
        tolerations: pod.tolerations,
        resources: fields
            .value("resources")
            .and_then(|id| pod_resources(decoder, id))
            .unwrap_or_default(),
        priority_class: fields.string("priority_class"),
        annotations: pod.annotations,
        labels: pod.labels,
        runtime_class: pod.runtime_class,
        ip_family: fields.choice("ip_family").map(|at| at.value),
        results_claim: fields.string("results_claim"),
        user: value_or_default(fields.choice("user")),
        architecture: fields.string("architecture"),
        ttl_seconds_after_finished: ttl(decoder, &fields),
        active_deadline_seconds: fields.small_number("active_deadline_seconds"),
        pod: fields.value("pod").and_then(|id| pod_patch(decoder, id)),
    })
}

/// What a mapping says of pods: `kubernetes:` of all, another one of its own.
#[derive(Debug, Default)]
pub struct PodSettings {
    pub node_selector: StringMap,
    pub tolerations: Vec<Toleration>,
    pub annotations: StringMap,
    pub labels: StringMap,
    pub runtime_class: Option<String>,
}

/// Reads those keys of pods that a mapping has.
pub fn pod_settings(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> PodSettings {
    let tolerations = fields.list("tolerations").into_iter().flatten();
    let labels = fields.strings("labels").unwrap_or_default();
    let own = |key: &str| key.starts_with("netplan/") || key.starts_with("app.kubernetes.io/");
    for key in labels.keys().filter(|key| own(key)) {
        let place = fields.entry_place("labels", key);
        let what = format!("netplan sets the label {} itself", quote(key));
        let help = "runs are found and removed by it; use a name of your own";
        decoder.report(Problem::new(place, what).help(help));
    }
    PodSettings {
        node_selector: fields.strings("node_selector").unwrap_or_default(),
        tolerations: tolerations
            .filter_map(|item| toleration(decoder, *item))
            .collect(),
        annotations: fields.strings("annotations").unwrap_or_default(),
        labels,
        runtime_class: fields.string("runtime_class"),
    }
}

/// How long ended Jobs stay. Their results must be elsewhere.
fn ttl(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> Option<u32> {
    let key = "ttl_seconds_after_finished";
    if let (Some(place), None) = (fields.key_place(key), fields.key_place("results_claim")) {
        let what = format!("`{key}` removes the results with the pods that hold them");
        let help =
            "write `results_claim` too, or remove the key: `netplan attach` collects and removes";
        decoder.report(Problem::new(place, what).help(help));
    }
    fields.small_number(key)
}

fn pull_secrets(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> Option<Vec<String>> {
    let name = |item: &NodeId| decoder.formed(*item, Form::Checked(object_name));
    let items = fields.list("pull_secrets")?;
    let names: Vec<At<&str>> = items.iter().filter_map(name).collect();
    decoder.unique("pull secrets", names.iter().copied());
    Some(names.iter().map(|name| name.value.to_owned()).collect())
}

fn toleration(decoder: &Decoder<'_>, id: NodeId) -> Option<Toleration> {
    let fields = decoder.mapping(id, &TOLERATION)?;
    let key = fields.string("key");
    let value = fields.text("value");
    let operator = fields.choice("operator").map(|at| at.value);
    let effect = fields.choice("effect").map(|at| at.value);
    let seconds = fields.number("toleration_seconds");
    let exists = operator == Some(TolerationOperator::Exists);
    if let (true, Some(value)) = (exists, value) {
        let problem = Problem::new(value.place, "`operator: Exists` takes any value");
        decoder.report(problem.help("omit the value, or write `operator: Equal`"));
    }
    if !exists && fields.key_place("key").is_none() && fields.key_place("operator").is_none() {
        let problem = Problem::new(fields.place, "a toleration needs a `key`");
        decoder.report(problem.help("for any taint write `{ operator: Exists }`"));
    } else if operator == Some(TolerationOperator::Equal) && fields.key_place("key").is_none() {
        let problem = Problem::new(fields.place, "`operator: Equal` needs a `key`");
        decoder.report(problem.help("for any taint write `{ operator: Exists }`"));
    }
    if let Some(At { place, .. }) = seconds
        && effect != Some(TaintEffect::NoExecute)
    {
        let problem = Problem::new(place, "only `effect: NoExecute` takes `toleration_seconds`");
        decoder.report(problem.help("omit it, or write the effect"));
    }
    Some(Toleration {
        key,
        operator: operator.unwrap_or_default(),
        value: value.map(|value| value.value.to_owned()),
        effect,
        toleration_seconds: seconds.and_then(|at| u32::try_from(at.value).ok()),
    })
}

fn pod_resources(decoder: &Decoder<'_>, id: NodeId) -> Option<PodResources> {
    let fields = decoder.mapping(id, &POD_RESOURCES)?;
    let default = PodResources::default();
    let role = |key, default: Resources| {
        let found = fields.value(key);
        let found = found.and_then(|id| resources(decoder, id, &default));
        found.unwrap_or(default)
    };
    Some(PodResources {
        workers: role("workers", default.workers),
        orchestrator: role("orchestrator", default.orchestrator),
    })
}

/// Requests and limits: what is written takes the place of the default as a whole.
fn resources(decoder: &Decoder<'_>, id: NodeId, default: &Resources) -> Option<Resources> {
    let fields = decoder.mapping(id, &RESOURCES)?;
    let requests = part(decoder, &fields, "requests");
    let limits = part(decoder, &fields, "limits");
    for (name, limit) in limits.iter().flatten() {
        let request = match &requests {
            Some(requests) => requests.get(name),
            None => None,
        };
        let (asked, from) = match (request, default.requests.get(name)) {
            (Some(request), _) => (request.text.as_str(), Some(request.place)),
            (None, Some(asked)) if requests.is_none() => (asked.as_str(), None),
            _ => continue,
        };
        if kubernetes_names::quantity(asked).is_ok_and(|asked| asked > limit.value) {
            let what = format!("the limit is less than the request `{asked}`");
            let problem = Problem::new(limit.place, what);
            decoder.report(match from {
                Some(from) => problem.related(from, "the request").help("raise the limit"),
                None => problem.help("raise it, or write `requests` too; this is its default"),
            });
        }
    }
    for (name, request) in requests.iter().flatten() {
        let limit = default.limits.get(name).filter(|_| limits.is_none());
        if let Some(limit) = limit
            && kubernetes_names::quantity(limit).is_ok_and(|limit| request.value > limit)
        {
            let what = format!("the request is more than the limit `{limit}`");
            let help = "write `limits` too; this is its default";
            decoder.report(Problem::new(request.place, what).help(help));
        }
    }
    let texts = |found: Option<IndexMap<String, Amount>>, default: &StringMap| match found {
        Some(found) => found
            .into_iter()
            .map(|(name, amount)| (name, amount.text))
            .collect(),
        None => default.clone(),
    };
    Some(Resources {
        requests: texts(requests, &default.requests),
        limits: texts(limits, &default.limits),
    })
}

/// A quantity as it was written, in thousandths, and its place.
struct Amount {
    text: String,
    value: u128,
    place: Place,
}

fn part(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    key: &'static str,
) -> Option<IndexMap<String, Amount>> {
    fields.value(key).and_then(|id| {
        let fields = decoder.fields(id, "a mapping with `cpu` or `memory`", true)?;
        let mut found = IndexMap::new();
        for entry in fields.entries() {
            let name = entry.key.as_str();
            let known = ["cpu", "memory", "ephemeral-storage"];
            if !(known.contains(&name)
                || name.starts_with("hugepages-")
                || name.contains('/') && kubernetes_names::key(name).is_ok())
            {
                let what = format!("there is no resource {}", quote(name));
                let problem = Problem::new(entry.key_place, what);
                decoder.report(match crate::diag::did_you_mean(name, known) {
                    Some(word) => problem.label(format!("did you mean `{word}`?")),
                    None => problem.help(
                        "allowed: `cpu`, `memory`, `ephemeral-storage`, and those of devices, e.g. \
                         `example.com/nic`",
                    ),
                });
                continue;
            }
            if let Some(amount) = amount(decoder, entry.value) {
                found.insert(name.to_owned(), amount);
            }
        }
        Some(found)
    })
}

fn amount(decoder: &Decoder<'_>, id: NodeId) -> Option<Amount> {
    let node = decoder.tree.get(id);
    match &node.kind {
        Kind::Scalar(scalar) if !matches!(scalar.value, Value::Null | Value::Bool(_)) => {
            match kubernetes_names::quantity(&scalar.text) {
                Ok(value) => Some(Amount {
                    text: scalar.text.clone(),
                    value,
                    place: node.place,
                }),
                Err(problem) => {
                    decoder.report(problem.at(node.place));
                    None
                }
            }
        }
        _ => decoder.expected(id, "a quantity", "e.g. `500m` or `64Mi`"),
    }
}
