//! A node for each pod, with their wishes about each other.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, PodAffinityTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::node_fit::holds;
use super::seats::{Labels, Seat, name};

/// After so many tries the scheduler may find out.
const TRIES: u32 = 50_000;

pub(super) fn selects(selector: Option<&LabelSelector>, labels: &Labels) -> bool {
    let Some(selector) = selector else {
        return false;
    };
    let mut wanted = selector.match_labels.iter().flatten();
    let mut rules = selector.match_expressions.iter().flatten();
    wanted.all(|(key, value)| labels.get(key) == Some(value))
        && rules.all(|rule| {
            let values = rule.values.as_deref().unwrap_or_default();
            holds(
                &rule.operator,
                labels.get(&rule.key).map(String::as_str),
                values,
            )
        })
}

/// What a pod asks for: pods to be near to, pods to be far from.
pub(super) fn terms(seat: &Seat) -> (&[PodAffinityTerm], &[PodAffinityTerm]) {
    let affinity = seat.spec.affinity.as_ref();
    let near = affinity
        .and_then(|affinity| affinity.pod_affinity.as_ref())
        .and_then(|near| {
            near.required_during_scheduling_ignored_during_execution
                .as_deref()
        });
    let far = affinity
        .and_then(|affinity| affinity.pod_anti_affinity.as_ref())
        .and_then(|far| {
            far.required_during_scheduling_ignored_during_execution
                .as_deref()
        });
    (near.unwrap_or_default(), far.unwrap_or_default())
}

/// Tries one node after the other for one pod after the other.
pub(super) struct Search<'a> {
    /// For each pod the nodes that can take it.
    candidates: &'a [Vec<usize>],
    /// For each topology key and node a number of the node's domain, if it is in one.
    domains: Vec<Vec<Option<usize>>>,
    /// For each pod what is decided as soon as it is seated, those before it being so.
    rules: Vec<Rules>,
    /// The nodes of the pods that are seated so far.
    seated: Vec<usize>,
    tries: u32,
    furthest: usize,
}

#[derive(Clone, Default)]
struct Rules {
    /// A pod and what it has to be near one of, by a topology key.
    near: Vec<(usize, Vec<usize>, usize)>,
    /// What it has to be far from, by a topology key.
    far: Vec<(usize, usize)>,
}

impl<'a> Search<'a> {
    pub fn new(nodes: &[Node], seats: &'a [Seat], candidates: &'a [Vec<usize>]) -> Self {
        let mut keys: Vec<&str> = Vec::new();
        let mut rules = vec![Rules::default(); seats.len()];
        for (one, seat) in seats.iter().enumerate() {
            let (near, far) = terms(seat);
            let mut read = |term: &'a PodAffinityTerm| {
                let known = keys.iter().position(|key| *key == term.topology_key);
                let key = known.unwrap_or_else(|| {
                    keys.push(&term.topology_key);
                    keys.len() - 1
                });
                let selector = term.label_selector.as_ref();
                let partners = (0..seats.len())
                    .filter(|&other| selects(selector, &seats[other].labels))
                    .collect::<Vec<_>>();
                (partners, key)
            };
            for term in near {
                let (partners, key) = read(term);
                let last = partners.last().map_or(one, |&last| last.max(one));
                rules[last].near.push((one, partners, key));
            }
            for term in far {
                let (partners, key) = read(term);
                for other in partners.into_iter().filter(|&other| other != one) {
                    rules[other.max(one)].far.push((other.min(one), key));
                }
            }
        }
        for rules in &mut rules {
            rules.far.sort_unstable();
            rules.far.dedup();
        }
        Self {
            candidates,
            domains: keys.iter().map(|key| domains(nodes, key)).collect(),
            rules,
            seated: Vec::new(),
            tries: 0,
            furthest: 0,
        }
    }

    /// Whether all can be seated; so too when that is not known after many tries.
    pub fn fits(&mut self) -> bool {
        self.fill() || self.tries >= TRIES
    }

    /// How many pods could be seated at most.
    pub fn furthest(&self) -> usize {
        self.furthest
    }

    fn fill(&mut self) -> bool {
        let next = self.seated.len();
        self.furthest = self.furthest.max(next);
        let Some(candidates) = self.candidates.get(next) else {
            return true;
        };
        for &node in candidates {
            self.tries += 1;
            if self.tries >= TRIES {
                return false;
            }
            self.seated.push(node);
            if self.is_right(next) && self.fill() {
                return true;
            }
            self.seated.pop();
        }
        false
    }

    /// Whether the pod that was seated last can stay, and those that had to wait for it.
    fn is_right(&self, last: usize) -> bool {
        let Rules { near, far } = &self.rules[last];
        let is_far = |&(other, key): &(usize, usize)| !self.is_near(last, other, key);
        let has_near = |(one, partners, key): &(usize, Vec<usize>, usize)| {
            let mut partners = partners.iter();
            partners.any(|&other| self.is_near(*one, other, *key))
        };
        far.iter().all(is_far) && near.iter().all(has_near)
    }

    fn is_near(&self, one: usize, other: usize, key: usize) -> bool {
        let domain = |seat: usize| self.domains[key][self.seated[seat]];
        domain(one).is_some() && domain(one) == domain(other)
    }
}

