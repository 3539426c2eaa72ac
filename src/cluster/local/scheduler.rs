//! Which pod sits on which node: required pod affinity and anti-affinity, by node.

use super::objects::Labels;
use super::pod_spec::AffinityTerm;
use super::read::PodObject;
use crate::cluster::Error;

/// How many placements are tried. Plans of people need a handful; a puzzle made on purpose ends.
const BUDGET: u32 = 200_000;

/// Places the pods on nodes `0..nodes`, in their order, each on the first node that its own rules
/// and those of the others allow.
///
/// # Errors
/// [`Error::Unplaceable`] with the rule that could not be kept.
pub fn place(pods: &[PodObject], nodes: u32) -> Result<Vec<u32>, Error> {
    let rules: Vec<Rule<'_>> = pods
        .iter()
        .enumerate()
        .flat_map(|(pod, object)| {
            let affinity = &object.spec.affinity;
            let with = affinity
                .pod_affinity
                .required
                .iter()
                .map(move |term| (term, true));
            let without = affinity
                .pod_anti_affinity
                .required
                .iter()
                .map(move |term| (term, false));
            with.chain(without).map(move |(term, together)| Rule {
                pod,
                together,
                term,
                others: matching(pods, pod, term, &object.namespace),
            })
        })
        // The first of pods that want to sit together may sit anywhere.
        .filter(|rule| {
            let own = &pods[rule.pod].labels;
            !(rule.together
                && rule.others.is_empty()
                && selects(&rule.term.label_selector.match_labels, own))
        })
        .collect();
    let mut search = Search {
        rules: &rules,
        nodes,
        placed: Vec::with_capacity(pods.len()),
        budget: BUDGET,
        stuck: (0, None),
    };
    if search.run(pods.len()) {
        return Ok(search.placed);
    }
    let (pod, rule) = search.stuck;
    Err(unplaceable(pods, pod, rule, nodes, search.budget == 0))
}

/// A pod's wish, and the pods that it is about.
struct Rule<'a> {
    pod: usize,
    together: bool,
    term: &'a AffinityTerm,
    others: Vec<usize>,
}

fn matching(pods: &[PodObject], own: usize, term: &AffinityTerm, namespace: &str) -> Vec<usize> {
    let wanted = &term.label_selector.match_labels;
    (0..pods.len())
        .filter(|&other| {
            other != own
                && pods[other].namespace == namespace
                && selects(wanted, &pods[other].labels)
        })
        .collect()
}

/// Whether every wanted label is there.
pub fn selects(wanted: &Labels, labels: &Labels) -> bool {
    wanted
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

struct Search<'a> {
    rules: &'a [Rule<'a>],
    nodes: u32,
    placed: Vec<u32>,
    budget: u32,
    /// The pod farthest down the list that found no node, and a rule that stood in its way.
    stuck: (usize, Option<&'a Rule<'a>>),
}

impl<'a> Search<'a> {
    fn run(&mut self, pods: usize) -> bool {
        let pod = self.placed.len();
        if pod == pods {
            return true;
        }
        // Nodes are alike: of those that are still empty, trying the first is trying all.
        let used = self.placed.iter().map(|node| node + 1).max().unwrap_or(0);
        for node in 0..self.nodes.min(used + 1) {
            if self.budget == 0 {
                return false;
            }
            self.budget -= 1;
            self.placed.push(node);
            match self.broken() {
                None if self.run(pods) => return true,
                Some(rule) if pod >= self.stuck.0 => self.stuck = (pod, Some(rule)),
                _ => {}
            }
            self.placed.pop();
        }
        false
    }

    /// A rule that the pods placed so far break, whatever comes after them.
    fn broken(&self) -> Option<&'a Rule<'a>> {
        let node = |pod: usize| self.placed.get(pod).copied();
        self.rules.iter().find(|rule| {
            let Some(own) = node(rule.pod) else {
                return false;
            };
            if rule.together {
                rule.others
                    .iter()
                    .all(|&other| node(other).is_some_and(|node| node != own))
            } else {
                rule.others.iter().any(|&other| node(other) == Some(own))
            }
        })
    }
}

