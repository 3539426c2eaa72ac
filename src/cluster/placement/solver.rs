//! Backtracking search for a node for each pod, under rules between pods.
//!
//! Pods are placed in their order, each on the first node that is allowed. A rule is checked as soon as
//! the last pod that it is about has a node. Two nodes that no pod and no rule can tell apart are
//! interchangeable while they are empty: trying one of them is trying both.
//!
//! A pod with an affinity term has to be near another pod that the term selects. As in the Kubernetes
//! scheduler, a pod that its own term selects may be the first of its group: then it only needs a node
//! that has the topology key.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Node, PodAffinityTerm};

use super::pod::PodToPlace;

/// The search gives up after this many placements of a pod. Plans written by people need a handful.
const MAX_ATTEMPTS: u32 = 100_000;

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// For each pod its node.
    Found(Vec<usize>),
    /// No placement exists. `stuck` is the last pod that the search reached, which found no node.
    Impossible { stuck: usize },
    /// Not found within [`MAX_ATTEMPTS`].
    GaveUp,
}

/// Pods, nodes and rules as indices.
pub(super) struct Problem {
    /// For each pod and node whether the node can take the pod, whatever else runs there.
    fits: Vec<Vec<bool>>,
    /// For each topology key and node the number of the node's domain, if it is in one.
    domains: Vec<Vec<Option<usize>>>,
    /// For each pod the rules that are decided when it is placed.
    rules: Vec<Rules>,
    /// For each node a number that it shares with interchangeable ones.
    classes: Vec<usize>,
}

#[derive(Clone, Default)]
struct Rules {
    /// A pod, the pods that it may be near (one is enough), and a topology key.
    near: Vec<(usize, Vec<usize>, usize)>,
    /// A pod placed before, and a topology key by which the two have to differ.
    far: Vec<(usize, usize)>,
}

impl Problem {
    /// `fits` says for each pod and node whether the node can take the pod.
    pub fn new(nodes: &[Node], pods: &[PodToPlace], fits: Vec<Vec<bool>>) -> Self {
        let mut keys: Vec<&str> = Vec::new();
        let mut rules = vec![Rules::default(); pods.len()];
        for (one, pod) in pods.iter().enumerate() {
            for term in pod.near() {
                let key = index_of(&mut keys, &term.topology_key);
                let partners = partners(pods, one, term);
                let last = partners.last().map_or(one, |&last| last.max(one));
                rules[last].near.push((one, partners, key));
            }
            for term in pod.far() {
                let key = index_of(&mut keys, &term.topology_key);
                let others = (0..pods.len()).filter(|&other| other != one);
                for other in others.filter(|&other| pod.selects(term, &pods[other])) {
                    rules[other.max(one)].far.push((other.min(one), key));
                }
            }
        }
        for rules in &mut rules {
            rules.far.sort_unstable();
            rules.far.dedup();
        }
        let domains: Vec<_> = keys.iter().map(|key| domains(nodes, key)).collect();
        Self {
            classes: classes(nodes.len(), &fits, &domains),
            fits,
            domains,
            rules,
        }
    }

    /// Searches for a node for each pod.
    pub fn solve(&self) -> Outcome {
        let mut search = Search {
            problem: self,
            placed: Vec::with_capacity(self.fits.len()),
            load: vec![0; self.classes.len()],
            attempts: 0,
            furthest: 0,
        };
        if search.place_rest() {
            Outcome::Found(search.placed)
        } else if search.attempts >= MAX_ATTEMPTS {
            Outcome::GaveUp
        } else {
            Outcome::Impossible {
                stuck: search.furthest,
            }
        }
    }
}

struct Search<'a> {
    problem: &'a Problem,
    /// The nodes of the pods that are placed so far.
    placed: Vec<usize>,
    /// For each node how many of them it has.
    load: Vec<u32>,
    attempts: u32,
    /// The most pods that were placed at a time.
    furthest: usize,
}

