//! Whether workers can sit as their rules say.

use crate::diag::{Place, Problem, quote};

/// A worker's rule about another one; both are indexes.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub worker: usize,
    pub other: usize,
    /// On the same node, or on another one.
    pub same: bool,
    pub place: Place,
}

/// Finds the rules that go round in a circle, and those that contradict the others.
pub fn check(names: &[&str], rules: &[Rule]) -> Vec<Problem> {
    let mut problems = Vec::new();
    // `same_node_as` waits for the other worker, so a circle of them waits for ever.
    let follow: Vec<Option<&Rule>> = (0..names.len())
        .map(|worker| rules.iter().find(|rule| rule.same && rule.worker == worker))
        .collect();
    let mut group: Vec<usize> = (0..names.len()).collect();
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
    for rule in rules.iter().filter(|rule| rule.same) {
        let (from, to) = (find(&group, rule.worker), find(&group, rule.other));
        if let Some(root) = group.get_mut(from) {
            *root = to;
        }
    }
    for rule in rules.iter().filter(|rule| !rule.same) {
        if find(&group, rule.worker) == find(&group, rule.other) {
            problems.push(contradiction(names, rules, rule));
        }
    }
    problems
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
        .help("let one of the workers be free, as in `w1: {}`, and place the others by it")
}

fn contradiction(names: &[&str], rules: &[Rule], rule: &Rule) -> Problem {
    let (worker, other) = (name(names, rule.worker), name(names, rule.other));
    if rule.worker == rule.other {
        let what = format!("{worker} cannot sit on another node than itself");
        return Problem::new(rule.place, what).help("name another worker");
    }
    let what = format!("{worker} cannot sit on another node than {other}");
    let problem = Problem::new(rule.place, what).help("remove one of the rules");
    let pair = [rule.worker, rule.other];
    let same = |same: &&Rule| same.same && pair.contains(&same.worker);
    let nearest = rules
        .iter()
        .filter(same)
        .max_by_key(|same| pair.contains(&same.other));
    match nearest {
        Some(same) => {
            let label = format!(
                "{} sits on the same node as {}",
                name(names, same.worker),
                name(names, same.other)
            );
            problem.label("contradicts").related(same.place, label)
        }
        None => problem.label("other rules put them on one node"),
    }
}