fn unplaceable(
    pods: &[PodObject],
    pod: usize,
    rule: Option<&Rule<'_>>,
    nodes: u32,
    gave_up: bool,
) -> Error {
    let there_are = match nodes {
        1 => "there is 1 node".to_owned(),
        more => format!("there are {more} nodes"),
    };
    // The rule may be that of a pod placed before, about this one.
    let pod = rule.map_or(pod, |rule| rule.pod);
    let name = pods
        .get(pod)
        .map_or_else(String::new, |pod| pod.name.clone());
    let what = match rule {
        _ if gave_up => format!("no placement of all pods was found; {there_are}"),
        None => there_are,
        Some(rule) => {
            let labels: Vec<String> = rule
                .term
                .label_selector
                .match_labels
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            let (kind, relation) = if rule.together {
                ("podAffinity", "the node of")
            } else {
                ("podAntiAffinity", "another node than")
            };
            let others: Vec<String> = rule
                .others
                .iter()
                .map(|&other| format!("`{}`", pods[other].name))
                .collect();
            if others.is_empty() {
                format!("its {kind} matches no pod (labels {})", labels.join(", "))
            } else {
                let others = others.join(" or ");
                format!("its {kind} wants {relation} {others}, and {there_are}")
            }
        }
    };
    let help = match rule {
        Some(rule) if !rule.together || gave_up => {
            format!(
                "set `local.nodes` to {} or more, or change where the workers sit",
                nodes + 1
            )
        }
        _ => "change where the workers sit".to_owned(),
    };
    Error::Unplaceable {
        pod: name,
        what,
        help,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::cluster::local::read::objects;
    use crate::render::Manifest;

    /// A rule of pod `.0`: with (`true`) or without pod `.1`.
    type Wish = (usize, usize, bool);

    fn pods(count: usize, wishes: &[Wish]) -> Vec<PodObject> {
        let manifests: Vec<Manifest> = (0..count)
            .map(|pod| {
                let terms = |with: bool| -> Vec<_> {
                    wishes
                        .iter()
                        .filter(|wish| wish.0 == pod && wish.2 == with)
                        .map(|wish| {
                            json!({
                                "topologyKey": "kubernetes.io/hostname",
                                "labelSelector": {"matchLabels": {"worker": format!("w{}", wish.1)}},
                            })
                        })
                        .collect()
                };
                let required = |with| json!({"requiredDuringSchedulingIgnoredDuringExecution": terms(with)});
                let name = format!("w{pod}");
                let object = json!({
                    "apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": name, "labels": {"worker": name}},
                    "spec": {
                        "affinity": {"podAffinity": required(true), "podAntiAffinity": required(false)},
                        "containers": [{"name": "c", "command": ["true"]}],
                    },
                });
                Manifest { template: String::new(), text: String::new(), object }
            })
            .collect();
        objects(&manifests).unwrap().pods
    }

    fn kept(placed: &[u32], wishes: &[Wish]) -> bool {
        wishes
            .iter()
            .all(|&(pod, other, with)| pod == other || (placed[pod] == placed[other]) == with)
    }

    /// Whether any placement keeps the rules, by trying all.
    fn possible(count: usize, nodes: u32, wishes: &[Wish]) -> bool {
        (0..nodes.pow(u32::try_from(count).unwrap())).any(|number| {
            let placed: Vec<u32> = (0..count)
                .map(|pod| number / nodes.pow(u32::try_from(pod).unwrap()) % nodes)
                .collect();
            kept(&placed, wishes)
        })
    }

    proptest! {
        #[test]
        fn a_placement_is_found_exactly_when_there_is_one(
            nodes in 1_u32..4,
            wishes in prop::collection::vec((0_usize..4, 0_usize..4, any::<bool>()), 0..7),
        ) {
            match place(&pods(4, &wishes), nodes) {
                Ok(placed) => prop_assert!(
                    kept(&placed, &wishes) && placed.iter().all(|node| *node < nodes)
                ),
                Err(error) => prop_assert!(
                    !possible(4, nodes, &wishes),
                    "{error}"
                ),
            }
        }
    }

    #[test]
    fn pods_without_rules_fill_the_first_node() {
        assert_eq!(place(&pods(3, &[(2, 0, false)]), 3).unwrap(), [0, 0, 1]);
        // A rule about a pod further down the list.
        assert_eq!(
            place(&pods(3, &[(0, 2, true), (1, 2, false)]), 2).unwrap(),
            [0, 1, 0]
        );
    }

    #[test]
    fn a_puzzle_without_a_solution_ends() {
        let wishes: Vec<Wish> = (0..12)
            .flat_map(|pod| (0..pod).map(move |other| (pod, other, false)))
            .collect();
        let error = place(&pods(12, &wishes), 11).unwrap_err().to_string();
        assert!(
            error.contains("there are 11 nodes; set `local.nodes` to 12 or more"),
            "{error}"
        );
    }
}
