//! The decoder of `kubernetes:`.

use indexmap::IndexMap;

use super::decoder::{At, Decoder};
use super::fields::Fields;
use super::kubernetes_names::{self, Wrong};
use super::plan::{LONGEST_NAME, small};
use crate::diag::{Place, Problem, quote};
use crate::plan::model::kubernetes::{
    IpFamily, Kubernetes, PodResources, PullPolicy, Resources, StringMap, TaintEffect, Toleration,
    TolerationOperator,
};
use crate::plan::text::tree::{Entry, Kind, NodeId, Value};

/// A check of one text.
type Check = fn(&str) -> Result<(), Wrong>;

pub fn kubernetes(decoder: &Decoder<'_>, id: NodeId) -> Option<Kubernetes> {
    let fields = decoder.fields(
        id,
        "a mapping with `image`, `namespace`, `resources` or the like",
        true,
    )?;
    let text = |key, check: Check| {
        let found = fields.optional(key, |id| checked(decoder, decoder.text(id)?, check));
        found.map(|found| found.value.to_owned())
    };
    let default = Kubernetes::default();
    let kubernetes = Kubernetes {
        image: text("image", kubernetes_names::image),
        image_pull_policy: fields
            .optional("image_pull_policy", |id| {
                let choices = [
                    ("Always", PullPolicy::Always),
                    ("IfNotPresent", PullPolicy::IfNotPresent),
                    ("Never", PullPolicy::Never),
                ];
                decoder.choice(id, &choices)
            })
            .unwrap_or_default(),
        pull_secrets: fields
            .optional("pull_secrets", |id| pull_secrets(decoder, id))
            .unwrap_or_default(),
        namespace: fields
            .optional("namespace", |id| {
                Some(decoder.dns_label(decoder.text(id)?, LONGEST_NAME))
            })
            .map_or(default.namespace, |namespace| namespace.value.to_owned()),
        node_selector: fields
            .optional("node_selector", |id| node_selector(decoder, id))
            .unwrap_or_default(),
        tolerations: fields
            .optional("tolerations", |id| {
                let items = decoder.list(id, "`- { key: dedicated, operator: Exists }`")?;
                let items = items.iter().filter_map(|item| toleration(decoder, *item));
                Some(items.collect())
            })
            .unwrap_or_default(),
        resources: fields
            .optional("resources", |id| pod_resources(decoder, id))
            .unwrap_or_default(),
        priority_class: text("priority_class", kubernetes_names::object_name),
        annotations: fields
            .optional("annotations", |id| {
                words_of(decoder, id, "`{ example.com/inject: \"false\" }`", |_| {
                    Ok(())
                })
            })
            .unwrap_or_default(),
        labels: fields
            .optional("labels", |id| labels(decoder, id))
            .unwrap_or_default(),
        runtime_class: text("runtime_class", kubernetes_names::object_name),
        ip_family: fields.optional("ip_family", |id| {
            decoder.choice(id, &[("IPv4", IpFamily::IPv4), ("IPv6", IpFamily::IPv6)])
        }),
    };
    fields.done_else(elsewhere);
    Some(kubernetes)
}

/// Where a key belongs that Kubernetes has, but this language elsewhere or by another name.
fn elsewhere(key: &str) -> Option<String> {
    let here = match key {
        "imagePullSecrets" | "image_pull_secrets" => "pull_secrets",
        "priorityClassName" | "priority_class_name" => "priority_class",
        "runtimeClassName" | "runtime_class_name" => "runtime_class",
        "ipFamily" | "ipFamilies" | "ip_families" => "ip_family",
        "nodeName" | "node_name" | "node" | "nodes" => {
            return Some("a worker's node stands with it, as in `w1: { node: NAME }`".to_owned());
        }
        "hostNetwork" | "host_network" => {
            return Some(
                "the host network is asked for by each path, as in `via: host`".to_owned(),
            );
        }
        "affinity" => {
            return Some(
                "where workers sit stands with them, as in `w2: { same_node_as: w1 }`".to_owned(),
            );
        }
        _ => return None,
    };
    Some(format!("it is called `{here}` here"))
}

/// A text that passes a check, or the problem noted.
pub fn checked<'t>(decoder: &Decoder<'_>, text: At<&'t str>, check: Check) -> Option<At<&'t str>> {
    match check(text.value) {
        Ok(()) => Some(text),
        Err(wrong) => {
            decoder.report(Problem::new(text.place, wrong.what).help(wrong.help));
            None
        }
    }
}

fn pull_secrets(decoder: &Decoder<'_>, id: NodeId) -> Option<Vec<String>> {
    let items = decoder.list(id, "`- my-registry`")?;
    let name =
        |item: &NodeId| checked(decoder, decoder.text(*item)?, kubernetes_names::object_name);
    let names: Vec<At<&str>> = items.iter().filter_map(name).collect();
    decoder.unique("pull secrets", names.iter().copied());
    Some(names.iter().map(|name| name.value.to_owned()).collect())
}

/// Labels that a node has to have.
pub fn node_selector(decoder: &Decoder<'_>, id: NodeId) -> Option<StringMap> {
    words_of(
        decoder,
        id,
        "`{ disk: ssd }`",
        kubernetes_names::label_value,
    )
}

