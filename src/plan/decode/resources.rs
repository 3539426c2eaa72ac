//! The decoder of what containers ask for, and what they may use at most.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::tree::decoder::Decoder;
use super::tree::fields::Fields;
use crate::diag::{Place, Problem, quote};
use crate::plan::describe::keys::RESOURCES;
use crate::plan::model::kubernetes::{Resources, StringMap};
use crate::plan::model::kubernetes_names;
use crate::plan::model::plan_file::Placement;
use crate::plan::model::variants::{ALL_WORKERS, Variant};
use crate::plan::text::tree::{Kind, NodeId, Value};

/// Requests and limits: what is written takes the place of the default as a whole.
pub fn resources(decoder: &Decoder<'_>, id: NodeId, default: &Resources) -> Option<Resources> {
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
            decoder.report(above_limit(request.place, limit));
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

/// Finds the requests that are more than a limit of wider settings: of a variant's `all`, a worker or `wider`, those
/// of all workers.
pub fn check_merged(
    decoder: &Decoder<'_>,
    root: NodeId,
    workers: &IndexMap<String, Placement>,
    variants: &IndexMap<String, Variant>,
    wider: &Resources,
) {
    let mut seen = HashSet::new();
    let variants = variants.iter().map(Some);
    let without = variants.len() == 0;
    for variant in variants.chain(without.then_some(None)) {
        for (worker, placement) in workers {
            let own = variant.map(|(_, variant)| variant.pods_of(worker).resources);
            let own = own.unwrap_or_default().over(&placement.pods.resources);
            let merged = own.over(wider);
            for (name, limit) in &merged.limits {
                let amount = |text| kubernetes_names::quantity(text).ok();
                let request = merged.requests.get(name);
                let is_more = request.is_some_and(|request| {
                    amount(request)
                        .zip(amount(limit))
                        .is_some_and(|(request, limit)| request > limit)
                });
                let said = |scope: &[&str]| {
                    let keys = [scope, &["resources", "requests", name]].concat();
                    decoder.find(root, &keys)
                };
                let of_variant = |worker| said(&["variants", variant?.0, "workers", worker]);
                let narrowest = || {
                    of_variant(worker)
                        .or_else(|| of_variant(ALL_WORKERS))
                        .or_else(|| said(&["workers", worker]))
                };
                if let Some(entry) = is_more.then(narrowest).flatten() {
                    let place = decoder.place(entry.value);
                    if seen.insert(place) {
                        decoder.report(above_limit(place, limit));
                    }
                }
            }
        }
    }
}

fn above_limit(place: Place, limit: &str) -> Problem {
    let what = format!("the request is more than the limit `{limit}`");
    let help = "write `limits` too; this is its default";
    Problem::new(place, what).help(help)
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
