//! Paths over the host network.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::paths::{Ends, FoundPath};
use super::tree::decoder::{At, Decoder};
use super::workers::KnownWorkers;
use crate::diag::{Place, Problem, quote};
use crate::plan::model::path::Via;
use crate::plan::model::plan_file::Placement;
use crate::plan::model::variants::Variant;
use crate::plan::text::tree::NodeId;

/// A pod is on its host's network or on the pod network: finds the workers that would have to be
/// on both.
pub fn check(decoder: &Decoder<'_>, paths: &[FoundPath<'_>], workers: Option<&KnownWorkers<'_>>) {
    let mut seen: HashMap<&str, (Via, Place)> = HashMap::new();
    for path in paths {
        let ends = match path.ends {
            Ends::Path { from, to } => from.zip(to).map(|(from, to)| [from, to]),
            Ends::Mesh { group, .. } => group.map(|group| [group, group]),
        };
        let (Some(via), Some(ends)) = (path.via, ends) else {
            continue;
        };
        for At {
            value: worker,
            place,
        } in ends
        {
            // What one worker of a group is, all are.
            let worker = workers.map_or(worker, |workers| workers.group_of(worker));
            let (first, first_place) = *seen.entry(worker).or_insert((via.value, via.place));
            if (first == Via::Host) != (via.value == Via::Host) {
                let what = format!(
                    "{} is on the host network for one path and on the pod network for another",
                    quote(worker)
                );
                let sits = match path.ends {
                    Ends::Path { .. } => format!("same_node_as: {worker}"),
                    Ends::Mesh { .. } => "one_per_node: true".to_owned(),
                };
                let help = format!(
                    "give the host network workers of its own, e.g. `{worker}-host: {{ {sits} }}`"
                );
                decoder.report(
                    Problem::new(place, what)
                        .related(first_place, "the other network")
                        .help(help),
                );
                // Once a worker is enough.
                seen.insert(worker, (via.value, via.place));
            }
        }
    }
}

/// Two processes of one node's host network talk over its loopback: finds the paths whose workers
/// may share a node.
pub fn check_nodes(
    decoder: &Decoder<'_>,
    paths: &[FoundPath<'_>],
    workers: &IndexMap<String, Placement>,
) {
    for path in paths {
        // The workers of a mesh have a node each.
        let Ends::Path { from, to } = path.ends else {
            continue;
        };
        let (Some(via), Some(from), Some(to)) = (path.via, from, to) else {
            continue;
        };
        if via.value != Via::Host || from.value == to.value {
            continue;
        }
        let what = format!(
            "{} and {} may sit on one node, where a path via its host is the loopback",
            quote(from.value),
            quote(to.value)
        );
        if !are_apart(workers, from.value, to.value) {
            let help = format!(
                "say where they run, e.g. `{}: {{ other_node_than: {} }}`",
                from.value, to.value
            );
            decoder.report(Problem::new(via.place, what).help(help));
        }
    }
}

/// The same of the paths whose workers are on the host network in a variant, by its name. `all` is what the plan says
/// of all pods.
pub fn check_variants(
    decoder: &Decoder<'_>,
    id: NodeId,
    paths: &[FoundPath<'_>],
    workers: &IndexMap<String, Placement>,
    variants: &IndexMap<String, Variant>,
    all: Option<bool>,
) {
    for (name, variant) in variants {
        let is_on_host = |worker: &str| {
            let own = workers
                .get(worker)
                .and_then(|worker| worker.pods.host_network);
            let said = variant.pods_of(worker).host_network.or(own).or(all);
            said == Some(true)
        };
        let first = paths.iter().find_map(|path| {
            let Ends::Path { from, to } = path.ends else {
                return None;
            };
            let (via, from, to) = (path.via?, from?, to?);
            let shares = from.value != to.value
                && via.value != Via::Host
                && is_on_host(from.value)
                && is_on_host(to.value)
                && !are_apart(workers, from.value, to.value);
            shares.then_some((from, to))
        });
        if let Some((from, to)) = first {
            let what = format!(
                "{} and {} may sit on one node, where the host network of both is the loopback",
                quote(from.value),
                quote(to.value)
            );
            let help = format!(
                "say where they run, e.g. `{}: {{ other_node_than: {} }}`",
                to.value, from.value
            );
            let place = decoder.key_place(id, name);
            let problem = Problem::new(place, what).related(from.place, "a path between them");
            decoder.report(problem.help(help));
        }
    }
}

/// Whether the plan says that two workers sit on different nodes.
fn are_apart(workers: &IndexMap<String, Placement>, one: &str, other: &str) -> bool {
    // By the worker that all on a node, or in a zone, follow. Rules in a circle are told elsewhere.
    let leader = |name: &str, zones: bool| {
        let mut at = name.to_owned();
        for _ in workers {
            let rules = workers.get(&at);
            let followed = rules.and_then(|rules| {
                let zone = rules.same_zone_as.as_ref().filter(|_| zones);
                rules.same_node_as.as_ref().or(zone)
            });
            match followed {
                Some(followed) => at.clone_from(followed),
                None => break,
            }
        }
        at
    };
    let is_between = |a: &str, b: &str, zones: bool| {
        let ends = [leader(a, zones), leader(b, zones)];
        let asked = [leader(one, zones), leader(other, zones)];
        ends == asked || ends[0] == asked[1] && ends[1] == asked[0]
    };
    let by_rule = workers.iter().any(|(name, rules)| {
        let node = rules.other_node_than.as_ref();
        let zone = rules.other_zone_than.as_ref();
        node.is_some_and(|other| is_between(name, other, false))
            || zone.is_some_and(|other| is_between(name, other, true))
    });
    let node = |of: &str| {
        let mut group = workers
            .iter()
            .filter(|(name, _)| leader(name, false) == leader(of, false));
        group.find_map(|(_, rules)| rules.node.clone())
    };
    by_rule || node(one).zip(node(other)).is_some_and(|(a, b)| a != b)
}