/// A mapping of Kubernetes' keys to texts.
fn words_of(
    decoder: &Decoder<'_>,
    id: NodeId,
    example: &'static str,
    check: Check,
) -> Option<StringMap> {
    let fields = decoder.fields(id, "a mapping of names to texts", true)?;
    let mut found = IndexMap::new();
    for Entry {
        key,
        key_place,
        value,
    } in fields.entries()
    {
        let key = At {
            value: key.as_str(),
            place: *key_place,
        };
        let key = checked(decoder, key, kubernetes_names::key);
        let text = match &decoder.tree.get(*value).kind {
            Kind::Scalar(scalar) if scalar.value == Value::Null => {
                let help = format!("for an empty text write `\"\"`; as in {example}");
                decoder.expected(*value, "text", &help)
            }
            _ => decoder.text(*value),
        };
        let text = text.and_then(|text| checked(decoder, text, check));
        if let (Some(key), Some(text)) = (key, text) {
            found.insert(key.value.to_owned(), text.value.to_owned());
        }
    }
    Some(found)
}

fn labels(decoder: &Decoder<'_>, id: NodeId) -> Option<StringMap> {
    let found = words_of(
        decoder,
        id,
        "`{ team: network }`",
        kubernetes_names::label_value,
    )?;
    let fields = decoder.fields(id, "a mapping of names to texts", true)?;
    let own = |key: &str| key.starts_with("netplan/") || key.starts_with("app.kubernetes.io/");
    for entry in fields.entries().iter().filter(|entry| own(&entry.key)) {
        let what = format!("netplan sets the label {} itself", quote(&entry.key));
        let help = "runs are found and removed by it; use a name of your own";
        decoder.report(Problem::new(entry.key_place, what).help(help));
    }
    Some(found)
}

fn toleration(decoder: &Decoder<'_>, id: NodeId) -> Option<Toleration> {
    let what = "a toleration, as in `{ key: dedicated, operator: Exists }`";
    let fields = decoder.fields(id, what, false)?;
    let text =
        |key, check: Check| fields.optional(key, |id| checked(decoder, decoder.text(id)?, check));
    let key = text("key", kubernetes_names::key);
    let value = text("value", kubernetes_names::label_value);
    let operator = fields.optional("operator", |id| {
        let choices = [
            ("Equal", TolerationOperator::Equal),
            ("Exists", TolerationOperator::Exists),
        ];
        decoder.choice(id, &choices)
    });
    let effect = fields.optional("effect", |id| {
        let choices = [
            ("NoSchedule", TaintEffect::NoSchedule),
            ("PreferNoSchedule", TaintEffect::PreferNoSchedule),
            ("NoExecute", TaintEffect::NoExecute),
        ];
        decoder.choice(id, &choices)
    });
    let seconds = fields.optional("toleration_seconds", |id| {
        let seconds = decoder.whole(id, 0, u64::from(u32::MAX), "seconds")?;
        Some((small(seconds), decoder.place(id)))
    });
    fields.done_else(|key| {
        (key == "tolerationSeconds").then(|| "it is called `toleration_seconds` here".to_owned())
    });
    let exists = operator == Some(TolerationOperator::Exists);
    if let (true, Some(value)) = (exists, value) {
        let problem = Problem::new(value.place, "`operator: Exists` takes any value");
        decoder.report(problem.help("leave out the value, or write `operator: Equal`"));
    }
    if !exists && fields.key_place("key").is_none() && fields.key_place("operator").is_none() {
        let problem = Problem::new(fields.place, "a toleration needs a `key`");
        decoder.report(problem.help("for any taint write `{ operator: Exists }`"));
    } else if operator == Some(TolerationOperator::Equal) && fields.key_place("key").is_none() {
        let problem = Problem::new(fields.place, "`operator: Equal` needs a `key`");
        decoder.report(problem.help("for any taint write `{ operator: Exists }`"));
    }
    if let Some((_, place)) = seconds
        && effect != Some(TaintEffect::NoExecute)
    {
        let problem = Problem::new(place, "only `effect: NoExecute` takes `toleration_seconds`");
        decoder.report(problem.help("leave it out, or write the effect"));
    }
    Some(Toleration {
        key: key.map(|key| key.value.to_owned()),
        operator: operator.unwrap_or_default(),
        value: value.map(|value| value.value.to_owned()),
        effect,
        toleration_seconds: seconds.map(|(seconds, _)| seconds),
    })
}

fn pod_resources(decoder: &Decoder<'_>, id: NodeId) -> Option<PodResources> {
    let what = "a mapping with `workers` or `orchestrator`";
    let fields = decoder.fields(id, what, true)?;
    let default = PodResources::default();
    let role = |key, default: Resources| {
        fields
            .optional(key, |id| resources(decoder, id, &default))
            .unwrap_or(default)
    };
    let found = PodResources {
        workers: role("workers", default.workers),
        orchestrator: role("orchestrator", default.orchestrator),
    };
    fields.done_else(|key| {
        matches!(key, "requests" | "limits" | "cpu" | "memory").then(|| {
            format!(
                "`{key}` stands one level deeper, as in `workers: {{ requests: {{ cpu: 1 }} }}`"
            )
        })
    });
    Some(found)
}

/// Requests and limits: what is written takes the place of the default as a whole.
fn resources(decoder: &Decoder<'_>, id: NodeId, default: &Resources) -> Option<Resources> {
    let fields = decoder.fields(id, "a mapping with `requests` or `limits`", true)?;
    let requests = part(decoder, &fields, "requests");
    let limits = part(decoder, &fields, "limits");
    fields.done_else(|key| {
        matches!(key, "cpu" | "memory")
            .then(|| format!("`{key}` stands in `requests:` or in `limits:`"))
    });
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

/// A quantity as it was written, in thousandths, and where it stands.
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
    fields.optional(key, |id| {
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
                        "there are `cpu`, `memory`, `ephemeral-storage`, and those of devices, as \
                         in `example.com/nic`",
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
                Err(wrong) => {
                    decoder.report(Problem::new(node.place, wrong.what).help(wrong.help));
                    None
                }
            }
        }
        _ => decoder.expected(id, "a quantity", "write it as in `500m` or `64Mi`"),
    }
}
