//! Whether workers can sit as their rules say.

use crate::diag::{Place, Problem, quote};
use crate::plan::model::kubernetes::StringMap;

/// A worker's rule about another one; both are indexes.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub worker: usize,
    pub other: usize,
    /// On the same one, or on another one.
    pub same: bool,
    /// Of what: node or zone.
    pub scope: Scope,
    pub place: Place,
}

/// What a rule compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Node,
    Zone,
}

/// A worker that sits on a node by its name.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    pub worker: usize,
    pub node: &'a str,
    pub place: Place,
}

/// A worker whose node has to have these labels.
#[derive(Clone, Debug)]
pub struct Labelled {
    pub worker: usize,
    pub labels: StringMap,
    pub place: Place,
}

/// Finds the rules that go round in a circle, and those that contradict the others. A worker has
/// one `same` rule at most.
pub fn check(
    names: &[&str],
    rules: &[Rule],
    by_name: &[Named<'_>],
    by_labels: &[Labelled],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    // Sitting with another worker waits for it, so a circle of such rules waits for ever.
    let follow: Vec<Option<&Rule>> = (0..names.len())
        .map(|worker| rules.iter().find(|rule| rule.same && rule.worker == worker))
        .collect();
    let mut done = vec![false; names.len()];
    for start in 0..names.len() {
        let mut walked = Vec::new();
        let mut at = start;
        while let Some(rule) = follow.get(at).copied().flatten() {
            if done.get(at).copied().unwrap_or(true) {
                break;
            }
            if let Some(from) = walked.iter().position(|walked| *walked == at) {
                let circle = walked.get(from..).unwrap_or_default();
                problems.push(circular(names, circle, rule));
                break;
            }
            walked.push(at);
            at = rule.other;
        }
        for worker in walked {
            if let Some(done) = done.get_mut(worker) {
                *done = true;
            }
        }
    }
    let nodes = together(names.len(), rules, by_name, Scope::Node);
    let zones = together(names.len(), rules, by_name, Scope::Zone);
    for rule in rules.iter().filter(|rule| !rule.same) {
        let group = match rule.scope {
            Scope::Node => &nodes,
            Scope::Zone => &zones,
        };
        if find(group, rule.worker) == find(group, rule.other) {
            problems.push(contradiction(names, rules, rule));
        }
    }
    for (index, late) in by_name.iter().enumerate() {
        let other = by_name.iter().take(index).find(|early| {
            early.node != late.node && find(&nodes, early.worker) == find(&nodes, late.worker)
        });
        if let Some(early) = other {
            let what = format!(
                "{} cannot sit on node {}",
                name(names, late.worker),
                quote(late.node)
            );
            let label = format!("{} sits here", name(names, early.worker));
            problems.push(
                Problem::new(late.place, what)
                    .label("other rules put both on one node")
                    .related(early.place, label)
                    .help("name one node, or remove a rule"),
            );
        }
    }
    for (index, late) in by_labels.iter().enumerate() {
        let mut earlier = by_labels
            .iter()
            .take(index)
            .filter(|early| find(&nodes, early.worker) == find(&nodes, late.worker));
        problems.extend(earlier.find_map(|early| other_label(names, early, late)));
    }
    problems
}

/// A node has one value of a label, and who sits on it together asks for all that each asks for.
fn other_label(names: &[&str], early: &Labelled, late: &Labelled) -> Option<Problem> {
    let differs = |(key, value): &(&String, &String)| {
        let other = early.labels.get(*key);
        other.is_some_and(|other| other != *value)
    };
    let (key, value) = late.labels.iter().find(differs)?;
    let what = format!(
        "{} and {} sit on one node, which cannot have two values of {}",
        name(names, early.worker),
        name(names, late.worker),
        quote(key)
    );
    let other = early.labels.get(key).map_or("", String::as_str);
    Some(
        Problem::new(late.place, what)
            .label(format!("{} here", quote(value)))
            .related(early.place, format!("{} here", quote(other)))
            .help("ask for one value, or remove a rule"),
    )
}

/// The workers as groups that sit on one node, or in one zone; each points towards its group's root.
fn together(workers: usize, rules: &[Rule], by_name: &[Named<'_>], scope: Scope) -> Vec<usize> {
    let mut group: Vec<usize> = (0..workers).collect();
    let mut join = |a, b| {
        let (from, to) = (find(&group, a), find(&group, b));
        if let Some(root) = group.get_mut(from) {
            *root = to;
        }
    };
    // Who shares a node shares its zone.
    for rule in rules.iter().filter(|rule| rule.same) {
        if rule.scope == Scope::Node || scope == Scope::Zone {
            join(rule.worker, rule.other);
        }
    }
    for (index, late) in by_name.iter().enumerate() {
        if let Some(early) = by_name
            .iter()
            .take(index)
            .find(|early| early.node == late.node)
        {
            join(late.worker, early.worker);
        }
    }
    group
}

fn find(group: &[usize], mut at: usize) -> usize {
    while let Some(next) = group.get(at).copied().filter(|next| *next != at) {
        at = next;
    }
    at
}

fn name(names: &[&str], index: usize) -> String {
    quote(names.get(index).copied().unwrap_or_default())
}

fn circular(names: &[&str], circle: &[usize], rule: &Rule) -> Problem {
    let what = if circle.len() < 2 {
        format!("{} waits for itself", name(names, rule.worker))
    } else {
        let round: Vec<String> = circle
            .iter()
            .chain(circle.first())
            .map(|worker| name(names, *worker))
            .collect();
        format!("the placement goes in a circle: {}", round.join(" → "))
    };
    Problem::new(rule.place, what)
        .help("remove the rule of one worker, e.g. `w1: {}`, and place the others by it")
}

fn contradiction(names: &[&str], rules: &[Rule], rule: &Rule) -> Problem {
    let (worker, other) = (name(names, rule.worker), name(names, rule.other));
    let (sit, share) = match rule.scope {
        Scope::Node => ("sit on another node", "put them on one node"),
        Scope::Zone => ("sit in another zone", "put them in one zone"),
    };
    if rule.worker == rule.other {
        let what = format!("{worker} cannot {sit} than itself");
        return Problem::new(rule.place, what).help("name another worker");
    }
    let what = format!("{worker} cannot {sit} than {other}");
    let problem = Problem::new(rule.place, what).help("remove one of the rules");
    let pair = [rule.worker, rule.other];
    let same = |same: &&Rule| {
        same.same
            && pair.contains(&same.worker)
            && (same.scope == Scope::Node || rule.scope == Scope::Zone)
    };
    let nearest = rules
        .iter()
        .filter(same)
        .max_by_key(|same| pair.contains(&same.other));
    match nearest {
        Some(same) => {
            let sits = match same.scope {
                Scope::Node => "sits on the same node as",
                Scope::Zone => "sits in the same zone as",
            };
            let label = format!(
                "{} {sits} {}",
                name(names, same.worker),
                name(names, same.other)
            );
            problem.label("contradicts").related(same.place, label)
        }
        None => problem.label(format!("other rules {share}")),
    }
}
