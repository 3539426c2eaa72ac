//! The decoder of what plans say in Kubernetes' own words: `kubernetes.pod` and security contexts.

use k8s_openapi::api::core::v1::{PodTemplateSpec, SecurityContext as K8sSecurityContext};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value as Json};
use serde_path_to_error::Segment;

use super::tree::decoder::Decoder;
use crate::diag::{Place, Problem, quote};
use crate::plan::model::container::SecurityContext;
use crate::plan::model::pod_patch::{OWN_CONTAINERS, PodPatch, is_own_volume};
use crate::plan::text::tree::{Entry, Kind, NodeId, Value};

/// How to change a list or mapping that has parts of netplan's.
const CHANGE_ONE: &str = "`null` would remove netplan's own parts: name what to change";

/// Where netplan mounts identity, plan and journal.
const OWN_FOLDER: &str = "/run/netplan";

/// Reads the fields. Reports those that Kubernetes does not know, and those that netplan sets itself.
pub fn pod_patch(decoder: &Decoder<'_>, id: NodeId) -> Option<PodPatch> {
    let Kind::Map(map) = &decoder.tree.get(id).kind else {
        return decoder.expected(
            id,
            "a mapping with `metadata` or `spec`",
            "e.g. `spec: { schedulerName: my-scheduler }`",
        );
    };
    let mut is_right = true;
    let mut report = |problem: Problem| {
        is_right = false;
        decoder.report(problem);
    };
    for entry in &map.entries {
        if is_null(decoder, entry) {
            report(own(entry, CHANGE_ONE));
            continue;
        }
        match entry.key.as_str() {
            "metadata" => metadata(decoder, entry.value, &mut report),
            "spec" => spec(decoder, entry.value, &mut report),
            _ => report(
                Problem::new(
                    entry.key_place,
                    format!("a pod template has no field {}", quote(&entry.key)),
                )
                .help("allowed: `metadata` and `spec`, as in a Job's `spec.template`"),
            ),
        }
    }
    let json = to_json(decoder, id);
    if is_right {
        is_right = is_known::<PodTemplateSpec>(decoder, id, &json, "pod");
    }
    is_right.then_some(PodPatch(json))
}

fn metadata(decoder: &Decoder<'_>, id: NodeId, report: &mut impl FnMut(Problem)) {
    for entry in entries(decoder, id) {
        match entry.key.as_str() {
            "annotations" => {}
            "labels" if is_null(decoder, entry) => report(own(entry, CHANGE_ONE)),
            "labels" => {
                let labels = entries(decoder, entry.value).iter();
                for label in labels.filter(|label| is_own_label(&label.key)) {
                    report(own(label, "runs are found and removed by it"));
                }
            }
            _ => report(own(entry, "only `labels` and `annotations` can be changed")),
        }
    }
}

fn spec(decoder: &Decoder<'_>, id: NodeId, report: &mut impl FnMut(Problem)) {
    for entry in entries(decoder, id) {
        let help = match entry.key.as_str() {
            "automountServiceAccountToken" => "no pod of netplan has access to the API",
            "restartPolicy" => "a worker whose process ends is started again",
            "hostNetwork" => "a path asks for the host network, e.g. `via: host`",
            "nodeName" => "give each worker its node, e.g. `w1: { node: NAME }`",
            "affinity" => "give each worker its place, e.g. `w2: { same_node_as: w1 }`",
            "containers" | "initContainers" | "volumes" if is_null(decoder, entry) => CHANGE_ONE,
            "containers" | "initContainers" => {
                for container in items(decoder, entry.value) {
                    self::container(decoder, *container, report);
                }
                continue;
            }
            "volumes" => {
                for item in items(decoder, entry.value) {
                    volume(decoder, *item, report);
                }
                continue;
            }
            _ => continue,
        };
        report(own(entry, help));
    }
}

