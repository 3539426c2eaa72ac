//! A node for each pod, with their wishes about each other.

use k8s_openapi::api::core::v1::{Node, PodAffinityTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::node_fit::holds;
use super::seats::{Labels, Seat, name};

/// After so many tries the scheduler may find out.
pub(super) const TRIES: u32 = 50_000;

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
    pub nodes: &'a [Node],
    pub seats: &'a [Seat],
    /// For each pod the nodes that can take it.
    pub candidates: Vec<Vec<usize>>,
    pub seated: Vec<usize>,
    pub tries: u32,
    /// How many pods could be seated at most.
    pub furthest: usize,
}

impl Search<'_> {
    /// Whether all can be seated.
    pub fn fill(&mut self) -> bool {
        self.furthest = self.furthest.max(self.seated.len());
        let next = self.seated.len();
        if next == self.seats.len() {
            return true;
        }
        for at in 0..self.candidates[next].len() {
            self.tries += 1;
            if self.tries >= TRIES {
                return false;
            }
            self.seated.push(self.candidates[next][at]);
            if self.is_right() && self.fill() {
                return true;
            }
            self.seated.pop();
        }
        false
    }

    /// Whether what is seated so far can stay.
    fn is_right(&self) -> bool {
        (0..self.seated.len()).all(|one| {
            let (near, far) = terms(&self.seats[one]);
            let partners = |term: &PodAffinityTerm| -> Vec<usize> {
                (0..self.seats.len())
                    .filter(|&other| {
                        selects(term.label_selector.as_ref(), &self.seats[other].labels)
                    })
                    .collect()
            };
            near.iter().all(|term| {
                let partners = partners(term);
                let open = partners.iter().any(|&other| other >= self.seated.len());
                open || partners
                    .iter()
                    .any(|&other| self.is_near(one, other, &term.topology_key))
            }) && far.iter().all(|term| {
                partners(term)
                    .into_iter()
                    .filter(|&other| other != one && other < self.seated.len())
                    .all(|other| !self.is_near(one, other, &term.topology_key))
            })
        })
    }

    fn is_near(&self, one: usize, other: usize, key: &str) -> bool {
        let place = |seat: usize| {
            let node = &self.nodes[self.seated[seat]];
            let label = node.metadata.labels.as_ref().and_then(|all| all.get(key));
            // Every node has its host name, even one that lost the label.
            label
                .cloned()
                .or_else(|| (key == "kubernetes.io/hostname").then(|| name(node).to_owned()))
        };
        place(one).is_some() && place(one) == place(other)
    }
}