impl Search<'_> {
    fn place_rest(&mut self) -> bool {
        let pod = self.placed.len();
        self.furthest = self.furthest.max(pod);
        let Some(fits) = self.problem.fits.get(pod) else {
            return true;
        };
        let mut tried_empty = BTreeSet::new();
        for node in (0..fits.len()).filter(|&node| fits[node]) {
            if self.load[node] == 0 && !tried_empty.insert(self.problem.classes[node]) {
                continue;
            }
            if self.attempts >= MAX_ATTEMPTS {
                return false;
            }
            self.attempts += 1;
            self.placed.push(node);
            self.load[node] += 1;
            if self.keeps_rules(pod) && self.place_rest() {
                return true;
            }
            self.load[node] -= 1;
            self.placed.pop();
        }
        false
    }

    /// Whether the pod that was placed last keeps the rules that are decided by it.
    fn keeps_rules(&self, pod: usize) -> bool {
        let Rules { near, far } = &self.problem.rules[pod];
        far.iter().all(|&(other, key)| !self.share(pod, other, key))
            && near.iter().all(|(one, partners, key)| {
                let mut partners = partners.iter();
                partners.any(|&other| self.share(*one, other, *key))
            })
    }

    /// Whether two pods are in the same domain.
    fn share(&self, one: usize, other: usize, key: usize) -> bool {
        let domain = |pod: usize| self.problem.domains[key][self.placed[pod]];
        domain(one).is_some() && domain(one) == domain(other)
    }
}

/// The pods that satisfy a term of a pod's affinity (one is enough), in ascending order: itself if it is the first
/// of those that its own term selects, else the others.
fn partners(pods: &[PodToPlace], one: usize, term: &PodAffinityTerm) -> Vec<usize> {
    let pod = &pods[one];
    let mut selected: Vec<usize> = (0..pods.len())
        .filter(|&other| pod.selects(term, &pods[other]))
        .collect();
    if selected.first() == Some(&one) {
        return vec![one];
    }
    selected.retain(|&other| other != one);
    selected
}

fn index_of<'a>(keys: &mut Vec<&'a str>, key: &'a str) -> usize {
    let known = keys.iter().position(|known| *known == key);
    known.unwrap_or_else(|| {
        keys.push(key);
        keys.len() - 1
    })
}

/// For each node a number that it shares with the nodes that have the same value of a label.
fn domains(nodes: &[Node], key: &str) -> Vec<Option<usize>> {
    let mut numbers = BTreeMap::new();
    let domain = |node| {
        let value = label(node, key)?;
        let next = numbers.len();
        Some(*numbers.entry(value).or_insert(next))
    };
    nodes.iter().map(domain).collect()
}

fn label<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    let labels = node.metadata.labels.as_ref()?;
    labels.get(key).map(String::as_str)
}