/// For each node a number that it shares with those that have the same value of a label.
fn domains(nodes: &[Node], key: &str) -> Vec<Option<usize>> {
    let mut numbers = BTreeMap::new();
    let domain = |node| {
        let value = place(node, key)?;
        let next = numbers.len();
        Some(*numbers.entry(value).or_insert(next))
    };
    nodes.iter().map(domain).collect()
}

fn place<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    let labels = node.metadata.labels.as_ref();
    let label = labels.and_then(|all| all.get(key)).map(String::as_str);
    // Every node has its host name, even one that lost the label.
    label.or_else(|| (key == "kubernetes.io/hostname").then(|| name(node)))
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

    /// A wish: whether it is to be near, of which group, by which key.
    type Wish = (bool, usize, bool);

    fn seat(group: usize, wishes: &[Wish]) -> Seat {
        let terms = |wanted: bool| -> Vec<Value> {
            let wishes = wishes.iter().filter(|wish| wish.0 == wanted);
            wishes
                .map(|(_, group, by_zone)| {
                    json!({
                        "topologyKey": if *by_zone { ZONE } else { HOST },
                        "labelSelector": {"matchLabels": {"group": group.to_string()}},
                    })
                })
                .collect()
        };
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let spec = json!({"containers": [], "affinity": {
            "podAffinity": {required: terms(true)},
            "podAntiAffinity": {required: terms(false)},
        }});
        Seat {
            name: String::new(),
            labels: [("group".to_owned(), group.to_string())].into(),
            spec: serde_json::from_value::<PodSpec>(spec).unwrap(),
        }
    }

    /// Whether pods may be on these nodes, by the words of the rules.
    fn is_allowed(nodes: &[Node], seats: &[Seat], on: &[usize]) -> bool {
        (0..seats.len()).all(|one| {
            let meets = |other: usize, term: &PodAffinityTerm| {
                let key = &term.topology_key;
                let mine = place(&nodes[on[one]], key);
                mine.is_some() && mine == place(&nodes[on[other]], key)
            };
            let partners = |term: &PodAffinityTerm| {
                let selector = term.label_selector.clone();
                let all = 0..seats.len();
                all.filter(move |&other| selects(selector.as_ref(), &seats[other].labels))
            };
            let (near, far) = terms(&seats[one]);
            near.iter()
                .all(|term| partners(term).any(|other| meets(other, term)))
                && far.iter().all(|term| {
                    let mut others = partners(term).filter(|&other| other != one);
                    others.all(|other| !meets(other, term))
                })
        })
    }

    proptest! {
        #[test]
        fn pods_fit_when_there_is_a_way(
            zones in prop::collection::vec(prop::option::of(0..2_usize), 1..4),
            groups in prop::collection::vec(
                (0..3_usize, prop::collection::vec((any::<bool>(), 0..3_usize, any::<bool>()), 0..3)),
                0..5,
            ),
        ) {
            let nodes: Vec<Node> = zones.iter().enumerate().map(|(i, zone)| node(i, *zone)).collect();
            let seats: Vec<Seat> = groups.iter().map(|(group, wishes)| seat(*group, wishes)).collect();
            let ways = nodes.len().pow(u32::try_from(seats.len()).unwrap());
            let way = |number: usize| -> Vec<usize> {
                let digit = |at| number / nodes.len().pow(at) % nodes.len();
                (0..u32::try_from(seats.len()).unwrap()).map(digit).collect()
            };
            let expected = (0..ways).any(|number| is_allowed(&nodes, &seats, &way(number)));
            let candidates = vec![(0..nodes.len()).collect(); seats.len()];
            prop_assert_eq!(Search::new(&nodes, &seats, &candidates).fits(), expected);
        }
    }

    #[test]
    fn a_mesh_over_hundreds_of_nodes_takes_no_minutes() {
        let nodes: Vec<Node> = (0..300).map(|index| node(index, None)).collect();
        let apart = |_| seat(0, &[(false, 0, false)]);
        let seats: Vec<Seat> = (0..301).map(apart).collect();
        let candidates = vec![(0..nodes.len()).collect(); seats.len()];
        let mut search = Search::new(&nodes, &seats[..300], &candidates[..300]);
        assert!(search.fits());
        assert!(search.tries < TRIES);
        // One more than there are nodes: that is left to the scheduler before long.
        let mut search = Search::new(&nodes, &seats, &candidates);
        assert!(search.fits());
        assert_eq!(search.furthest(), 300);
    }
}