fn container(decoder: &Decoder<'_>, id: NodeId, report: &mut impl FnMut(Problem)) {
    let fields = entries(decoder, id);
    let Some((name, _)) = named(decoder, fields) else {
        let what = "a container needs a `name`";
        let help = "containers are merged by name, e.g. `- name: worker`";
        report(Problem::new(decoder.place(id), what).help(help));
        return;
    };
    let is_own = OWN_CONTAINERS.contains(&name);
    for entry in fields {
        match entry.key.as_str() {
            "env" | "volumeMounts" if is_own && is_null(decoder, entry) => {
                report(own(entry, CHANGE_ONE));
            }
            "command" | "args" if is_own => report(own(entry, "the pod runs netplan")),
            "image" if is_own => report(own(entry, "write `kubernetes: { image: … }`")),
            "env" if is_own => {
                for item in items(decoder, entry.value) {
                    if let Some((name, place)) = named(decoder, entries(decoder, *item))
                        && name.starts_with("NETPLAN_")
                    {
                        report(own_at(place, name, "use a name of your own"));
                    }
                }
            }
            "volumeMounts" => {
                for item in items(decoder, entry.value) {
                    mount(decoder, *item, is_own, report);
                }
            }
            _ => {}
        }
    }
}

/// The volumes of a run hold its identities.
fn mount(decoder: &Decoder<'_>, id: NodeId, is_own: bool, report: &mut impl FnMut(Problem)) {
    let fields = entries(decoder, id);
    if let Some((name, place)) = named(decoder, fields)
        && is_own_volume(name)
    {
        report(own_at(place, name, "add a volume of your own"));
    }
    for entry in fields.iter().filter(|entry| entry.key == "mountPath") {
        let path = decoder.tree.get(entry.value);
        if let Kind::Scalar(scalar) = &path.kind
            && is_own
            && is_own_path(&scalar.text)
        {
            let help = "mount it elsewhere";
            report(own_at(path.place, &scalar.text, help));
        }
    }
}

fn volume(decoder: &Decoder<'_>, id: NodeId, report: &mut impl FnMut(Problem)) {
    let fields = entries(decoder, id);
    if let Some((name, place)) = named(decoder, fields)
        && is_own_volume(name)
    {
        report(own_at(place, name, "use a name of your own"));
    }
    let projected = fields.iter().filter(|entry| entry.key == "projected");
    let sources = projected.flat_map(|entry| entries(decoder, entry.value));
    let sources = sources.filter(|entry| entry.key == "sources");
    for source in sources.flat_map(|entry| items(decoder, entry.value)) {
        let tokens = entries(decoder, *source).iter();
        for token in tokens.filter(|entry| entry.key == "serviceAccountToken") {
            report(
                Problem::new(
                    token.key_place,
                    "a pod of netplan gets no service account token",
                )
                .help("remove it"),
            );
        }
    }
}

fn is_own_label(key: &str) -> bool {
    key.starts_with("netplan/") || key.starts_with("app.kubernetes.io/")
}

/// Whether a mount there hides one of netplan's.
fn is_own_path(path: &str) -> bool {
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let own: Vec<&str> = OWN_FOLDER
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    path.starts_with(&own) || own.starts_with(&path) || path.contains(&"..")
}

fn own(entry: &Entry, help: &str) -> Problem {
    own_at(entry.key_place, &entry.key, help)
}

fn own_at(place: Place, name: &str, help: &str) -> Problem {
    Problem::new(place, format!("netplan sets {} itself", quote(name))).help(help)
}

fn entries<'t>(decoder: &Decoder<'t>, id: NodeId) -> &'t [Entry] {
    match &decoder.tree.get(id).kind {
        Kind::Map(map) => &map.entries,
        _ => &[],
    }
}

fn items<'t>(decoder: &Decoder<'t>, id: NodeId) -> &'t [NodeId] {
    match &decoder.tree.get(id).kind {
        Kind::List(items) => items,
        _ => &[],
    }
}

/// Whether the value removes a field.
fn is_null(decoder: &Decoder<'_>, entry: &Entry) -> bool {
    matches!(&decoder.tree.get(entry.value).kind, Kind::Scalar(scalar) if scalar.value == Value::Null)
}

/// The item's `name`, and its place.
fn named<'t>(decoder: &Decoder<'t>, fields: &'t [Entry]) -> Option<(&'t str, Place)> {
    let name = fields.iter().find(|entry| entry.key == "name")?;
    let node = decoder.tree.get(name.value);
    match &node.kind {
        Kind::Scalar(scalar) if scalar.value != Value::Null => Some((&scalar.text, node.place)),
        _ => None,
    }
}