/// Nodes are interchangeable when each pod fits on all or none of them, and when they share every
/// domain or have it to themselves.
fn classes(nodes: usize, fits: &[Vec<bool>], domains: &[Vec<Option<usize>>]) -> Vec<usize> {
    let mut numbers = BTreeMap::new();
    let class = |node: usize| {
        let taken: Vec<bool> = fits.iter().map(|fits| fits[node]).collect();
        let shared: Vec<Option<Option<usize>>> = domains
            .iter()
            .map(|domains| {
                let domain = domains[node];
                let same = domains.iter().filter(|other| **other == domain).count();
                (domain.is_none() || same > 1).then_some(domain)
            })
            .collect();
        let next = numbers.len();
        *numbers.entry((taken, shared)).or_insert(next)
    };
    (0..nodes).map(class).collect()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::PodSpec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const HOST: &str = "kubernetes.io/hostname";
    const ZONE: &str = "topology.kubernetes.io/zone";

    fn node(index: usize, zone: Option<usize>) -> Node {
        let mut labels = json!({ HOST: format!("n{index}") });
        if let Some(zone) = zone {
            labels[ZONE] = json!(format!("z{zone}"));
        }
        serde_json::from_value(json!({"metadata": {"name": format!("n{index}"), "labels": labels}}))
            .unwrap()
    }

    /// A rule about the pods of a group.
    #[derive(Clone, Copy, Debug)]
    struct Rule {
        near: bool,
        group: usize,
        by_zone: bool,
    }

    fn rule() -> impl Strategy<Value = Rule> {
        (any::<bool>(), 0..3_usize, any::<bool>()).prop_map(|(near, group, by_zone)| Rule {
            near,
            group,
            by_zone,
        })
    }

    fn pod(group: usize, rules: &[Rule]) -> PodToPlace {
        let terms = |near: bool| -> Vec<Value> {
            let rules = rules.iter().filter(|rule| rule.near == near);
            rules
                .map(|rule| {
                    json!({
                        "topologyKey": if rule.by_zone { ZONE } else { HOST },
                        "labelSelector": {"matchLabels": {"group": rule.group.to_string()}},
                    })
                })
                .collect()
        };
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let spec = json!({"containers": [], "affinity": {
            "podAffinity": {required: terms(true)},
            "podAntiAffinity": {required: terms(false)},
        }});
        PodToPlace {
            name: String::new(),
            namespace: String::new(),
            labels: [("group".to_owned(), group.to_string())].into(),
            spec: serde_json::from_value::<PodSpec>(spec).unwrap(),
        }
    }

    /// Whether the pods may be on these nodes, by the text of the rules.
    fn is_allowed(
        zones: &[Option<usize>],
        pods: &[(usize, Vec<Rule>)],
        fits: &[Vec<bool>],
        on: &[usize],
    ) -> bool {
        let share = |rule: &Rule, one: usize, other: usize| {
            if rule.by_zone {
                zones[on[one]].is_some() && zones[on[one]] == zones[on[other]]
            } else {
                on[one] == on[other]
            }
        };
        pods.iter().enumerate().all(|(one, (group, rules))| {
            let others = |rule: &Rule| {
                let group = rule.group;
                (0..pods.len()).filter(move |&other| other != one && pods[other].0 == group)
            };
            fits[one][on[one]]
                && rules.iter().all(|rule| {
                    if rule.near {
                        let is_first =
                            rule.group == *group && others(rule).all(|other| other > one);
                        let has_domain = !rule.by_zone || zones[on[one]].is_some();
                        is_first && has_domain
                            || !is_first && others(rule).any(|other| share(rule, one, other))
                    } else {
                        others(rule).all(|other| !share(rule, one, other))
                    }
                })
        })
    }

    proptest! {
        #[test]
        fn a_placement_is_found_exactly_when_there_is_one(
            zones in prop::collection::vec(prop::option::of(0..2_usize), 1..4),
            pods in prop::collection::vec((0..3_usize, prop::collection::vec(rule(), 0..3)), 0..5),
            rejected in prop::collection::vec((0..5_usize, 0..4_usize), 0..3),
        ) {
            let mut fits = vec![vec![true; zones.len()]; pods.len()];
            for (pod, node) in rejected {
                if let Some(fits) = fits.get_mut(pod).and_then(|fits| fits.get_mut(node)) {
                    *fits = false;
                }
            }
            let nodes: Vec<Node> = zones.iter().enumerate().map(|(i, zone)| node(i, *zone)).collect();
            let to_place: Vec<PodToPlace> = pods.iter().map(|(group, rules)| pod(*group, rules)).collect();
            let count = u32::try_from(pods.len()).unwrap();
            let assignment = |number: usize| -> Vec<usize> {
                (0..count).map(|at| number / nodes.len().pow(at) % nodes.len()).collect()
            };
            let mut assignments = (0..nodes.len().pow(count)).map(assignment);
            let exists = assignments.any(|on| is_allowed(&zones, &pods, &fits, &on));
            match Problem::new(&nodes, &to_place, fits.clone()).solve() {
                Outcome::Found(on) => prop_assert!(is_allowed(&zones, &pods, &fits, &on), "{on:?}"),
                Outcome::Impossible { stuck } => {
                    prop_assert!(!exists);
                    prop_assert!(stuck < pods.len());
                }
                Outcome::GaveUp => prop_assert!(false, "gave up"),
            }
        }
    }

    fn problem(nodes: usize, pods: &[PodToPlace]) -> Problem {
        let fits = vec![vec![true; nodes]; pods.len()];
        let nodes: Vec<Node> = (0..nodes).map(|index| node(index, None)).collect();
        Problem::new(&nodes, pods, fits)
    }

    fn apart() -> PodToPlace {
        let far = Rule {
            near: false,
            group: 0,
            by_zone: false,
        };
        pod(0, &[far])
    }

    #[test]
    fn pods_without_rules_fill_the_first_node() {
        let pods = [pod(0, &[]), pod(1, &[]), apart()];
        assert_eq!(problem(3, &pods).solve(), Outcome::Found(vec![0, 0, 1]));
    }

    #[test]
    fn a_mesh_over_hundreds_of_nodes_is_decided() {
        let pods = vec![apart(); 301];
        let found = problem(300, &pods[..300]).solve();
        assert_eq!(found, Outcome::Found((0..300).collect()));
        // One more than there are nodes.
        let none = problem(300, &pods).solve();
        assert_eq!(none, Outcome::Impossible { stuck: 300 });
    }

    #[test]
    fn a_puzzle_without_a_solution_ends() {
        // Every node differs by a pod of its own that it rejects, so that none is interchangeable.
        let pods = vec![apart(); 13];
        let fits = (0..13)
            .map(|pod| (0..12).map(|node| pod != node).collect())
            .collect();
        let nodes: Vec<Node> = (0..12).map(|index| node(index, None)).collect();
        let outcome = Problem::new(&nodes, &pods, fits).solve();
        assert_eq!(outcome, Outcome::GaveUp);
    }
}