/// The value as JSON. Only the size of the whole plan limits it.
fn to_json(decoder: &Decoder<'_>, id: NodeId) -> Json {
    match &decoder.tree.get(id).kind {
        Kind::Map(map) => {
            let field = |entry: &Entry| (entry.key.clone(), to_json(decoder, entry.value));
            Json::Object(map.entries.iter().map(field).collect())
        }
        Kind::List(items) => items.iter().map(|item| to_json(decoder, *item)).collect(),
        Kind::Scalar(scalar) => match scalar.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(value),
            Value::Whole(value) => Json::from(value),
            Value::Number => serde_json::from_str::<Number>(&scalar.text)
                .map_or_else(|_| Json::from(scalar.text.as_str()), Json::Number),
            Value::Text => Json::from(scalar.text.as_str()),
        },
    }
}

/// Reads the fields of a container's security context.
pub fn security_context(decoder: &Decoder<'_>, id: NodeId) -> Option<SecurityContext> {
    const FIELD: &str = "pod.spec.containers.securityContext";
    let Json::Object(fields) = to_json(decoder, id) else {
        let what = "a mapping of fields of a container's `securityContext`";
        return decoder.expected(id, what, "e.g. `capabilities: { add: [NET_RAW] }`");
    };
    let json = Json::Object(fields.clone());
    is_known::<K8sSecurityContext>(decoder, id, &json, FIELD).then_some(SecurityContext(fields))
}

/// Whether Kubernetes knows all fields of a type, and their values have the right types; reports the first that has
/// not. `subject` is what `kubectl explain` takes.
fn is_known<T: DeserializeOwned + Serialize>(
    decoder: &Decoder<'_>,
    id: NodeId,
    json: &Json,
    subject: &str,
) -> bool {
    let help = format!("`kubectl explain {subject}` lists the fields");
    let problem = match serde_path_to_error::deserialize::<_, T>(json) {
        Err(error) => {
            let path: Vec<String> = error.path().iter().filter_map(step).collect();
            let place = place_of(decoder, id, &path);
            let what = format!("Kubernetes does not accept this: {}", error.inner());
            Problem::new(place, what).help(help)
        }
        Ok(template) => {
            let known = serde_json::to_value(template).unwrap_or_default();
            let mut path = Vec::new();
            if !find_unknown(json, &known, &mut path) {
                return true;
            }
            let name = path.last().map_or("", String::as_str);
            let what = format!("Kubernetes has no field {} here", quote(name));
            Problem::new(place_of(decoder, id, &path), what).help(help)
        }
    };
    decoder.report(problem);
    false
}

fn step(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// Finds the first field that is lost on the way through Kubernetes' types; `path` leads to it. A `null` has no
/// counterpart: it removes a field.
fn find_unknown(given: &Json, known: &Json, path: &mut Vec<String>) -> bool {
    let mut below = |step: String, given: &Json, known: Option<&Json>| {
        path.push(step);
        let is_lost = match known {
            None => !given.is_null() && !is_empty(given),
            Some(known) => find_unknown(given, known, path),
        };
        if !is_lost {
            path.pop();
        }
        is_lost
    };
    match given {
        Json::Object(fields) => fields
            .iter()
            .any(|(key, value)| below(key.clone(), value, known.get(key))),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .any(|(index, value)| below(index.to_string(), value, known.get(index))),
        _ => false,
    }
}

/// Kubernetes' types write no empty lists and mappings.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Object(fields) => fields.is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The place of the deepest part of the path that is there.
fn place_of(decoder: &Decoder<'_>, id: NodeId, path: &[String]) -> Place {
    let mut at = id;
    let mut place = decoder.place(id);
    for step in path {
        let next = match &decoder.tree.get(at).kind {
            Kind::Map(map) => map.get(step).map(|entry| (entry.value, entry.key_place)),
            Kind::List(items) => {
                let item = step.parse().ok().and_then(|index: usize| items.get(index));
                item.map(|item| (*item, decoder.place(*item)))
            }
            Kind::Scalar(_) => None,
        };
        let Some((value, here)) = next else {
            break;
        };
        (at, place) = (value, here);
    }
    place
}
